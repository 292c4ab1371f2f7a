"""Every shipped cell on the shipped bench, from connect to bundle: its file changes by `cell` and `parallel` alone.

The sodium-ion cell has no SPMe, so its bench lacks that lane.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.benchfile.cell_file import list_cells
from drivers.benchfile.copy import copy_bench
from tests.twin.test_shipped_cells import SODIUM
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.selftest.context import SelftestContext
from workbench.selftest.steps import select_steps

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.whole_bench, pytest.mark.soak, pytest.mark.timeout(600)]
SPME = '[[lane]]\nrole = "twin"\nname = "SPMe pack"\nmodule = "twin.spme"\nactive = true\n'
ECM = 'module = "twin.ecm"\n'
STEPS = ("connect", "arm", "run", "certify", "bundle")


@pytest.mark.parametrize("cell", list_cells())
def test_a_bench_takes_another_cell_by_two_words(cell: str, tmp_path: Path) -> None:
    bench = copy_bench(EMULATED_BENCH, tmp_path / "bench")[0]
    text = bench.read_text(encoding="utf-8")
    words = [('cell = "chen2020"', f'cell = "{cell}"'), ("parallel = 12", "parallel = 10")]
    if cell == SODIUM:
        words += [(SPME, ""), (ECM, f"{ECM}active = true\n")]
    for before, after in words:
        assert text.count(before) == 1
        text = text.replace(before, after)
    bench.write_text(text, encoding="utf-8")
    walked = SelftestContext(tmp_path / "out", bench, "", print)
    try:
        for _, step in (one for name in STEPS for one in select_steps(name)):
            finding = step.run(walked)
            assert finding.ok is not False, finding
    finally:
        walked.close_session()
        walked.chain.close()
