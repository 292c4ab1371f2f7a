"""The checks that the cases of this suite share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.channel_names import BMS_FAULT, BMS_FAULT_CELL, CONTACTOR
from workbench.certify.limits import LIMITS

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.limits import ProtectionLevel
    from workbench.certify.observations import ReportedFault, Stimulus
    from workbench.certify.record import Record


def check_stays_closed(bench: CaseBench, rec: Record, inside: Stimulus, seconds: float) -> None:
    """Check that the contact stays closed just inside a limit."""
    bench.hold(seconds)
    closed = bench.is_closed_since(inside.begin_s)
    rec.check("closed just inside the limit", closed, "1", lo=1.0, at_s=inside.end_s, channel=inside.channel)


def check_opens_in_time(
    bench: CaseBench, rec: Record, beyond: Stimulus, level: ProtectionLevel, name: str = "limit to contact"
) -> None:
    """Check that the contact opens not before the debounce ended, and not long after."""
    opened = bench.opening(beyond, max(bench.device.open_s, 2.0 * level.latest_s))
    rec.reaction(name, beyond, opened, earliest_s=level.earliest_s, latest_s=level.latest_s)


def check_opens(bench: CaseBench, rec: Record, beyond: Stimulus) -> None:
    """Check that the contact opens, at any time."""
    opened = bench.opening(beyond, bench.device.open_s)
    at_s = beyond.end_s if opened is None else opened.at_s
    rec.check("contactor opens", opened is not None, "1", lo=1.0, at_s=at_s, channel=CONTACTOR)


def check_fault_reported(
    bench: CaseBench, rec: Record, beyond: Stimulus, fault: str, within_s: float = LIMITS.tell_s
) -> ReportedFault | None:
    """Check that the device reports the fault; return what it reported."""
    reported = bench.wait_for_fault(beyond.begin_s, within_s)
    check_fault_code(rec, reported, fault, beyond.end_s)
    return reported


def check_fault_code(rec: Record, reported: ReportedFault | None, fault: str, asked_s: float) -> None:
    """Check that the reported fault is the one that happened; `asked_s`: the earliest time of the report."""
    right = reported is not None and reported.fault == fault
    rec.check(f"reports {fault}", right, "1", lo=1.0, at_s=reported.at_s if reported else asked_s, channel=BMS_FAULT)


def check_fault_cell(
    rec: Record, reported: ReportedFault | None, what: str, number: int, asked_s: float, *, promised: bool = True
) -> None:
    """Check that the device named the right place; do not judge it where the profile promises none."""
    if not promised:
        rec.not_applicable(f"names the {what}", f"the device profile declares that this fault names no {what}")
        return
    place, at_s = (reported.place, reported.at_s) if reported else (0, asked_s)
    rec.check(f"names the {what}", place, "1", lo=number, hi=number, at_s=at_s, channel=BMS_FAULT_CELL)
