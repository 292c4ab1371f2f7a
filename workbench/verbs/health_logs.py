"""`health` on logs: reads them, judges them together, prints the report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile.cell_file import find_cell
from drivers.logs.log import read_log
from drivers.table_file import write_table
from twin.health.log_capacity import JudgedCell
from twin.health.log_segments import make_samples
from twin.health.report import judge_logs
from workbench.verbs.fit_progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.health.log_capacity import MeasuredCapacity
    from twin.health.log_resistance import MeasuredResistance
    from twin.health.log_segments import LogSamples
    from twin.health.report import HealthReport
    from workbench.report import Report

ZERO_C_K: Final = 273.15
_COLUMNS: Final = ("log", "quantity", "value", "unit", "low", "high", "after_s", "kelvin", "samples", "how")


def judge(report: Report, paths: Sequence[Path], cell: str, out: Path | None) -> bool:
    """Report what the logs show of the cell; return True if a capacity or a resistance was found."""
    limits = _read_cell(cell) if cell else None
    logs: list[LogSamples] = []
    notes: list[str] = []
    with show_progress() as show:
        for number, path in enumerate(paths):
            show(f"reading {path.name}", number / len(paths))
            log = read_log(path)
            logs.append(
                make_samples(
                    path.name,
                    log.time_s,
                    log.voltage_v,
                    log.current_a,
                    kelvin=log.temperature_k,
                    counter_ah=log.ah,
                )
            )
            notes += [f"{path.name}: {note}" for note in log.notes]
    found = judge_logs(logs, limits)
    report.body.update(asdict(found), cell=cell or None, notes=notes)
    for line in _format(found):
        report.line(line)
    if out is not None:
        _write(out, found, paths)
        report.body["file"] = str(out)
        report.line(f"wrote {out}")
    return bool(found.capacities or found.resistances)


def _read_cell(name: str) -> JudgedCell:
    """Return what a shipped cell or a cell file says of limits and open-circuit voltage; raise `BenchFileError`."""
    from twin.cell_parameters import load_cell  # noqa: PLC0415  # numba takes a moment

    cell = load_cell(find_cell(name, Path()))
    return JudgedCell(cell.limits.low_v, cell.limits.high_v, cell.circuit.rows[0])


def _format(found: HealthReport) -> list[str]:
    lines = [
        f"{one.log}: {one.capacity_ah:.3f} Ah ({one.low_ah:.3f} to {one.high_ah:.3f} Ah, 95 %), {one.how}, "
        f"mean {one.rate_a:.2f} A{_format_kelvin(one.kelvin)}, {one.samples} samples"
        for one in found.capacities
    ]
    for one in found.resistances:
        interval = (
            "" if one.low_ohm is None else f" ({1e3 * one.low_ohm:.2f} to {1e3 * (one.high_ohm or 0.0):.2f}, 95 %)"
        )
        lines.append(
            f"{one.log}: {1e3 * one.ohm:.2f} mOhm{interval} {one.after_s:g} s after {one.steps} steps"
            f"{_format_kelvin(one.kelvin)}"
        )
    if (trend := found.trend) is not None:
        change = f"{trend.change_ah:+.4f} Ah ({trend.low_ah:+.4f} to {trend.high_ah:+.4f} Ah, 95 %)"
        lines.append(f"from log to log {change}, over {trend.logs} logs")
    return [*lines, *(f"not judged: {sentence}" for sentence in found.not_judged)]


def _format_kelvin(kelvin: float | None) -> str:
    return "" if kelvin is None else f" at {kelvin - ZERO_C_K:.0f} degC"


def _write(out: Path, found: HealthReport, inputs: Sequence[Path]) -> None:
    rows = [*map(_capacity_row, found.capacities), *map(_resistance_row, found.resistances)]
    write_table(out, {name: [row.get(name) for row in rows] for name in _COLUMNS}, inputs)


def _capacity_row(one: MeasuredCapacity) -> dict[str, Any]:
    interval = {"value": one.capacity_ah, "unit": "Ah", "low": one.low_ah, "high": one.high_ah}
    about = {"log": one.log, "quantity": "capacity", "kelvin": one.kelvin, "samples": one.samples, "how": one.how}
    return about | interval


def _resistance_row(one: MeasuredResistance) -> dict[str, Any]:
    interval = {"value": one.ohm, "unit": "ohm", "low": one.low_ohm, "high": one.high_ohm, "after_s": one.after_s}
    about = {"log": one.log, "quantity": "resistance", "kelvin": one.kelvin, "samples": one.steps, "how": "step"}
    return about | interval
