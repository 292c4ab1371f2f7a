"""The log of a pack is refused as that of a cell, and read as its mean cell where its cells are stated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import LogError
from workbench.modelling.log_choice import LogChoice
from workbench.modelling.one_cell import require_one_cell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pack_log(tmp_path: Path) -> Path:
    """A minute of 96 cells in series and 12 in parallel: 3.9 V each, then under 2 A each."""
    rows = [
        f"{t},{96 * (3.9 - 0.05 * (t >= 30)):.2f},{12 * 2.0 * (t >= 30):.1f},{-0.4 * max(0, t - 30) / 60}"
        for t in range(60)
    ]
    path = tmp_path / "trip.csv"
    path.write_text("time_s,voltage_v,current_a,ah\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_pack_is_no_cell(pack_log: Path) -> None:
    with pytest.raises(
        LogError, match=r"median voltage of 372 V, .* 2.5 to 4.2 V; .*\(89 to 148 of these\): --series N"
    ):
        require_one_cell(LogChoice(pack_log, sign="discharge").read(), 2.5, 4.2)


def test_another_quantity_is_no_voltage_of_a_cell(pack_log: Path) -> None:
    log = LogChoice(pack_log, sign="discharge", series=400).read()
    with pytest.raises(LogError, match="name another column") as caught:
        require_one_cell(log, 2.5, 4.2)
    assert "--series" not in str(caught.value)


def test_the_mean_cell_of_a_pack_is_read_and_said(pack_log: Path) -> None:
    whole = LogChoice(pack_log, sign="discharge").read()
    cell = LogChoice(pack_log, sign="discharge", series=96, parallel=12).read()
    require_one_cell(cell, 2.5, 4.2)
    np.testing.assert_allclose(cell.voltage_v, whole.voltage_v / 96)
    np.testing.assert_allclose(cell.current_a, whole.current_a / 12)
    assert cell.ah is not None
    assert whole.ah is not None
    np.testing.assert_allclose(cell.ah, whole.ah / 12)
    assert cell.notes[-1] == "the mean cell of 96 in series and 12 in parallel"
