"""The I/O box IO-8: thermistor outputs, power of the device under test, contacts; as a page of declarations.

Lines of text, one reply to each line; the reply to a refused line is `ERR <number> <words>`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import BenchError, LinkGarbage, LinkRefused
from drivers.scpi import codec
from drivers.scpi.declarations import Query

if TYPE_CHECKING:
    from drivers.snapshot import Floats

SHEET: Final = "IO-8 protocol 1.0, a dialect of this project"

IDENTITY: Final = Query("ID", SHEET)
THERMISTORS: Final = Query("TH", SHEET)  # `TH r1,...,r8` sets, ohm
POWER: Final = Query("PWR", SHEET)  # `PWR 0|1` sets
INPUTS: Final = Query("IN", SHEET)
EDGE: Final = Query("EDGE", SHEET)  # ms since the contactor input changed, captured by the box
AUXILIARY: Final = {"through": 0, "open": 1, "closed": 2}  # `AUX n`: relay in the auxiliary contact's wire; SHEET

R25_OHM: Final = 10_000.0
BETA_K: Final = 3435.0
T25_K: Final = 298.15
COLDEST_K: Final = 205.0  # the outputs reach at most 2 MOhm; SHEET
HOTTEST_K: Final = 450.0

_EDGE: Final = re.compile(rb"\s*contactor=(\d{1,12})\s*")
_INPUTS: Final = re.compile(rb"\s*estop=([01]),contactor=([01]),power=([01])\s*")


def ohms(kelvin: Floats) -> Floats:
    """Return the resistance of the NTC at `kelvin[n]` by its beta."""
    return R25_OHM * np.exp(BETA_K * (1.0 / kelvin - 1.0 / T25_K))


def kelvins(resistance_ohm: Floats) -> Floats:
    """Return the NTC temperature at `resistance_ohm[n]`, the inverse of `ohms`; raise `LinkGarbage` if not positive."""
    if not (resistance_ohm > 0.0).all():
        raise LinkGarbage(f"answered {resistance_ohm.tolist()}, expected resistances")
    return 1.0 / (1.0 / T25_K + np.log(resistance_ohm / R25_OHM) / BETA_K)


def set_temperatures(kelvin: Floats, count: int) -> bytes:
    """Return one line; raise `BenchError` unless there are `count` temperatures within the thermistor's range."""
    if kelvin.shape != (count,) or not ((kelvin >= COLDEST_K) & (kelvin <= HOTTEST_K)).all():
        raise BenchError(
            f"{kelvin.tolist()} K are not {count} temperatures within {COLDEST_K:g} to {HOTTEST_K:g} K",
            where="thermistors",
            bound=[COLDEST_K, HOTTEST_K],
        )
    return b"TH " + b",".join(b"%.1f" % value for value in ohms(kelvin).tolist()) + b"\n"


def set_power(on: bool) -> bytes:  # noqa: FBT001  # the one thing it says
    """Return the line that switches the power of the device under test."""
    return b"PWR %d\n" % on


def hold_auxiliary(state: str) -> bytes:
    """Return the line that sets the relay in the auxiliary contact's wire to one of the `AUXILIARY` states."""
    return b"AUX %d\n" % AUXILIARY[state]


def since_edge_s(reply: bytes) -> float:
    """Return seconds since the contactor input changed, in steps of 1 ms; raise `LinkGarbage` or `LinkRefused`."""
    matched = _EDGE.fullmatch(check(reply))
    if matched is None:
        raise LinkGarbage(f"answered {reply[:40]!r}, expected the age of an edge")
    return float(matched.group(1)) / 1e3


def check(reply: bytes) -> bytes:
    """Return the reply unchanged; raise `LinkRefused` with the box's words for `ERR`."""
    if reply.startswith(b"ERR"):
        raise LinkRefused(f"refuses: {reply.decode('ascii', 'replace')}")
    return reply


def check_acknowledged(reply: bytes) -> None:
    """Raise `LinkGarbage` for anything but `OK`."""
    if check(reply).strip() != b"OK":
        raise LinkGarbage(f"answered {reply[:40]!r}, expected OK")


def inputs(reply: bytes) -> tuple[float, float, float]:
    """Return emergency-stop chain closed, contactor closed, power on, each 0 or 1; raise `LinkGarbage`."""
    matched = _INPUTS.fullmatch(check(reply))
    if matched is None:
        raise LinkGarbage(f"answered {reply[:40]!r}, expected its inputs")
    estop, contactor, power = (float(group) for group in matched.groups())
    return estop, contactor, power


def temperatures(reply: bytes, count: int) -> Floats:
    """Return `kelvin[count]` of the thermistor outputs; raise `LinkGarbage`."""
    return kelvins(np.array(codec.numbers(check(reply), count)))
