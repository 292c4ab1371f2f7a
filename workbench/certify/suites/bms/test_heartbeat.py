"""A tester that falls silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.certify.case import case
from workbench.certify.limits import LIMITS
from workbench.certify.suites.bms import procedure

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.record import Record


@case("HB-01", hazard="H4 loss of control", limit_s=LIMITS.case_s)
def test_lost_heartbeat_opens_the_contactors(bench: CaseBench, rec: Record) -> None:
    """A heartbeat that stops opens the contactors after its timeout."""
    level = LIMITS.heartbeat
    silent = bench.heartbeat(on=False)
    procedure.check_opens_in_time(bench, rec, silent, level, "last beat to contact")
    procedure.check_fault_reported(bench, rec, silent, level.fault)
