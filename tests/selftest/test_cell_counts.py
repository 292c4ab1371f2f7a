"""Benches of other cell counts than 24: connected, armed and run, and the bench of 16 cells to the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from control.state import BenchState
from drivers.channel_names import cell_voltage, sensed_voltage
from tests.waiting import wait_until
from tests.workbench.cell_counts import LFP16, make_bench
from tests.workbench.live import channel, pass_ticks
from workbench.certificates.results import Verdict
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification, find_suite
from workbench.selftest.context import SelftestContext
from workbench.selftest.steps import select_steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.whole_bench


@pytest.fixture(scope="module")
def lfp16(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SelftestContext]:
    walked = SelftestContext(tmp_path_factory.mktemp("lfp16"), LFP16, "", print)
    yield walked
    walked.close_session()
    walked.chain.close()


@pytest.mark.timed
@pytest.mark.parametrize("name", ["connect", "arm", "run", "fault", "certify", "bundle", "edge"])
def test_a_step_of_the_selftest_holds_on_a_bench_of_16_cells(lfp16: SelftestContext, name: str) -> None:
    ((_, step),) = select_steps(name)
    finding = step.run(lfp16)
    assert finding.ok is not False, finding


@pytest.mark.parametrize("cells", [1, 7])
def test_a_bench_of_any_count_arms_and_runs(tmp_path: Path, cells: int) -> None:
    walked = SelftestContext(tmp_path / "out", make_bench(tmp_path / "bench", cells), "", print)
    try:
        session = walked.bring_to(BenchState.RUNNING)
        pass_ticks(session, 200)
        for number in (1, cells):
            assert channel(session, sensed_voltage(number)) == pytest.approx(
                channel(session, cell_voltage(number)), abs=0.02
            )
        assert channel(session, "bms/pack_voltage") == pytest.approx(
            sum(channel(session, cell_voltage(number)) for number in range(1, cells + 1)), abs=0.1
        )
    finally:
        walked.close_session()


def test_a_sensor_that_shares_its_cell_with_another_is_certified_by_itself(tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "bench", 7)
    (tmp_path / "out").mkdir()
    certification = Certification(find_suite("bms"), CertificationJob(bench, tmp_path / "out", ("OT-01/8",)))

    def is_done() -> bool:
        certification.poll()
        return certification.done

    try:
        wait_until(is_done, 60.0, "the end of the case")
    finally:
        certification.close()
    (ran,) = (case for case in certification.cases if case.verdict is not None)
    assert (ran.name, ran.verdict) == ("OT-01/8", Verdict.PASS), ran.reason
