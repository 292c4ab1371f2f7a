"""An open sense wire, from power-up on: a cell simulator's fault relay moves only while its output is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.channel_names import CONTACTOR
from workbench.certify.case import case
from workbench.certify.limits import LIMITS
from workbench.certify.suites.bms import procedure

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.record import Record


@case("OW-01", hazard="H7 cell not measured", limit_s=LIMITS.case_s)
@pytest.mark.parametrize("cell", sorted({LIMITS.cells[0], LIMITS.cells[len(LIMITS.cells) // 2], LIMITS.cells[-1]}))
def test_open_wire_keeps_the_contactors_open(bench: CaseBench, cell: int, rec: Record) -> None:
    """With an open wire the device never closes, and names the cell."""
    level = LIMITS.open_wire
    reported = bench.arm_with_open_wire(cell)
    procedure.check_fault_code(rec, reported, level.fault, bench.zero_s)
    procedure.check_fault_cell(rec, reported, "cell", cell, bench.zero_s, promised=level.names_place)
    rec.check("never closed", float(bench.was_ever_closed(bench.zero_s)), "1", hi=0.0, channel=CONTACTOR)
