"""Settings by which an EA supply re-energises, or stays on, by itself: the wanted values, and those found.

Programming guide EN_01, 5.4.11 and 4.7.8.5. The supply keeps them over power cycles, so they are restored at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from drivers.errors import LinkGarbage
from drivers.scpi.declarations import Choice, Quantity
from drivers.scpi.ea_psb10000 import GUIDE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Setting: TypeAlias = Choice | Quantity
Value: TypeAlias = str | float

_AUTO: Final = {"off": "OFF", "auto": "AUTO"}
AFTER_OVERHEATING: Final = Choice("SYST:ALAR:ACT:OTEM", _AUTO, GUIDE)
AFTER_POWER_FAIL: Final = Choice("SYST:ALAR:ACT:PFA", _AUTO, GUIDE)
AFTER_POWER_ON: Final = Choice("SYST:CONF:OUTP:REST", _AUTO, GUIDE)
AFTER_REMOTE: Final = Choice("POW:STAG:AFT:REM", _AUTO, GUIDE)
SUPERVISED: Final = Choice("SYST:COMM:MON:ACT", {"on": "ON", "off": "OFF"}, GUIDE)
SUPERVISION: Final = Quantity("SYST:COMM:MON:TIM", "s", 1.0, 36_000.0, GUIDE, digits=0, suffix="s")

NAMES: Final[Mapping[str, str]] = {
    AFTER_OVERHEATING.header: "output after over-temperature",
    AFTER_POWER_FAIL.header: "output after a power fail",
    AFTER_POWER_ON.header: "output after power-on",
    AFTER_REMOTE.header: "output after leaving remote control",
    SUPERVISION.header: "time of interface supervision",
    SUPERVISED.header: "interface supervision",
}
SUPERVISION_S: Final = 2.0  # without a message: any connection's counts, the guard's sends one each second


class KeptSettings(NamedTuple):
    """One setting, its wanted value and the value found."""

    setting: Setting
    wanted: Value
    found: Value

    def __str__(self) -> str:
        return f"{NAMES[self.setting.header]} was {_shown(self.found)}, is {_shown(self.wanted)}"


# in the order of writing: the supervision is last, after "output after leaving remote control" is off
WANTED: Final[tuple[tuple[Setting, Value], ...]] = (
    (AFTER_OVERHEATING, "off"),
    (AFTER_POWER_FAIL, "off"),
    (AFTER_POWER_ON, "off"),
    (AFTER_REMOTE, "off"),
    (SUPERVISION, SUPERVISION_S),
    (SUPERVISED, "on"),
)


def compare(settings: Sequence[tuple[Setting, Value]], replies: Sequence[bytes]) -> list[KeptSettings]:
    """Return the settings whose replies differ from the wanted value; raise `LinkGarbage`."""
    found = [
        KeptSettings(setting, wanted, read(setting, reply))
        for (setting, wanted), reply in zip(settings, replies, strict=True)
    ]
    return [kept for kept in found if kept.found != kept.wanted]


def read(setting: Setting, reply: bytes) -> Value:
    """Return the value of `setting` in a reply; raise `LinkGarbage`."""
    if isinstance(setting, Quantity):
        return setting.read(reply)
    received = reply.decode("ascii", "replace").strip().upper()
    known = {word: meaning for meaning, word in setting.words.items()}
    if received not in known:
        expected = " or ".join(setting.words.values())
        raise LinkGarbage(f"answered {reply[:40]!r} to {setting.header}?, expected {expected}")
    return known[received]


def put(setting: Setting, value: Value) -> str:
    """Return the unit that sets it."""
    if isinstance(setting, Quantity):
        return setting.put(float(value))
    return setting.put(str(value))


def _shown(value: Value) -> str:
    return value.upper() if isinstance(value, str) else f"{value:g} s"
