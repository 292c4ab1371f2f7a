"""`health` on logs: reads them, judges them together, prints the report, writes it for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.benchfile.cell_file import find_cell
from drivers.logs.cell_voltages import read_cell_voltages
from drivers.table_file import write_table
from twin.health.limit_check import LimitsOfCell
from twin.health.log_capacity import JudgedCell
from twin.health.log_segments import make_samples
from twin.health.report import CellsOfLog, judge_logs
from workbench.modelling.log_choice import LogChoice, choose_weakest
from workbench.modelling.one_cell import require_one_cell
from workbench.modelling.service_file import check_formats, write_report
from workbench.modelling.service_report import ReportSubject, compose_report
from workbench.verbs.fit_progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.cell_parameters import CellParameters
    from twin.health.log_capacity import MeasuredCapacity
    from twin.health.log_resistance import MeasuredResistance
    from twin.health.log_segments import LogSamples
    from twin.health.report import HealthReport
    from workbench.report import Report

ZERO_C_K: Final = 273.15
_COLUMNS: Final = ("log", "quantity", "value", "unit", "low", "high", "after_s", "kelvin", "samples", "how")


@dataclass(frozen=True)
class LogRequest:
    """Logs as a user names them, the cell they are of, and where the results go."""

    logs: Sequence[LogChoice] = ()
    cell: str = ""
    out: Path | None = None
    reports: Sequence[Path] = ()


def judge(report: Report, request: LogRequest) -> bool:
    """Report what the logs show of the cell; return True if a capacity or a resistance was found."""
    check_formats(request.reports)
    parameters = _read_cell(request.cell) if request.cell else None
    logs, packs, notes = _read_logs(request.logs, parameters)
    found = judge_logs(logs, *_find_limits(parameters), packs)
    report.body.update(asdict(found), cell=request.cell or None, notes=notes)
    report.body["nominal_ah"] = None if parameters is None else parameters.nominal_ah
    for line in _format(found):
        report.line(line)
    paths = [one.path for one in request.logs]
    if request.out is not None:
        _write(request.out, found, paths)
        report.body["file"] = str(request.out)
        report.line(f"wrote {request.out}")
    if request.reports:
        made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")
        name, nominal_ah = ("", None) if parameters is None else (parameters.name, parameters.nominal_ah)
        written = compose_report(found, ReportSubject(made, name, nominal_ah, tuple(notes)))
        for path in request.reports:
            write_report(path, written)
            report.line(f"wrote {path}")
        sections = [asdict(section) for page in written.pages for section in page]
        report.body["report"] = {"result": written.result, "sections": sections}
        report.body["reports"] = [str(path) for path in request.reports]
    return bool(found.capacities or found.resistances)


def _read_logs(
    chosen: Sequence[LogChoice], cell: CellParameters | None
) -> tuple[list[LogSamples], list[CellsOfLog], list[str]]:
    """Return the logs, the cells beside each, and what was done to them."""
    logs: list[LogSamples] = []
    packs: list[CellsOfLog] = []
    notes: list[str] = []
    with show_progress() as show:
        for place, choice in enumerate(chosen):
            show(f"reading {choice.path.name}", place / len(chosen))
            if place == 0 and (weakest := choose_weakest(choice)) is not None:
                chosen = [one.with_number(weakest) for one in chosen]
                notes.append(f"cell {weakest} is judged, of the lowest voltage; --number chooses another")
            log = chosen[place].read()
            if cell is not None:
                require_one_cell(log, cell.limits.low_v, cell.limits.high_v)
            numbers, volts = read_cell_voltages(log)
            packs.append(CellsOfLog(numbers, volts))
            kelvin, counter = log.temperature_k, log.ah
            name = choice.path.name
            logs.append(make_samples(name, log.time_s, log.voltage_v, log.current_a, kelvin=kelvin, counter_ah=counter))
            notes += [f"{name}: {note}" for note in log.notes]
    return logs, packs, notes


def _read_cell(name: str) -> CellParameters:
    """Return a shipped cell or that of a file; raise `BenchFileError`."""
    from twin.cell_parameters import load_cell  # noqa: PLC0415  # numba takes a moment

    return load_cell(find_cell(name, Path()))


def _find_limits(cell: CellParameters | None) -> tuple[JudgedCell | None, LimitsOfCell | None]:
    """Return what a cell says of limits and open-circuit voltage."""
    if cell is None:
        return None, None
    limits, nominal_ah = cell.limits, cell.nominal_ah
    currents = (limits.charge_c * nominal_ah, limits.discharge_c * nominal_ah)
    bears = LimitsOfCell(limits.low_v, limits.high_v, limits.low_k, limits.high_k, *currents)
    return JudgedCell(limits.low_v, limits.high_v, np.asarray(cell.circuit.rows[0])), bears


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
    lines += [
        f"{one.log}: {one.quantity} {one.value:.3f} {one.unit} is beyond {one.limit:.3f} {one.unit}"
        for one in found.limits
        if not one.is_met
    ]
    for one in found.balance:
        soc = "" if one.soc_spread is None else f", {100 * one.soc_spread:.1f} % SoC"
        apart = f"{1e3 * one.spread_v:.1f} mV{soc} between cell {one.lowest} and cell {one.highest}"
        lines.append(f"{one.log}: at the {one.at} {apart}, of {one.cells}")
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
