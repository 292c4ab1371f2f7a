"""Over- and under-voltage of every cell: in time, not before its debounce, the right cell named, latched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.channel_names import CONTACTOR
from workbench.certify.case import case
from workbench.certify.limits import LIMITS
from workbench.certify.observations import Stimulus
from workbench.certify.suites.bms import procedure

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.limits import ProtectionLevel
    from workbench.certify.record import Record

DARK_S = 0.5


@case("OV-01", refs=["IEC 62619 8.2.2"], hazard="H1 overcharge", limit_s=LIMITS.case_s)
@pytest.mark.parametrize("cell", LIMITS.cells)
def test_overvoltage_opens_the_contactors(bench: CaseBench, cell: int, rec: Record) -> None:
    """A cell above its limit opens the contactors in time, and the device names the cell."""
    check_beyond_limit(bench, cell, rec, LIMITS.overvoltage)


@case("UV-01", hazard="H2 over-discharge", limit_s=LIMITS.case_s)
@pytest.mark.parametrize("cell", LIMITS.cells)
def test_undervoltage_opens_the_contactors(bench: CaseBench, cell: int, rec: Record) -> None:
    """A cell below its limit opens the contactors in time, and the device names the cell."""
    check_beyond_limit(bench, cell, rec, LIMITS.undervoltage)


@case("OV-02", refs=["IEC 62619 8.2.2"], hazard="H1 overcharge", limit_s=LIMITS.case_s)
@pytest.mark.parametrize("cell", LIMITS.cells[:1])
def test_overvoltage_is_latched(bench: CaseBench, cell: int, rec: Record) -> None:
    """An over-voltage fault survives a power cycle."""
    check_outlives_power_cycle(bench, cell, rec, LIMITS.latching("cell_overvoltage"))


@case("UV-02", hazard="H2 over-discharge", limit_s=LIMITS.case_s)
@pytest.mark.parametrize("cell", LIMITS.cells[-1:])
def test_undervoltage_is_latched(bench: CaseBench, cell: int, rec: Record) -> None:
    """An under-voltage fault survives a power cycle."""
    check_outlives_power_cycle(bench, cell, rec, LIMITS.latching("cell_undervoltage"))


def check_beyond_limit(bench: CaseBench, cell: int, rec: Record, level: ProtectionLevel) -> None:
    """Check that nothing happens just inside; that just beyond, the contactors open and the device names the cell."""
    procedure.check_stays_closed(bench, rec, bench.cell(cell, level.inside), 2.0 * level.debounce_s)
    beyond = bench.cell(cell, level.beyond, past=level.bound)
    procedure.check_opens_in_time(bench, rec, beyond, level)
    reported = procedure.check_fault_reported(bench, rec, beyond, level.fault)
    procedure.check_fault_cell(rec, reported, "cell", cell, beyond.end_s, promised=level.names_place)


def check_outlives_power_cycle(bench: CaseBench, cell: int, rec: Record, level: ProtectionLevel) -> None:
    """Trip, make the cell healthy, cycle the power: the device must still be tripped and refuse a close."""
    procedure.check_opens(bench, rec, bench.cell(cell, level.beyond, past=level.bound))
    bench.rest()
    bench.power(on=False)
    bench.hold(DARK_S)
    bench.power(on=True)
    awake_s = bench.now_s()
    procedure.check_fault_reported(bench, rec, Stimulus(awake_s, awake_s), level.fault, bench.device.healthy_s)
    bench.request("none")
    asked = bench.request("close")
    bench.hold(bench.device.close_s)
    closed = bench.was_ever_closed(asked.begin_s)
    rec.check("refuses to close", closed, "1", hi=0.0, at_s=asked.end_s, channel=CONTACTOR)
