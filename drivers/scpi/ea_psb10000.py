"""Elektro-Automatik PSB 10000: bidirectional DC supply, as a page of declarations.

It has no negative voltage: it sources with a voltage above the loop's and sinks with a voltage below it.
Bounds of quantities are multiples of its rating, which the instrument reports (`Ratings`). Output, remote control and
alarms are bits of one status register, so one message of five commands reads all that an exchange needs.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final, NamedTuple

from drivers.errors import LinkGarbage, UnfitRating
from drivers.safe_commands import TcpSafeCommands, TcpStep
from drivers.scpi import codec
from drivers.scpi.declarations import ON_OFF, Choice, Quantity, Query, Read
from drivers.scpi.ea_status import EaStatus, status

GUIDE: Final = 'EA "ModBus & SCPI" programming guide for 10000 and 20000 series, EN_01'

MOST_COMMANDS: Final = 5  # in one message; a sixth is error -223; GUIDE 5.2.4
LONGEST: Final = 256  # bytes of a message and of a reply at most; GUIDE 5.2.4
GAP_S: Final = 0.010  # recommended between messages, 5 ms at least; GUIDE 3.3.3
IDLE_CLOSE_S: Final = 5.0  # idle connections are closed after this; GUIDE 5.4.11.2
STEPS: Final = 26_214  # effective steps of a rating; GUIDE 3.8
SET: Final = 1.02  # greatest set value, in ratings; GUIDE 5.4.3
PROTECT: Final = 1.10  # greatest protection, in ratings; GUIDE 5.4.6
SHOWN: Final = 1.25  # greatest actual value, in ratings; GUIDE 5.4.4
SOURCING_READS_POSITIVE: Final = -1.0  # discharge is positive here; GUIDE 5.4.4.2

IDENTITY: Final = Query("*IDN", GUIDE)
ERRORS: Final = Query("SYST:ERR:ALL", GUIDE)  # reading acknowledges alarms that are over; GUIDE 5.4.5.3
LOCK: Final = Choice("SYST:LOCK", {"on": "ON", "off": "OFF"}, GUIDE)
LOCK_OWNER: Final = Query("SYST:LOCK:OWN", GUIDE)
OUTPUT: Final = Choice("OUTP", {"on": "ON", "off": "OFF"}, GUIDE)
STATUS: Final = Query("STAT:QUES:COND", GUIDE)
OPERATION: Final = Query("STAT:OPER:COND", GUIDE)

VOLTAGE: Final = Quantity("VOLT", "V", 0.0, SET, GUIDE, suffix="V")
SOURCE_CURRENT: Final = Quantity("CURR", "A", 0.0, SET, GUIDE, suffix="A")
SINK_CURRENT: Final = Quantity("SINK:CURR", "A", 0.0, SET, GUIDE, suffix="A")
SOURCE_POWER: Final = Quantity("POW", "W", 0.0, SET, GUIDE, digits=0, suffix="W")
SINK_POWER: Final = Quantity("SINK:POW", "W", 0.0, SET, GUIDE, digits=0, suffix="W")
PROTECT_VOLTAGE: Final = Quantity("VOLT:PROT", "V", 0.0, PROTECT, GUIDE, suffix="V")
PROTECT_CURRENT: Final = Quantity("CURR:PROT", "A", 0.0, PROTECT, GUIDE, suffix="A")  # sourced
PROTECT_SINK_CURRENT: Final = Quantity("SINK:CURR:PROT", "A", 0.0, PROTECT, GUIDE, suffix="A")
NOMINAL_VOLTAGE: Final = Query("SYST:NOM:VOLT", GUIDE)
NOMINAL_CURRENT: Final = Query("SYST:NOM:CURR", GUIDE)
NOMINAL_POWER: Final = Query("SYST:NOM:POW", GUIDE)
MEASURED: Final = Query("MEAS:ARR", GUIDE)

SET_POINTS: Final = (VOLTAGE, SOURCE_CURRENT, SINK_CURRENT)
PROTECTIONS: Final = (PROTECT_VOLTAGE, PROTECT_CURRENT, PROTECT_SINK_CURRENT)
POWERS: Final = (SOURCE_POWER, SINK_POWER)
RATINGS: Final = ("V", NOMINAL_VOLTAGE), ("A", NOMINAL_CURRENT), ("W", NOMINAL_POWER)
_QUERIES: Final = (MEASURED.ask(), STATUS.ask(), *(quantity.ask() for quantity in SET_POINTS))
MEASURE: Final = codec.message(*_QUERIES)
ANSWERS: Final = len(_QUERIES)
OWNERS: Final = ("NONE", "LOCAL", "REMOTE")
REMOTE: Final = "REMOTE"


class ReportedValues(NamedTuple):
    """The reply to `MEASURE`: output (1 on), V, A and W (discharge positive); status; set V, source A and sink A."""

    values: tuple[float, float, float, float]
    status: EaStatus
    set_points: tuple[Read, ...]


class ProtectionLevels(NamedTuple):
    """Thresholds at which the supply switches itself off."""

    voltage_v: float
    source_current_a: float
    sink_current_a: float


class Ratings(NamedTuple):
    """Ratings that the instrument reports; those of the master-slave system if it leads one (GUIDE 5.4.10)."""

    voltage_v: float
    current_a: float
    power_w: float

    def of(self, quantity: Quantity) -> Quantity:
        """Return `quantity` with its bounds in SI, and as many decimals as its resolution needs."""
        rating = self.rating(quantity)
        decimals = max(0, math.ceil(-math.log10(rating / STEPS))) if quantity.suffix != "W" else quantity.digits
        return replace(quantity, low=quantity.low * rating, high=quantity.high * rating, digits=decimals)

    def rating(self, quantity: Quantity) -> float:
        return self[("V", "A", "W").index(quantity.suffix)]

    def too_low(self, key: str, value: float, quantity: Quantity, address: str) -> UnfitRating:
        """Return the error for a `value` under `key` of the bench file that these ratings do not allow."""
        highest, unit = self.of(quantity).high, quantity.unit
        rated = f"is rated {self.rating(quantity):g} {unit} and accepts at most {highest:g} {unit}"
        return UnfitRating(
            f"{rated}, but the bench file sets {key} = {value:g} {unit}",
            where=address,
            key=key,
            value=value,
            bound=highest,
            hint="lower it, or use a supply of a higher rating",
        )

    def agrees(self, quantity: Quantity, value: float, read: Read) -> bool:
        """Return whether `read` equals a written `value` within half of its last decimal and one step."""
        written = float(self.of(quantity).encoded(value))
        return abs(read.value - written) <= read.half_step + self.rating(quantity) / STEPS


def ratings(replies: list[bytes]) -> Ratings:
    """Parse the replies to `RATINGS`; raise `LinkGarbage`."""
    values = [codec.number(reply, unit) for reply, (unit, _) in zip(replies, RATINGS, strict=True)]
    if not all(value > 0.0 for value in values):
        raise LinkGarbage(f"answered {replies}, expected its ratings")
    return Ratings(*values)


def parse_measured(reply: bytes) -> ReportedValues:
    """Parse the reply to `MEASURE`; raise `LinkGarbage`."""
    actual, state, *set_points = codec.units(reply, ANSWERS)
    volts, amperes, watts = codec.quantities(actual, "V", "A", "W")
    present = status(state)
    return ReportedValues(
        (float(present.output), volts, SOURCING_READS_POSITIVE * amperes, SOURCING_READS_POSITIVE * watts),
        present,
        tuple(quantity.read_back(text) for quantity, text in zip(SET_POINTS, set_points, strict=True)),
    )


def lock_owner(reply: bytes) -> str:
    """Return who has remote control, one of `OWNERS`; raise `LinkGarbage`."""
    owner = reply.decode("ascii", "replace").strip()
    if owner not in OWNERS:
        raise LinkGarbage(f"answered {reply[:40]!r}, expected {' or '.join(OWNERS)}")
    return owner


def is_on(reply: bytes) -> bool:
    """Return whether the output is on; raise `LinkGarbage`."""
    return codec.word(reply, ON_OFF)


def off_steps(within_s: float) -> tuple[TcpStep, ...]:
    """Return the step "output off", verified by its read-back: the shortest message that the instrument knows."""
    return (
        TcpStep(
            name="supply off",
            send=codec.message(OUTPUT.put("off")),
            verify=codec.message(OUTPUT.ask()),
            accepted=(b"OFF", b"0"),
            within_s=within_s,
        ),
    )


def off_commands(address: str, within_s: float) -> TcpSafeCommands:
    """Return the safe commands for the guard's own connection to the supply.

    Its query is sent well before the instrument closes an idle connection, and before its interface supervision ends
    (`ea_settings`), which counts the messages of all connections.
    """
    return TcpSafeCommands(
        address=address,
        keep_alive=codec.message(LOCK_OWNER.ask()),
        keep_alive_s=IDLE_CLOSE_S / 5.0,
        steps=off_steps(within_s),
        gap_s=GAP_S,
    )
