"""A tester that falls silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.certify.case import case
from workbench.certify.limits import LIMITS

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.record import Record

OPENS_S = 3.0


@case("HB-01", hazard="H4 nobody is in control")
def test_lost_heartbeat_opens_the_contactors(bench: CaseBench, rec: Record) -> None:
    """A heartbeat that stops opens the contactors once its time is over."""
    level = LIMITS.heartbeat
    silent = bench.heartbeat(on=False)
    rec.reaction(
        "last beat to contact", bench.opening(silent, OPENS_S), earliest_s=level.earliest_s, latest_s=level.latest_s
    )
    told = bench.told(silent.begin_s, LIMITS.tell_s)
    rec.check(
        "tells HEARTBEAT_LOST",
        float(told is not None and told.fault == "HEARTBEAT_LOST"),
        "1",
        lo=1.0,
        channel="bms/fault",
    )
