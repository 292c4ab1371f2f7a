"""`estimate`: the state of charge along a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.benchfile.cell_file import find_cell, read_cell
from drivers.channel_names import GROWTH, SOH
from drivers.errors import Usage
from drivers.output_file import refuse_outputs
from workbench.modelling.log_estimate import LANES, estimate_log
from workbench.modelling.log_health import NAMES
from workbench.modelling.result_table import refuse_suffix, spread_rows, write_table
from workbench.progress_bar import show_progress

if TYPE_CHECKING:
    from drivers.logs.log import CellLog
    from workbench.modelling.log_choice import LogChoice
    from workbench.modelling.log_estimate import LogEstimate
    from workbench.report import Report

ZERO_C_K = 273.15


def main(report: Report, chosen: LogChoice, cell: str, out: Path, lane: str, *, soc0: float | None) -> bool:
    """Estimate, write a row for each row of the log, and report; raise `LogError` or `BenchFileError`."""
    if lane not in LANES:
        known = ", ".join(LANES)
        raise Usage(f"there is no lane {lane!r}", key="lane", value=lane, bound=known, hint=f"name one of {known}")
    refuse_suffix(out)
    path = find_cell(cell, Path())
    refuse_outputs([out], [chosen.path, path])
    parameters = read_cell(path)
    with show_progress(f"estimating {chosen.path.name}") as progress:
        log = chosen.read()
        estimate = estimate_log(log, parameters, lane, soc0, progress, power=True, health=True)
    health = _describe_health(estimate)
    about = {"schema": "pulsebms.estimate/1", "lane": lane, "cell": parameters.file.name, "sha256": parameters.sha256}
    about |= {key: reason for key, reason in health.items() if key.endswith("_reason") and reason}
    write_table(out, spread_rows(log, estimate.columns), about)
    for note in (*log.notes, *estimate.notes):
        report.line(note)
    soc, std = estimate.columns["soc"], estimate.columns["soc_std"]
    report.line(f"{lane}: {100 * soc[0]:.1f} to {100 * soc[-1]:.1f} % SoC, deviation at the end {100 * std[-1]:.1f} %")
    report.line(f"voltage RMSE of the model above 20 % SoC: {estimate.voltage_score.words(1e3, 'mV', 1)}")
    report.line(f"capacity over that of the cell file: {_word_health(health, SOH)}")
    report.line(f"growth of the resistance (1: as the cell file): {_word_health(health, GROWTH)}")
    if bool(np.any(estimate.columns.get("sensor_implausible", False))):
        report.line("the current sensor is implausible: the voltage contradicts its charge")
    report.line(f"wrote {out}")
    report.body.update(describe_log(log), **_describe(estimate), **health, cell=parameters.file.name, file=str(out))
    return True


def describe_log(log: CellLog) -> dict[str, Any]:
    """Return the keys that every verb on a log reports."""
    return {
        "log": str(log.path),
        "rows_in": len(log.rows_read),
        "rows_repaired": dict(log.counts),
        "current_sign": log.positive,
        "notes": list(log.notes),
    }


def find_degc(log: CellLog) -> str:
    """Return the key of a table by temperature: the median of the case, or 25 where nobody measured it."""
    return "25" if log.temperature_k is None else f"{np.median(log.temperature_k) - ZERO_C_K:.0f}"


def _describe_health(estimate: LogEstimate) -> dict[str, Any]:
    """Return the health at the end of the log with deviations: null, with a reason, where it is not known."""
    last = {name: values[-1] for name, values in estimate.health.columns.items()}
    told = {name: None if last.get(name, np.ma.masked) is np.ma.masked else float(last[name]) for name in NAMES}
    reasons = estimate.health.capacity_reason, estimate.health.growth_reason
    return {**told, f"{SOH}_reason": reasons[0], f"{GROWTH}_reason": reasons[1]}


def _word_health(health: dict[str, Any], name: str) -> str:
    value, std = health[name], health[f"{name}_std"]
    return f"not known: {health[f'{name}_reason']}" if value is None else f"{value:.3f}, deviation {std:.3f}"


def _describe(estimate: LogEstimate) -> dict[str, Any]:
    columns, score = estimate.columns, estimate.voltage_score
    return {
        "lane": estimate.lane,
        "rmse_mv": {find_degc(estimate.log): score.scale(1e3)},
        "coverage": score.coverage,
        "reason": score.reason,
        "split": {"fit": [], "held": [str(estimate.log.path)]},
        "soc0": estimate.start.soc,
        "soc0_std": estimate.start.soc_std,
        "rested": estimate.start.rested,
        "sampling": "means" if estimate.averaged else "instants",
        "soc": float(columns["soc"][-1]),
        "soc_std": float(columns["soc_std"][-1]),
        "sensor_implausible": bool(np.any(columns.get("sensor_implausible", False))),
        "estimate_notes": list(estimate.notes),
    }
