"""`fit`: a cell file from the tests that a laboratory made of the cell."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile.cell_file import find_cell, read_cell
from drivers.benchfile.cell_writer import write_cell
from drivers.logs.test_list import read_test_list
from drivers.output_file import refuse_outputs
from workbench.modelling.cell_fit import count_repairs, fit_cell
from workbench.progress_bar import show_progress

if TYPE_CHECKING:
    from workbench.modelling.cell_fit import CellFit, ScoredTest
    from workbench.report import Report

MOST_UNSETTLED: Final = 12  # that are printed: the object has all
ZERO_C_K: Final = 273.15


def main(report: Report, tests: Path, out: Path, beside: str = "") -> bool:
    """Fit, write the cell file, and report the error on each test; raise `BenchFileError` or `LogError`.

    `beside`: another cell to score on the same tests; empty for none.
    """
    listed = read_test_list(tests)
    other = find_cell(beside, Path()) if beside else None
    refuse_outputs([out], [tests, *(test.path for test in listed.tests), *([] if other is None else [other])])
    with show_progress(f"fitting {listed.cell.name}") as progress:
        fit = fit_cell(listed, progress, None if other is None else read_cell(other))
    write_cell(fit.file, out)
    _print(report, fit)
    report.line(f"wrote {out}")
    report.body.update(_describe(fit), file=str(out))
    return True


def _describe(fit: CellFit) -> dict[str, Any]:
    """Return the object's keys; `rmse_mv` is that of the held tests, or of the fitted ones where none is held."""
    fitted, held = fit.find_rmse(held=False), fit.find_rmse(held=True)
    logs = [score.log for score in fit.scores]
    return {
        "cell": fit.file.name,
        "capacity_ah": fit.file.capacity_ah,
        "rmse_mv": held or fitted,
        "rmse_fit_mv": fitted,
        "split": {
            name: [score.test.listed.file for score in fit.scores if score.test.listed.held is is_held]
            for name, is_held in (("fit", False), ("held", True))
        },
        "tests": [_describe_test(score) for score in fit.scores],
        "rows_in": sum(len(log) for log in logs),
        "rows_repaired": count_repairs(logs),
        "current_sign": {score.test.listed.file: score.log.positive for score in fit.scores},
        "soc0": 1.0,
        "settled_share": fit.settled_share,
        "identifiability": [
            {"parameter": one.parameter, "temperature_degc": one.temperature_degc, "soc": one.soc, "std": one.std}
            for one in fit.unsettled
        ],
        "notes": list(fit.notes),
    }


def _describe_test(score: ScoredTest) -> dict[str, Any]:
    listed = score.test.listed
    return {
        "file": listed.file,
        "kind": listed.kind,
        "temperature_degc": round(score.kelvin - ZERO_C_K, 2),
        "held": listed.held,
        "rows": score.rows,
        "rmse_mv": 1e3 * score.rmse_v,
        "beside_rmse_mv": 1e3 * score.beside_rmse_v,
        "sampling": "means" if score.averaged else "instants",
        "notes": list(score.log.notes),
    }


def _print(report: Report, fit: CellFit) -> None:
    for note in fit.notes:
        report.line(note)
    for score in fit.scores:
        listed = score.test.listed
        place = f"{score.kelvin - ZERO_C_K:4.0f} degC  {listed.kind:<8}"
        error = f"{1e3 * score.rmse_v:6.1f} mV" if score.rows else "no rows above 20 % SoC"
        if isfinite(score.beside_rmse_v):
            error += f" (before {1e3 * score.beside_rmse_v:.1f} mV)"
        report.line(f"{place}  {'held' if listed.held else 'fit ':<4}  {error}  {listed.file}")
    for held, words in ((False, "fitted"), (True, "held")):
        if rmse := fit.find_rmse(held=held):
            told = ", ".join(f"{degc} degC {error_mv:.1f} mV" for degc, error_mv in rmse.items())
            report.line(f"voltage RMSE above 20 % SoC, {words} tests: {told}")
    report.line(f"the tests settled {100 * fit.settled_share:.0f} % of the parameters; the others follow smoothly")
    for one in fit.unsettled[:MOST_UNSETTLED]:
        report.line(f"  {one.sentence}")
    if len(fit.unsettled) > MOST_UNSETTLED:
        report.line(f"  and {len(fit.unsettled) - MOST_UNSETTLED} more: see identifiability with --json")
