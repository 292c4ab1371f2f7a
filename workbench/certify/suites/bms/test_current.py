"""Over-current in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.certify.case import case
from workbench.certify.limits import LIMITS
from workbench.certify.suites.bms import procedure

if TYPE_CHECKING:
    from workbench.certify.bench import CaseBench
    from workbench.certify.limits import ProtectionLevel
    from workbench.certify.record import Record

STEADY_S = 0.4


@case("OC-01", refs=["IEC 62619 8.2.3"], hazard="H1 overcharge", limit_s=LIMITS.case_s)
def test_overcurrent_in_charge(bench: CaseBench, rec: Record) -> None:
    """Charge beyond the limit opens the contactors in time."""
    check_beyond_limit(bench, rec, LIMITS.charge)


@case("OC-02", hazard="H3 overload", limit_s=LIMITS.case_s)
def test_overcurrent_in_discharge(bench: CaseBench, rec: Record) -> None:
    """Discharge beyond the limit opens the contactors in time."""
    check_beyond_limit(bench, rec, LIMITS.discharge)


def check_beyond_limit(bench: CaseBench, rec: Record, level: ProtectionLevel) -> None:
    """Check that nothing happens just inside, and that the contactors open just beyond."""
    procedure.check_stays_closed(bench, rec, bench.current(level.inside), max(STEADY_S, 2.0 * level.debounce_s))
    beyond = bench.current(level.beyond, past=level.bound)
    procedure.check_opens_in_time(bench, rec, beyond, level)
    procedure.check_fault_reported(bench, rec, beyond, level.fault)
