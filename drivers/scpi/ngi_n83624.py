"""NGI N83624: 24-channel battery cell simulator, as a page of declarations.

The wire carries mA and mW; nothing above this page does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import BenchError
from drivers.scpi import codec
from drivers.scpi.declare import ASSUMED, Choice, Quantity, Query

if TYPE_CHECKING:
    from drivers.snapshot import Floats

GUIDE: Final = "N83624 Programming Guide, SCPI Protocol, V20240130"
ASKED_TOO: Final = f"{GUIDE}; its query form is unverified"

IDENTITY: Final = Query("*IDN", GUIDE)
NEXT_ERROR: Final = Query("SYST:ERR", ASSUMED)

VOLTAGE: Final = Quantity("SOUR{n}:VOLT", "V", 0.0, 6.0, GUIDE, digits=4)
CURRENT_LIMIT: Final = Quantity("SOUR{n}:OUTCURR", "A", 0.0, 5.0, GUIDE, per_si=1e3, digits=1)
MEASURED_VOLTAGE: Final = Query("MEAS{n}:VOLT", GUIDE)
MEASURED_VOLTAGES: Final = Query("MEASure:VOLTage", GUIDE)  # `?(@1,2,...)`, of many channels
MEASURED_CURRENTS: Final = Query("MEASure:CURRent", ASSUMED)
MEASURED_CURRENT: Final = Quantity("MEAS{n}:CURR", "A", -6.0, 6.0, GUIDE, per_si=1e3)
PROTECT_VOLTAGE: Final = Quantity("PRO{n}:VOLT", "V", 0.0, 6.5, ASKED_TOO)
PROTECT_CURRENT: Final = Quantity("PRO{n}:CURR", "A", 0.0, 6.0, ASKED_TOO, per_si=1e3, digits=1)

MODE: Final = Choice("OUTP{n}:MODE", {"source": "0", "charge": "1", "soc": "3", "sequence": "128"}, GUIDE)
SWITCH: Final = Choice("OUTP{n}:ONOFF", {"on": "1", "off": "0"}, GUIDE)
SAMPLING: Final = Choice("MEAS{n}:CAPR", {"10 ms": "0", "120 ms": "1", "480 ms": "2"}, GUIDE)
FAULT_RELAY: Final = Choice(
    "FAUL{n}:SIM",
    {"normal": "0", "open_plus": "1", "open_minus": "4", "short": "8", "reversed": "96"},
    GUIDE,
)
STATE: Final = Query("OUTP{n}:STAT", GUIDE)
STATE_BITS: Final = {
    1: "over-voltage protection",
    2: "over-current protection",
    3: "over-power protection",
    4: "over-temperature protection",
    5: "fault relay asked with voltage or current present",
    6: "fault relay asked outside source mode",
}
RELAY_REFUSED: Final = 1 << 5 | 1 << 6


class Channels:
    """The messages of the hot exchange for channels 1 to `count`, encoded as far as can be beforehand."""

    def __init__(self, count: int) -> None:
        listed = ",".join(str(n) for n in range(1, count + 1))
        self._count = count
        self._set = ";:".join(f"{VOLTAGE.header.format(n=n)} %.{VOLTAGE.digits}f" for n in range(1, count + 1)) + "\n"
        # Both in one message, so that one sampling period answers both.
        self.measure: Final = codec.message(
            f"{MEASURED_VOLTAGES.ask()}(@{listed})", f"{MEASURED_CURRENTS.ask()}(@{listed})"
        )

    def checked(self, volts: Floats) -> Floats:
        """`volts[count]` as they are; raises `BenchError` that names a channel out of range."""
        inside = (volts >= VOLTAGE.low) & (volts <= VOLTAGE.high)
        if volts.shape != (self._count,) or not inside.all():
            worst = int(np.argmin(inside)) + 1
            raise BenchError(
                f"cell {worst} of {self._count}: {volts.tolist()} V is not {VOLTAGE.low:g} to {VOLTAGE.high:g} V each",
                where=VOLTAGE.header.format(n=worst),
                bound=[VOLTAGE.low, VOLTAGE.high],
            )
        return volts

    def set_voltages(self, volts: Floats) -> bytes:
        """One message with a set-point per channel."""
        return (self._set % tuple(volts.tolist())).encode("ascii")

    def measured(self, reply: bytes) -> tuple[list[float], list[float]]:
        """Voltages in V and currents in A (discharge positive) of each channel; raises `LinkGarbage`."""
        volts, milliamperes = codec.units(reply, 2)
        amperes = [value / MEASURED_CURRENT.per_si for value in codec.numbers(milliamperes, self._count)]
        return codec.numbers(volts, self._count), amperes


def state_words(state: int) -> str:
    """What the bits of `OUTP<n>:STAT?` complain of, empty when nothing is wrong."""
    return ", ".join(words for bit, words in STATE_BITS.items() if state >> bit & 1)
