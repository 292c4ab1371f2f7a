"""`twin`: a model of the cell laid over a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drivers.benchfile.cell_file import find_cell, read_cell
from drivers.errors import Usage
from drivers.output_file import refuse_outputs
from workbench.modelling.log_twin import MODELS, lay_twin
from workbench.modelling.result_table import refuse_suffix, spread_rows, write_table
from workbench.progress_bar import show_progress
from workbench.verbs.estimate import describe_log, find_degc

if TYPE_CHECKING:
    from workbench.modelling.log_choice import LogChoice
    from workbench.report import Report


def main(report: Report, chosen: LogChoice, cell: str, out: Path, model: str, *, soc0: float | None) -> bool:
    """Run the model, write a row for each row of the log, and report both errors."""
    if model not in MODELS:
        known = ", ".join(MODELS)
        raise Usage(f"there is no model {model!r}", key="model", value=model, bound=known, hint=f"name one of {known}")
    refuse_suffix(out)
    path = find_cell(cell, Path())
    refuse_outputs([out], [chosen.path, path])
    parameters = read_cell(path)
    with show_progress(f"{model} over {chosen.path.name}") as progress:
        log = chosen.read()
        twin = lay_twin(log, parameters, model, soc0, progress)
    about = {"schema": "pulsebms.twin/1", "model": model, "cell": parameters.file.name, "sha256": parameters.sha256}
    write_table(out, spread_rows(log, twin.columns), about)
    for note in (*log.notes, *twin.notes):
        report.line(note)
    volts, kelvins = twin.voltage_score, twin.temperature_score
    rows = int(twin.scored.sum())
    report.line(f"{model}: voltage RMSE above 20 % SoC, {rows} rows: {volts.words(1e3, 'mV', 1)}")
    if kelvins is not None:
        report.line(f"{model}: temperature RMSE: {kelvins.words(1.0, 'K', 2)}")
    report.line(f"wrote {out}")
    report.body.update(describe_log(log), cell=parameters.file.name, model=model, file=str(out))
    report.body.update(rmse_mv={find_degc(log): volts.scale(1e3)}, coverage=volts.coverage, reason=volts.reason)
    report.body.update(rmse_k=None if kelvins is None else kelvins.value, soc0=twin.start.soc)
    report.body.update({} if kelvins is None else {"coverage_k": kelvins.coverage, "reason_k": kelvins.reason})
    report.body.update(split={"fit": [], "held": [str(log.path)]}, twin_notes=list(twin.notes))
    return True
