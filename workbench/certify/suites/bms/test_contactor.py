"""The auxiliary contact of the main contactor: one that disagrees is a welded or a stuck contactor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.certify.case import case
from workbench.certify.limits import LIMITS

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.record import Record

OPENS_S = 2.0


@case("FB-01", hazard="H5 contactor does not open")
@pytest.mark.parametrize("held", ["open", "closed"])
def test_contactor_feedback_stuck(bench: CaseBench, held: str, rec: Record) -> None:
    """An auxiliary contact that disagrees with the contactor is told, and nothing stays closed."""
    disagrees = bench.auxiliary(held)
    if held == "closed":
        disagrees = bench.request("open")
        rec.check("contactor opens", float(bench.opening(disagrees, OPENS_S) is not None), "1", lo=1.0)
    else:
        level = LIMITS.feedback
        opened = bench.opening(disagrees, OPENS_S)
        rec.reaction("disagreement to contact", opened, earliest_s=level.earliest_s, latest_s=level.latest_s)
    told = bench.told(disagrees.begin_s, LIMITS.feedback.latest_s + LIMITS.tell_s)
    says = float(told is not None and told.fault == "CONTACTOR_WELDED")
    rec.check("tells CONTACTOR_WELDED", says, "1", lo=1.0, channel="bms/fault")
