"""Over-temperature at every sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.certify.case import case
from workbench.certify.limits import LIMITS
from workbench.certify.suites.bms import procedure

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.record import Record


@case("OT-01", refs=["IEC 62619 8.2.4"], hazard="H6 overheating", limit_s=LIMITS.case_s)
@pytest.mark.parametrize("sensor", LIMITS.sensors)
def test_overtemperature_opens_the_contactors(bench: CaseBench, sensor: int, rec: Record) -> None:
    """A sensor above its limit opens the contactors in time, and the device names the sensor."""
    level = LIMITS.overtemperature
    procedure.check_stays_closed(bench, rec, bench.sensor(sensor, level.inside), 1.2 * level.debounce_s)
    beyond = bench.sensor(sensor, level.beyond, past=level.bound)
    procedure.check_opens_in_time(bench, rec, beyond, level)
    reported = procedure.check_fault_reported(bench, rec, beyond, level.fault)
    procedure.check_fault_cell(rec, reported, "sensor", sensor, beyond.end_s, promised=level.names_place)
