"""A model over a log counts the charge of the cell between its cut-offs, not of its name plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.benchfile.cell_file import CELLS, find_cell, read_cell
from drivers.logs.log import read_log
from twin.cell_parameters import make_parameters
from workbench.modelling.log_twin import lay_twin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("model", ["ecm", "spme"])
def test_every_model_counts_the_same_charge(tmp_path: Path, model: str) -> None:
    cell = read_cell(find_cell("marquis2019", CELLS))  # 5 Ah by name, 6.4 Ah between its cut-offs
    parameters = make_parameters(cell)
    rows = "\n".join(f"{60 * k},{4.1 - 0.02 * k:.3f},-5.0,25.0" for k in range(11))
    log = tmp_path / "log.csv"
    log.write_text(f"Test_Time(s),Voltage(V),Current(A),Temperature (C)\n{rows}\n")
    twin = lay_twin(read_log(log, sign="charge"), cell, model, 0.9)
    fell = np.asarray(twin.columns["soc"])[0] - np.asarray(twin.columns["soc"])[-1]
    assert parameters.capacity_ah / parameters.nominal_ah > 1.2
    assert fell == pytest.approx(5.0 * 600.0 / 3600.0 / parameters.capacity_ah, rel=0.01)
