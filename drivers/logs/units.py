"""Units of a log's columns: how each is written, and its scale to SI (s, V, A, K) or, for charge, to Ah."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

TIME: Final = "time"
VOLTAGE: Final = "voltage"
CURRENT: Final = "current"
TEMPERATURE: Final = "temperature"
CHARGE: Final = "charge"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it is shown; a value is `scale * x + offset` in SI, charge in Ah."""

    text: str
    scale: float
    offset: float = 0.0


_ZERO_CELSIUS: Final = 273.15
_SPELLINGS: Final[dict[str, dict[Unit, str]]] = {  # the spellings, lower case, without blanks and dots
    TIME: {
        Unit("s", 1.0): "s sec secs second seconds",
        Unit("ms", 1e-3): "ms msec millisecond milliseconds",
        Unit("us", 1e-6): "us µs μs microsecond microseconds",
        Unit("min", 60.0): "min mins minute minutes",
        Unit("h", 3600.0): "h hr hrs hour hours",
        Unit("d", 86400.0): "d day days",
    },
    VOLTAGE: {
        Unit("V", 1.0): "v volt volts",
        Unit("mV", 1e-3): "mv millivolt millivolts",
        Unit("uV", 1e-6): "uv µv μv",
        Unit("kV", 1e3): "kv",
    },
    CURRENT: {
        Unit("A", 1.0): "a amp amps ampere amperes",
        Unit("mA", 1e-3): "ma milliamp milliamps milliampere",
        Unit("uA", 1e-6): "ua µa μa",
        Unit("kA", 1e3): "ka",
    },
    TEMPERATURE: {
        Unit("degC", 1.0, _ZERO_CELSIUS): "c degc °c deg deg_c celsius degreec degreecelsius",
        Unit("K", 1.0): "k kelvin",
        Unit("degF", 5 / 9, _ZERO_CELSIUS - 32 * 5 / 9): "f degf °f fahrenheit",
    },
    CHARGE: {
        Unit("Ah", 1.0): "ah a·h a*h amphr amphour amphours amperehour",
        Unit("mAh", 1e-3): "mah ma·h ma*h milliamphour",
        Unit("As", 1 / 3600): "as coulomb coulombs c",
    },
}
_BY_SPELLING: Final = {
    quantity: {spelling: unit for unit, words in units.items() for spelling in words.split()}
    for quantity, units in _SPELLINGS.items()
}
_KNOWN: Final = frozenset(spelling for spellings in _BY_SPELLING.values() for spelling in spellings)
_BRACKETS: Final = re.compile(r"^(.*?)\s*[\[({<]\s*([^\])}>]*)\s*[\])}>]+(.*)$", re.DOTALL)


def find_unit(quantity: str, spelling: str) -> Unit | None:
    """Return the unit of a quantity by its spelling in a header, None for one that is not known."""
    return _BY_SPELLING[quantity].get(_simplify(spelling, quantity))


def is_unit(text: str) -> bool:
    """Return whether `text` is the unit of anything that a log holds."""
    return _simplify(text) in _KNOWN


def split_unit(header: str) -> tuple[str, str]:
    """Return a header as name and unit: `I/mA`, `Voltage(V)`, `Cap. [Ah]`, `Current / A`, `Battery_Temp_degC`.

    The unit is empty where the header names none. The number behind a bracket, as in `Temperature (C)_1`, stays in
    the name.
    """
    header = header.strip()
    name, slash, unit = header.rpartition("/")
    if slash and name.strip() and is_unit(unit):
        return name.strip(), unit.strip()
    if (found := _BRACKETS.match(header)) and found[1].strip():
        return f"{found[1]} {found[3]}".strip(), found[2].strip()
    name, gap, unit = header.replace("_", " ").rpartition(" ")
    if gap and name.strip() and is_unit(unit):
        return name.strip(), unit.strip()
    return header, ""


def _simplify(text: str, quantity: str = "") -> str:
    short = text.strip().strip("[](){}").replace("º", "°").replace("℃", "°C")
    if quantity == TEMPERATURE or short[-1:] in "CFK":  # a degree sign in an unknown encoding
        short = re.sub(r"[^\x21-\x7e]", "", short)
    return short.replace(".", "").replace(" ", "").replace("-", "").lower()
