"""Elektro-Automatik PSB 10000: bidirectional DC supply, as a page of declarations.

It has no negative voltage: it sources with a voltage above the loop's and sinks with a voltage below it.
Replies carry unit suffixes. Messages keep 10 ms distance, so the hot exchange is one write and one read. What it
does not take, only its error queue tells: the read asks for the set-points too.
Ranges are those of the PSB 10060-120, powers those of the largest of its family.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from drivers.errors import LinkGarbage
from drivers.lastword import LastWord, TcpStep
from drivers.scpi import codec
from drivers.scpi.declare import ON_OFF, UNVERIFIED, Choice, Quantity, Query

GUIDE: Final = 'EA "ModBus & SCPI" programming guide'

GAP_S: Final = 0.010  # recommended between messages, 5 ms at least; GUIDE
IDLE_CLOSE_S: Final = 5.0  # idle connections are closed after this; GUIDE
SOURCING_READS_POSITIVE: Final = -1.0  # discharge is positive here; proven by the checklist's 1 A sunk, UNVERIFIED

IDENTITY: Final = Query("*IDN", GUIDE)
ERRORS: Final = Query("SYST:ERR:ALL", GUIDE)
LOCK: Final = Choice("SYST:LOCK", {"on": "ON", "off": "OFF"}, GUIDE)
LOCK_OWNER: Final = Query("SYST:LOCK:OWN", GUIDE)
OUTPUT: Final = Choice("OUTP", {"on": "ON", "off": "OFF"}, GUIDE)

VOLTAGE: Final = Quantity("VOLT", "V", 0.0, 61.2, GUIDE, digits=2, suffix="V")
SOURCE_CURRENT: Final = Quantity("CURR", "A", 0.0, 122.4, GUIDE, digits=2, suffix="A")
SINK_CURRENT: Final = Quantity("SINK:CURR", "A", 0.0, 122.4, GUIDE, digits=2, suffix="A")
SOURCE_POWER: Final = Quantity("POW", "W", 0.0, 30_000.0, GUIDE, digits=0, suffix="W")
SINK_POWER: Final = Quantity("SINK:POW", "W", 0.0, 30_000.0, GUIDE, digits=0, suffix="W")
PROTECT_VOLTAGE: Final = Quantity("VOLT:PROT", "V", 0.0, 66.0, GUIDE, digits=2, suffix="V")
PROTECT_CURRENT: Final = Quantity("CURR:PROT", "A", 0.0, 132.0, GUIDE, digits=2, suffix="A")  # sourced
PROTECT_SINK_CURRENT: Final = Quantity("SINK:CURR:PROT", "A", 0.0, 132.0, UNVERIFIED, digits=2, suffix="A")
NOMINAL_POWER: Final = Query("SYST:NOM:POW", GUIDE)
MEASURED: Final = Query("MEAS:ARR", UNVERIFIED)

SET_POINTS: Final = (VOLTAGE, SOURCE_CURRENT, SINK_CURRENT)
_ASKED: Final = (MEASURED.ask(), OUTPUT.ask(), LOCK_OWNER.ask(), *(quantity.ask() for quantity in SET_POINTS))
MEASURE: Final = codec.message(*_ASKED)
ANSWERS: Final = len(_ASKED)
OWNERS: Final = ("NONE", "LOCAL", "REMOTE")
REMOTE: Final = "REMOTE"


class Told(NamedTuple):
    """The answer to `MEASURE`: output (1 on), V, A and W (discharge positive); lock; set V, source A and sink A."""

    values: tuple[float, float, float, float]
    owner: str
    set_points: tuple[float, ...]


class Protections(NamedTuple):
    """Thresholds at which the supply switches itself off."""

    voltage_v: float
    source_current_a: float
    sink_current_a: float


def set_points(values: tuple[float, ...]) -> bytes:
    """One message with V, source A and sink A; raises `BenchError` outside the ranges."""
    return codec.message(*(quantity.put(value) for quantity, value in zip(SET_POINTS, values, strict=True)))


def measured(reply: bytes) -> Told:
    """What the reply to `MEASURE` says; raises `LinkGarbage`."""
    actual, output, owner, *set_points = codec.units(reply, ANSWERS)
    volts, amperes, watts = codec.quantities(actual, "V", "A", "W")
    on = float(codec.word(output, ON_OFF))
    return Told(
        (on, volts, SOURCING_READS_POSITIVE * amperes, SOURCING_READS_POSITIVE * watts),
        lock_owner(owner),
        tuple(quantity.read(told) for quantity, told in zip(SET_POINTS, set_points, strict=True)),
    )


def lock_owner(reply: bytes) -> str:
    """Who has remote control, one of `OWNERS`; raises `LinkGarbage`."""
    said = reply.decode("ascii", "replace").strip()
    if said not in OWNERS:
        raise LinkGarbage(f"answers {reply[:40]!r} where {' or '.join(OWNERS)} is due")
    return said


def mark(watts: float) -> bytes:
    """Writes the sink's power limit: the harmless value by which two connections prove each other."""
    return codec.message(SINK_POWER.put(watts))


def off_steps(within_s: float) -> tuple[TcpStep, ...]:
    """Output off, verified by its read-back: the shortest message that the instrument knows."""
    return (
        TcpStep(
            name="supply off",
            send=codec.message(OUTPUT.put("off")),
            verify=codec.message(OUTPUT.ask()),
            accepted=(b"OFF", b"0"),
            within_s=within_s,
        ),
    )


def last_word(address: str, within_s: float) -> LastWord:
    """The guard's own connection to the supply, kept open with a query well before the instrument closes it."""
    return LastWord(
        address=address,
        keep_alive=codec.message(LOCK_OWNER.ask()),
        keep_alive_s=IDLE_CLOSE_S / 5.0,
        steps=off_steps(within_s),
        gap_s=GAP_S,
    )
