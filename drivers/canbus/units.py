"""Unit spellings of DBC files and their SI units: which `unit` a map may give a signal, and when it needs a scale."""

from __future__ import annotations

from typing import Final

NONE: Final = frozenset({"", "-", "--", "none", "n/a", "na"})  # no unit: the map may give any
SPELLINGS: Final[dict[str, tuple[str, ...]]] = {  # SI unit, then its spellings, in small letters
    "1": ("1", "bool", "boolean", "flag", "bit", "bits", "enum", "enumeration", "state", "count", "counts", "number"),
    "V": ("v", "volt", "volts"),
    "A": ("a", "amp", "amps", "ampere", "amperes"),
    "K": ("k", "kelvin"),
    "W": ("w", "watt", "watts"),
    "s": ("s", "sec", "secs", "second", "seconds"),
}
DERIVED: Final[dict[str, tuple[str, ...]]] = {  # need a scale or an offset to become SI
    "1": ("%", "percent", "pct", "permille", "‰"),
    "V": ("mv", "millivolt", "millivolts", "kv", "kilovolt", "kilovolts"),
    "A": ("ma", "milliamp", "milliamps", "milliampere", "milliamperes", "ka"),
    "K": (
        *("°c", "ºc", "℃", "degc", "deg c", "deg.c", "deg. c", "deg_c", "degree c", "degrees c", "grad c"),
        *("celsius", "degree celsius", "degrees celsius", "deg celsius", "° c", "c", "deg", "degree", "degrees", "°"),
    ),
    "W": ("kw", "kilowatt", "kilowatts", "mw", "milliwatt"),
    "s": ("ms", "msec", "millisecond", "milliseconds", "min", "minute", "minutes", "h", "hour", "hours"),
}
_SI: Final = {spelled: si for si, names in SPELLINGS.items() for spelled in names}
_DERIVED: Final = {spelled: si for si, names in DERIVED.items() for spelled in names}


def find_unit_error(text: str, unit: str, *, scaled: bool, enumerated: bool) -> tuple[str, str] | None:
    """Return why a signal with the DBC unit `text` cannot be `unit`, and what to do; None if it can.

    `scaled`: the map gives a scale or an offset. `enumerated`: the DBC has a value table for the signal.
    """
    spelled = " ".join(text.strip().strip("[]()").casefold().split())
    if spelled in NONE or (unit == "1" and enumerated and spelled not in _SI | _DERIVED):
        return None
    anyway = f'dbc_unit = "{text}" where unit, scale and offset are right as they are'
    si = _SI.get(spelled) or _DERIVED.get(spelled)
    if si is None:
        return f'is in "{text}", which is not known', f"give {anyway}"
    if si != unit:
        return f"is in {text}", f'give unit = "{si}", or {anyway}'
    return None if scaled or spelled in _SI else (f"is in {text}", "give scale or offset")
