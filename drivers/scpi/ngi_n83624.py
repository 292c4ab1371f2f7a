"""NGI N83624: 24-channel battery cell simulator, as a page of declarations.

The wire carries mA and mW; no code above this page does. The instrument has no error queue: only a read-back shows that
it did not accept a value. Long mnemonics are used where the guide breaks its own rule for short ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import BenchError
from drivers.scpi import codec
from drivers.scpi.declarations import ASSUMED, Choice, Quantity, Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.snapshot import Floats

GUIDE: Final = "N83624 Programming Guide, SCPI Protocol, V20240130"
LONGEST: Final = 256  # bytes of a message: the guide gives no limit, and this is the least of other instruments
MOST_UNITS: Final = 24  # one of each channel

IDENTITY: Final = Query("*IDN", GUIDE)

VOLTAGE: Final = Quantity("SOUR{n}:VOLT", "V", 0.0, 6.0, GUIDE, digits=4)
CURRENT_LIMIT: Final = Quantity("SOUR{n}:OUTCURR", "A", 0.0, 5.0, GUIDE, per_si=1e3, digits=1)
MEASURED_VOLTAGE: Final = Query("MEAS{n}:VOLT", GUIDE)
MEASURED_VOLTAGES: Final = Query("MEASure:VOLTage", GUIDE)  # `?(@1,2,...)`, of many channels
MEASURED_CURRENTS: Final = Query("MEASure:CURRent", ASSUMED)  # the guide shows the channel list only for voltages
MEASURED_CURRENT: Final = Quantity("MEAS{n}:CURR", "A", -6.0, 6.0, GUIDE, per_si=1e3)
PROTECT_VOLTAGE: Final = Quantity("PRO{n}:VOLT", "V", 0.0, 6.5, GUIDE)
PROTECT_CURRENT: Final = Quantity("PRO{n}:CURR", "A", 0.0, 6.0, GUIDE, per_si=1e3, digits=1)
PROTECT_POWER: Final = Quantity("PRO{n}:POWEr", "W", 0.0, 50.0, GUIDE, per_si=1e3, digits=0)

MODE: Final = Choice("OUTP{n}:MODE", {"source": "0", "charge": "1", "soc": "3", "sequence": "128"}, GUIDE)
SWITCH: Final = Choice("OUTP{n}:ONOFF", {"on": "1", "off": "0"}, GUIDE)
SAMPLING: Final = Choice("MEAS{n}:CAPR", {"10 ms": "0", "120 ms": "1", "480 ms": "2"}, GUIDE)
FAULT_RELAY: Final = Choice(
    "FAULt{n}:SIMUlate",
    {"normal": "0", "open_plus": "1", "open_minus": "4", "short": "8", "reversed": "96"},
    GUIDE,
)
STATE: Final = Query("OUTP{n}:STAT", GUIDE)
STATE_BITS: Final = {
    1: "over-voltage protection",
    2: "over-current protection",
    3: "over-power protection",
    4: "over-temperature protection",
    5: "fault relay requested with voltage or current present",
    6: "fault relay requested outside source mode",
}
PROTECTIONS: Final = (1, 2, 3, 4)  # the bits of a channel that has switched its output off by itself
RELAY_REFUSED: Final = 1 << 5 | 1 << 6


class ChannelCommands:
    """The messages of each exchange for channels 1 to `count`, encoded in advance as far as possible.

    `listed_currents`: whether one query with a channel list reads all currents, as it does the voltages; otherwise one
    query per channel.
    """

    def __init__(self, count: int, *, listed_currents: bool = True) -> None:
        numbers = range(1, count + 1)
        listed = ",".join(str(n) for n in numbers)
        self._count = count
        units = [f"{VOLTAGE.header.format(n=n)} %.{VOLTAGE.digits}f" for n in numbers]
        widest = [unit % VOLTAGE.high for unit in units]
        sizes = [counted for _, counted in codec.messages(widest, MOST_UNITS, LONGEST)]
        ends = np.cumsum(sizes).tolist()
        self._set = [";:".join(units[end - size : end]) + "\n" for end, size in zip(ends, sizes, strict=True)]
        self._parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        currents = [f"{MEASURED_CURRENTS.ask()}(@{listed})"] if listed_currents else []
        currents = currents or [MEASURED_CURRENT.ask(n) for n in numbers]
        self._units = 1 + len(currents)
        # In one message if they fit, so that both replies are of one sampling period.
        queries = (f"{MEASURED_VOLTAGES.ask()}(@{listed})", *currents)
        self.measure: Final = codec.messages(queries, MOST_UNITS + 1, LONGEST)
        self.ask_voltages: Final = codec.message(queries[0])
        self.ask_currents: Final = codec.messages(currents, MOST_UNITS, LONGEST)

    def check(self, volts: Floats) -> Floats:
        """Return `volts[count]` unchanged; raise `BenchError` that names a channel out of range."""
        inside = (volts >= VOLTAGE.low) & (volts <= VOLTAGE.high)
        if volts.shape != (self._count,) or not inside.all():
            worst = int(np.argmin(inside)) + 1
            raise BenchError(
                f"cell {worst} of {self._count}: {volts.tolist()} V is not {VOLTAGE.low:g} to {VOLTAGE.high:g} V each",
                where=VOLTAGE.header.format(n=worst),
                bound=[VOLTAGE.low, VOLTAGE.high],
            )
        return volts

    def set_voltages(self, volts: Floats) -> list[bytes]:
        """Return a set-point per channel, in as few messages as the instrument's buffer allows."""
        values = tuple(volts.tolist())
        return [(text % values[part]).encode("ascii") for text, part in zip(self._set, self._parts, strict=True)]

    def parse_measured(self, replies: Sequence[bytes]) -> tuple[list[float], list[float]]:
        """Return voltages in V and currents in A of each channel, with the instrument's signs; raise `LinkGarbage`."""
        volts, *milliamperes = codec.units(b";".join(replies), self._units)
        amperes = [value / MEASURED_CURRENT.per_si for value in codec.numbers(b",".join(milliamperes), self._count)]
        return codec.numbers(volts, self._count), amperes


def state_words(state: int) -> str:
    """Return the errors in the bits of `OUTP<n>:STAT?`, empty if there is none."""
    return ", ".join(words for bit, words in STATE_BITS.items() if state >> bit & 1)


def protection_words(state: int) -> str:
    """Return the protections that have switched this channel's output off, empty if there is none."""
    return state_words(state & sum(1 << bit for bit in PROTECTIONS))
