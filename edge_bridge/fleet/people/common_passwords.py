"""The commonest passwords with twelve or more characters, in lower case; shorter ones are refused anyway."""

from __future__ import annotations

from typing import Final

_SEQUENCES: Final = """
123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 012345678901 0123456789012 098765432109
987654321012 123456123456 123456654321 112233445566 111222333444 123123123123 121212121212 123412341234 147258369147
1234567890ab 123456abcdef abcdef123456 abc123abc123 a1b2c3d4e5f6 1a2b3c4d5e6f abcdefghijkl abcdefghijklm
abcdefghijklmnopqrstuvwxyz qwertyuiop12 qwertyuiop123 qwertyuiop[] qwertyuiopasdf qwertyuiopasdfghjklzxcvbnm
qwertyqwerty qwerty123456 qwerty1234567 123456qwerty 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qaz2wsx3edc4rfv
zaq12wsxcde3 qazwsxedcrfv qazwsxedcrfvtgb asdfghjkl123 asdfghjkl;'# asdfasdfasdf asdfghasdfgh zxcvbnm12345
zxcvbnmasdfghjkl qweasdzxc123 123qweasdzxc qwerasdfzxcv qwertzuiopas azertyuiop12 azertyuiopqs
"""
_WORDS: Final = """
password1234 password12345 password123456 password1234! passwordpassword password2024! password2025! password2026!
passw0rd1234 p@ssw0rd1234 p@ssw0rd12345 p@ssword1234 pa$$word1234 mypassword123 thisismypassword mypasswordis
changeme1234 changeme12345 changemenow1 changemeplease letmein12345 letmeinletmein letmeinplease letmein123456
iloveyou1234 iloveyouiloveyou iloveyou12345 iloveyou123456 welcome12345 welcome123456 welcomewelcome welcome2024!
welcome2025! welcome2026! administrator administrator1 administrator123 adminadminadmin admin1234567 admin12345678
admin123456789 adminpassword adminpassword1 rootrootroot rootpassword root12345678 supersecret1 supersecret123
topsecret1234 secretsecret secretpassword defaultpassword temporary123 temporary1234 testtesttest test12345678
testpassword testpassword1 guestguestguest useruseruser userpassword nopassword123 trustno1trustno1
sunshine1234 princess1234 football1234 baseball1234 basketball12 superman1234 batmanbatman dragondragon
monkeymonkey master123456 michael12345 jennifer1234 charlie12345 liverpool123 manchester123 barcelona123
computer1234 internet1234 samsung12345 whatever1234 blink182blink correcthorsebatterystaple
opensesame123 abracadabra1 qwertypassword passwordqwerty
pulsebms1234 pulsebmspulsebms pulsebms12345 batterybattery battery12345 batterypack1 batterystorage fleetoperator
fleetpassword energystorage
"""
_SPACED: Final = "correct horse battery staple"
COMMON: Final = frozenset({*_SEQUENCES.split(), *_WORDS.split(), _SPACED})
