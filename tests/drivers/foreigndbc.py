"""Small DBC files and maps as texts, for a test that changes one thing in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DBC = """VERSION "1"
BU_: BMS TST
BO_ 256 State: 8 BMS
 SG_ Page M : 0|8@1+ (1,0) [0|0] "" TST
 SG_ Main m1 : 8|2@1+ (1,0) [0|0] "" TST
 SG_ Aux m0 : 8|2@1+ (1,0) [0|0] "" TST
 SG_ Cell m2 : 8|16@1+ (0.001,0) [0|0] "V" TST
 SG_ Warm m3 : 8|16@1+ (0.1,-40) [0|0] "degC" TST
 SG_ Level : 32|32@1- (1,0) [0|0] "" TST
BO_ 257 Limits: 6 BMS
 SG_ Charge : 0|16@1+ (0.1,0) [0|0] "A" TST
 SG_ Closed : 16|2@1+ (1,0) [0|0] "" TST
 SG_ Half : 32|8@1+ (0.5,0) [0|0] "" TST
BO_ 512 Ask: 8 TST
 SG_ Word : 0|8@1+ (1,0) [0|0] "" BMS
 SG_ Reset : 8|1@1+ (1,0) [0|0] "" BMS
BO_ 600 Nobody: 64 BMS
 SG_ Over : 0|8@1+ (1,0) [0|0] "" TST
 SG_ Lap : 4|8@1+ (1,0) [0|0] "" TST
 SG_ Far : 700|8@1+ (1,0) [0|0] "" TST
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 60000;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 256 100;
SIG_VALTYPE_ 256 Level : 1;
"""
MAP = """
name = "foreign"
dbc = "foreign.dbc"
timeout_ms = 300
[[signal]]
channel = "bms/contactor"
unit = "1"
range = [0.0, 3.0]
message = "Limits"
signal = "Closed"
[[signal]]
channel = "bms/charge_limit"
unit = "A"
range = [0.0, 400.0]
message = "Limits"
signal = "Charge"
[[signal]]
channel = "bms/half"
unit = "1"
range = [0.0, 100.0]
message = "Limits"
signal = "Half"
[[signal]]
channel = "bms/main"
unit = "1"
range = [0.0, 3.0]
message = "State"
signal = "Main"
[[signal]]
channel = "bms/cell_01/voltage"
unit = "V"
range = [0.0, 5.0]
message = "State"
signal = "Cell"
[[signal]]
channel = "bms/level"
unit = "1"
range = [0.0, 5.0]
message = "State"
signal = "Level"
[heartbeat]
message = "Ask"
period_ms = 50
[request]
message = "Ask"
signal = "Word"
none = 0
open = 1
close = 2
reset_signal = "Reset"
balance_signal = "Reset"
[last_request]
message = "Ask"
signal = "Word"
open = 1
[verify]
channel = "bms/contactor"
open = 0.0
[arming]
state_channel = "bms/contactor"
"""


def written(folder: Path, *, dbc: str | bytes = DBC, text: str = MAP) -> Path:
    """The path of a map beside its DBC."""
    (folder / "foreign.dbc").write_bytes(dbc.encode() if isinstance(dbc, str) else dbc)
    path = folder / "foreign.dut.toml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(text: str, right: str, wrong: str) -> str:
    assert right in text
    return text.replace(right, wrong, 1)
