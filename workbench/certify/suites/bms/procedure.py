"""What the cases of this suite have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.channel_names import BMS_FAULT, BMS_FAULT_CELL, CONTACTOR
from workbench.certify.limits import LIMITS

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.limits import ProtectionLevel
    from workbench.certify.record import Record
    from workbench.certify.seen import ReportedFault, Stimulus


def stays_closed(bench: CaseBench, rec: Record, inside: Stimulus, seconds: float) -> None:
    """Just inside of a limit nothing happens."""
    bench.hold(seconds)
    closed = bench.closed_since(inside.begin_s)
    rec.check("closed just inside the limit", closed, "1", lo=1.0, at_s=inside.end_s, channel=inside.channel)


def opens_in_time(
    bench: CaseBench, rec: Record, beyond: Stimulus, level: ProtectionLevel, name: str = "limit to contact"
) -> None:
    """Not before the debounce is over, and not long after."""
    opened = bench.opening(beyond, max(bench.device.open_s, 2.0 * level.latest_s))
    rec.reaction(name, beyond, opened, earliest_s=level.earliest_s, latest_s=level.latest_s)


def opens(bench: CaseBench, rec: Record, beyond: Stimulus) -> None:
    """The contact opens, whenever."""
    opened = bench.opening(beyond, bench.device.open_s)
    at_s = beyond.end_s if opened is None else opened.at_s
    rec.check("contactor opens", opened is not None, "1", lo=1.0, at_s=at_s, channel=CONTACTOR)


def tells(
    bench: CaseBench, rec: Record, beyond: Stimulus, fault: str, within_s: float = LIMITS.tell_s
) -> ReportedFault | None:
    """The device says what happened; what it said."""
    told = bench.told(beyond.begin_s, within_s)
    says(rec, told, fault, beyond.end_s)
    return told


def says(rec: Record, told: ReportedFault | None, fault: str, asked_s: float) -> None:
    """What it said is the fault that happened; `asked_s` is when it might have begun to."""
    right = told is not None and told.fault == fault
    rec.check(f"tells {fault}", right, "1", lo=1.0, at_s=told.at_s if told else asked_s, channel=BMS_FAULT)


def names(
    rec: Record, told: ReportedFault | None, what: str, number: int, asked_s: float, *, promised: bool = True
) -> None:
    """It named the right place; one whose profile promises none is not judged."""
    if not promised:
        rec.not_applicable(f"names the {what}", f"the device profile says that this fault names no {what}")
        return
    place, at_s = (told.place, told.at_s) if told else (0, asked_s)
    rec.check(f"names the {what}", place, "1", lo=number, hi=number, at_s=at_s, channel=BMS_FAULT_CELL)
