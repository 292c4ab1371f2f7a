"""Over- and under-voltage of every cell: in time, not before its debounce, the right cell named, latched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workbench.certify.case import case
from workbench.certify.limits import LIMITS

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.limits import Level
    from workbench.certify.record import Record

OPENS_S = 2.0  # who has not opened by then does not
DARK_S = 0.5


@case("OV-01", refs=["IEC 62619 8.2.2"], hazard="H1 overcharge")
@pytest.mark.parametrize("cell", LIMITS.cells)
def test_overvoltage_opens_the_contactors(bench: CaseBench, cell: int, rec: Record) -> None:
    """A cell above its limit opens the contactors, in time and by its name."""
    beyond_the_limit(bench, cell, rec, LIMITS.overvoltage, "CELL_OVERVOLTAGE")


@case("UV-01", hazard="H2 over-discharge")
@pytest.mark.parametrize("cell", LIMITS.cells)
def test_undervoltage_opens_the_contactors(bench: CaseBench, cell: int, rec: Record) -> None:
    """A cell below its limit opens the contactors, in time and by its name."""
    beyond_the_limit(bench, cell, rec, LIMITS.undervoltage, "CELL_UNDERVOLTAGE")


@case("OV-02", refs=["IEC 62619 8.2.2"], hazard="H1 overcharge")
@pytest.mark.parametrize("cell", LIMITS.cells[:1])
def test_overvoltage_is_latched(bench: CaseBench, cell: int, rec: Record) -> None:
    """An over-voltage outlives a power cycle."""
    outlives_a_power_cycle(bench, cell, rec, LIMITS.overvoltage, "CELL_OVERVOLTAGE")


@case("UV-02", hazard="H2 over-discharge")
@pytest.mark.parametrize("cell", LIMITS.cells[-1:])
def test_undervoltage_is_latched(bench: CaseBench, cell: int, rec: Record) -> None:
    """An under-voltage outlives a power cycle."""
    outlives_a_power_cycle(bench, cell, rec, LIMITS.undervoltage, "CELL_UNDERVOLTAGE")


def beyond_the_limit(bench: CaseBench, cell: int, rec: Record, level: Level, fault: str) -> None:
    """Just inside nothing happens; just beyond the contactors open and the cell is named."""
    inside = bench.cell(cell, level.inside)
    bench.hold(2.0 * level.debounce_s)
    rec.check(
        "closed just inside the limit", float(bench.closed_since(inside.begin_s)), "1", lo=1.0, channel=inside.channel
    )
    beyond = bench.cell(cell, level.beyond, past=level.bound)
    rec.reaction(
        "limit to contact", bench.opening(beyond, OPENS_S), earliest_s=level.earliest_s, latest_s=level.latest_s
    )
    told = bench.told(beyond.begin_s, LIMITS.tell_s)
    rec.check(f"tells {fault}", float(told is not None and told.fault == fault), "1", lo=1.0, channel="bms/fault")
    rec.check("names the cell", told.place if told else 0.0, "1", lo=cell, hi=cell)


def outlives_a_power_cycle(bench: CaseBench, cell: int, rec: Record, level: Level, fault: str) -> None:
    """Tripped, cell healthy again, power off and on: still tripped, and a close is refused."""
    beyond = bench.cell(cell, level.beyond, past=level.bound)
    rec.check("contactor opens", float(bench.opening(beyond, OPENS_S) is not None), "1", lo=1.0)
    bench.rest()
    bench.power(on=False)
    bench.hold(DARK_S)
    bench.power(on=True)
    told = bench.told(bench.now_s(), OPENS_S)
    rec.check(f"still tells {fault}", float(told is not None and told.fault == fault), "1", lo=1.0, channel="bms/fault")
    asked = bench.request("none")
    bench.request("close")
    bench.hold(OPENS_S)
    rec.check("refuses to close", float(bench.closed_ever(asked.begin_s)), "1", hi=0.0, channel="io/contactor")
