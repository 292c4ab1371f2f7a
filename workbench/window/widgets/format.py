"""Formatting of SI values: fixed decimals, a unit beside every value, a dash for a missing value."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from control.state import BenchState
from drivers.channel_names import (
    BENCH_STATE,
    BMS_CONTACTOR,
    BMS_POWER,
    CELL,
    CONTACTOR,
    ESTOP,
    GATE_VERDICT,
    LOOP_LATE,
    SOH,
    SOH_MIN,
    SOH_STD,
    SUPPLY_OUTPUT,
    SUPPLY_VOLTAGE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

DASH: Final = "–"  # noqa: RUF001  # an en dash is what a missing value shows
MINUS: Final = "−"  # noqa: RUF001  # the minus that is as wide as a figure
KELVIN: Final = 273.15
MINUTE_S: Final = 60.0
_SLOPE: Final = 3  # decimals more than the value has


@dataclass(frozen=True, slots=True)
class Display:
    """How one quantity is shown: `shown = si * scale + offset`, with `decimals`; `words` name values of flags."""

    unit: str
    scale: float = 1.0
    offset: float = 0.0
    decimals: int = 3
    signed: bool = False
    words: Mapping[int, str] | None = None
    bits: str = ""  # what one bit of the value means, if its bits are counted

    def shown(self, si: float) -> float:
        return si * self.scale + self.offset

    def number(self, si: float) -> str:
        """Return the number alone, or the word of a flag, or a dash."""
        if not math.isfinite(si):
            return DASH
        if self.words is not None:
            return self.words.get(round(si), str(round(si)))
        if self.bits:
            number = len(bits(si))
            return f"{number} {self.bits}{'' if number == 1 else 's'}" if number else "none"
        return figure(self.shown(si), self.decimals, signed=self.signed)

    def text(self, si: float) -> str:
        """Return the number and its unit; no unit after a dash or a word."""
        number = self.number(si)
        return f"{number} {self.unit}" if self.unit and number != DASH else number

    def difference(self, si: float) -> str:
        """Return a difference of two values, signed, with its unit; offsets cancel."""
        if not math.isfinite(si):
            return DASH
        return f"{figure(si * self.scale, self.decimals, signed=True)} {self.unit}".rstrip()

    def slope(self, si_per_s: float) -> str:
        """Return a change per second, signed; slow drifts need more decimals than the value itself."""
        if not math.isfinite(si_per_s):
            return DASH
        return f"{figure(si_per_s * self.scale, self.decimals + _SLOPE, signed=True)} {self.unit}/s"


def bits(value: float) -> frozenset[int]:
    """Return the numbers, from 1, of the set bits; none for a missing value."""
    whole = round(value) if math.isfinite(value) else 0
    return frozenset(number for number in range(1, whole.bit_length() + 1) if whole >> (number - 1) & 1)


def figure(value: float, decimals: int, *, signed: bool = False) -> str:
    """Return `value` with fixed decimals and a true minus sign; never a negative zero."""
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0.0:
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


VOLT: Final = Display("V", decimals=3)
PACK_VOLT: Final = Display("V", decimals=2)
MILLIVOLT: Final = Display("mV", scale=1e3, decimals=1)
AMPERE: Final = Display("A", decimals=2, signed=True)
LIMIT_AMPERE: Final = Display("A", decimals=1)
CELSIUS: Final = Display("°C", offset=-KELVIN, decimals=1)
PERCENT: Final = Display("%", scale=1e2, decimals=1)
WATT: Final = Display("W", decimals=1, signed=True)
MILLISECOND: Final = Display("ms", scale=1e3, decimals=2)
MILLIOHM: Final = Display("mΩ", scale=1e3, decimals=2)
NUMBER: Final = Display("", decimals=2)
COUNT: Final = Display("", decimals=0)
CELLS: Final = Display("", decimals=0, bits="cell")

_BY_UNIT: Final = {"V": VOLT, "A": AMPERE, "K": CELSIUS, "W": WATT, "s": MILLISECOND, "Ohm": MILLIOHM}
_ON_OFF: Final = {0: "off", 1: "on"}
_CONTACTS: Final = {0: "open", 1: "closed"}
WORDS: Final[dict[str, dict[int, str]]] = {
    SUPPLY_OUTPUT: _ON_OFF,
    ESTOP: {0: "OPEN", 1: "closed"},
    CONTACTOR: _CONTACTS,
    BMS_POWER: _ON_OFF,
    BMS_CONTACTOR: _CONTACTS,
    GATE_VERDICT: {0: "allowed", 1: "held", 2: "tripped"},
    BENCH_STATE: {state.value: state.word for state in BenchState},
    LOOP_LATE: {},
}
_COUNTS: Final = ("/state", "/violations", "/ticks_left", "/fault_cell", "/fault")
_BY_WORD: Final = {
    "soc": PERCENT,
    "soc_std": PERCENT,
    "soc_band": PERCENT,
    **dict.fromkeys((SOH, SOH_STD, SOH_MIN), PERCENT),
    "balancing": CELLS,
}


def find_display(channel: str, unit: str, words: Mapping[str, Mapping[int, str]] | None = None) -> Display:
    """Return how a channel of SI `unit` is shown; `words` are the bench's own value tables."""
    table = (words or {}).get(channel) or WORDS.get(channel)
    if table:
        return replace(COUNT, words=table)
    if unit == "1":
        return _BY_WORD.get(channel.rsplit("/", 1)[-1]) or (COUNT if channel.endswith(_COUNTS) else NUMBER)
    if channel.endswith("_limit"):
        return LIMIT_AMPERE
    if (unit == "V" and not channel.endswith("/voltage")) or channel == SUPPLY_VOLTAGE:
        return PACK_VOLT
    return _BY_UNIT.get(unit, replace(NUMBER, unit=unit))


def age(seconds: float) -> str:
    """Return the age of a stale value, short: `0.4 s`, `12 s`, `3 min`."""
    if not math.isfinite(seconds):
        return DASH
    if seconds < 10.0:  # noqa: PLR2004  # a decimal helps below ten
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < MINUTE_S else f"{seconds / MINUTE_S:.0f} min"


def step_time(seconds: float) -> str:
    """Return the duration of a lane's step: `3 µs`, `0.71 ms`, `12.4 ms`."""
    if not math.isfinite(seconds):
        return DASH
    if seconds < 1e-4:  # noqa: PLR2004  # below 0.1 ms microseconds read better
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1e-2 else f"{seconds * 1e3:.1f} ms"  # noqa: PLR2004  # three figures


def run_time(seconds: float) -> str:
    """Return a duration as `HH:MM:SS`."""
    whole = max(0, int(seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def wall_clock(wall_s: float) -> str:
    """Return the local time of day with milliseconds."""
    return f"{time.strftime('%H:%M:%S', time.localtime(wall_s))}.{int(wall_s * 1e3) % 1000:03d}"


def wall_date(wall_s: float) -> str:
    """Return the local date and time, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(wall_s))


def count(number: int) -> str:
    """Return a number with a thin non-breaking space between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def format_bytes(number: int) -> str:
    """Return a size such as `812 B`, `3.2 MB`."""
    size = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000.0 or unit == "GB":  # noqa: PLR2004  # SI prefix
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000.0
    raise AssertionError  # the loop ends at GB


def label(channel: str) -> str:
    """Return a channel's name as the tree shows it under its source."""
    if channel == ESTOP:
        return "emergency-stop chain"
    head, _, rest = channel.partition("/")
    if head.startswith(CELL):
        return channel
    return rest.replace("_", " ") if CELL not in rest else rest
