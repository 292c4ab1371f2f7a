"""Over-current in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.certify.case import case
from workbench.certify.limits import LIMITS

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.limits import Level
    from workbench.certify.record import Record

OPENS_S = 2.0
STEADY_S = 0.4


@case("OC-01", refs=["IEC 62619 8.2.3"], hazard="H1 overcharge")
def test_overcurrent_in_charge(bench: CaseBench, rec: Record) -> None:
    """Charge beyond the limit opens the contactors in time."""
    beyond_the_limit(bench, rec, LIMITS.charge, "OVERCURRENT_CHARGE")


@case("OC-02", hazard="H3 overload")
def test_overcurrent_in_discharge(bench: CaseBench, rec: Record) -> None:
    """Discharge beyond the limit opens the contactors in time."""
    beyond_the_limit(bench, rec, LIMITS.discharge, "OVERCURRENT_DISCHARGE")


def beyond_the_limit(bench: CaseBench, rec: Record, level: Level, fault: str) -> None:
    """Just inside nothing happens; just beyond the contactors open."""
    inside = bench.current(level.inside)
    bench.hold(STEADY_S)
    rec.check(
        "closed just inside the limit", float(bench.closed_since(inside.begin_s)), "1", lo=1.0, channel=inside.channel
    )
    beyond = bench.current(level.beyond, past=level.bound)
    rec.reaction(
        "limit to contact", bench.opening(beyond, OPENS_S), earliest_s=level.earliest_s, latest_s=level.latest_s
    )
    told = bench.told(beyond.begin_s, LIMITS.tell_s)
    rec.check(f"tells {fault}", float(told is not None and told.fault == fault), "1", lo=1.0, channel="bms/fault")
