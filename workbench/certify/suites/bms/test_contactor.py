"""The auxiliary contact of the main contactor: one that disagrees is a welded or a stuck contactor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.certify.case import case
from workbench.certify.limits import LIMITS
from workbench.certify.suites.bms import procedure

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.record import Record


@case("FB-01", hazard="H5 contactor does not open", limit_s=LIMITS.case_s)
@pytest.mark.parametrize("held", ["open", "closed"])
def test_contactor_feedback_stuck(bench: CaseBench, held: str, rec: Record) -> None:
    """An auxiliary contact that disagrees with the contactor is reported, and nothing stays closed."""
    level = LIMITS.feedback
    disagrees = bench.auxiliary(held)
    if held == "closed":
        disagrees = bench.request("open")
        procedure.check_opens(bench, rec, disagrees)
    else:
        procedure.check_opens_in_time(bench, rec, disagrees, level, "disagreement to contact")
    procedure.check_fault_reported(bench, rec, disagrees, level.fault, level.latest_s + LIMITS.tell_s)
