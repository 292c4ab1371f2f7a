"""Over-temperature at every sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.certify.case import case
from workbench.certify.limits import LIMITS

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.record import Record

OPENS_S = 4.0


@case("OT-01", refs=["IEC 62619 8.2.4"], hazard="H6 overheating")
@pytest.mark.parametrize("sensor", LIMITS.sensors)
def test_overtemperature_opens_the_contactors(bench: CaseBench, sensor: int, rec: Record) -> None:
    """A sensor above its limit opens the contactors, in time and by its name."""
    level = LIMITS.overtemperature
    inside = bench.sensor(sensor, level.inside)
    bench.hold(1.2 * level.debounce_s)
    rec.check(
        "closed just inside the limit", float(bench.closed_since(inside.begin_s)), "1", lo=1.0, channel=inside.channel
    )
    beyond = bench.sensor(sensor, level.beyond, past=level.bound)
    rec.reaction(
        "limit to contact", bench.opening(beyond, OPENS_S), earliest_s=level.earliest_s, latest_s=level.latest_s
    )
    told = bench.told(beyond.begin_s, LIMITS.tell_s)
    rec.check(
        "tells OVERTEMPERATURE",
        float(told is not None and told.fault == "OVERTEMPERATURE"),
        "1",
        lo=1.0,
        channel="bms/fault",
    )
    rec.check("names the sensor", told.place if told else 0.0, "1", lo=sensor, hi=sensor)
