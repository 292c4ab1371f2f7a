"""Elektro-Automatik PSB 10000: bidirectional DC supply, as a page of declarations.

It has no negative voltage: it sources with a voltage above the loop's and sinks with a voltage below it.
Replies carry unit suffixes. Messages keep 10 ms distance, so the hot exchange is one write and one read.
Ranges are those of the PSB 10060-120.
"""

from __future__ import annotations

from typing import Final

from drivers.lastword import LastWord, TcpStep
from drivers.scpi import codec
from drivers.scpi.declare import ON_OFF, UNVERIFIED, Choice, Quantity, Query

GUIDE: Final = 'EA "ModBus & SCPI" programming guide'

GAP_S: Final = 0.010  # recommended between messages, 5 ms at least; GUIDE
IDLE_CLOSE_S: Final = 5.0  # idle connections are closed after this; GUIDE
SOURCING_READS_POSITIVE: Final = -1.0  # discharge is positive here; proven by the checklist's 1 A sunk, UNVERIFIED

IDENTITY: Final = Query("*IDN", GUIDE)
NEXT_ERROR: Final = Query("SYST:ERR", GUIDE)
LOCK: Final = Choice("SYST:LOCK", {"on": "ON", "off": "OFF"}, GUIDE)
LOCK_OWNER: Final = Query("SYST:LOCK:OWN", GUIDE)
OUTPUT: Final = Choice("OUTP", {"on": "ON", "off": "OFF"}, GUIDE)

VOLTAGE: Final = Quantity("VOLT", "V", 0.0, 61.2, GUIDE, digits=2, suffix="V")
SOURCE_CURRENT: Final = Quantity("CURR", "A", 0.0, 122.4, GUIDE, digits=2, suffix="A")
SINK_CURRENT: Final = Quantity("SINK:CURR", "A", 0.0, 122.4, GUIDE, digits=2, suffix="A")
SOURCE_POWER: Final = Quantity("POW", "W", 0.0, 30_000.0, GUIDE, digits=0, suffix="W")
SINK_POWER: Final = Quantity("SINK:POW", "W", 0.0, 30_000.0, GUIDE, digits=0, suffix="W")
PROTECT_VOLTAGE: Final = Quantity("VOLT:PROT", "V", 0.0, 66.0, GUIDE, digits=2, suffix="V")
PROTECT_CURRENT: Final = Quantity("CURR:PROT", "A", 0.0, 132.0, GUIDE, digits=2, suffix="A")
NOMINAL_POWER: Final = Query("SYST:NOM:POW", GUIDE)
MEASURED: Final = Query("MEAS:ARR", UNVERIFIED)

MEASURE: Final = codec.message(MEASURED.ask(), OUTPUT.ask())


def set_points(voltage_v: float, source_a: float, sink_a: float) -> bytes:
    """One message; raises `BenchError` outside the ranges."""
    return codec.message(VOLTAGE.put(voltage_v), SOURCE_CURRENT.put(source_a), SINK_CURRENT.put(sink_a))


def measured(reply: bytes) -> tuple[float, float, float, float]:
    """Output (1 on), V, A and W (discharge positive) from the reply to `MEASURE`; raises `LinkGarbage`."""
    actual, output = codec.units(reply, 2)
    volts, amperes, watts = codec.quantities(actual, "V", "A", "W")
    on = codec.word(output, ON_OFF)
    return float(on), volts, SOURCING_READS_POSITIVE * amperes, SOURCING_READS_POSITIVE * watts


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
