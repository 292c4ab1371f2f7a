"""`forecast`: voltage, temperature and energy of a cell over a duty, by two models of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from drivers.benchfile.cell_file import find_cell, read_cell
from drivers.errors import Usage
from drivers.output_file import make_draft, refuse_outputs
from twin.duty_file import PARQUET, read_duty
from twin.forecast import (
    AGEING_STEPS,
    STEPS,
    Course,
    Forecast,
    ages,
    build_model,
    choose_models,
    compare_courses,
    plan_steps,
    run_course,
)

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.cell_parameters import CellParameters
    from twin.duty_file import Duty
    from workbench.report import Report

ZERO_C_K: Final = 273.15
UNITS_S: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}
LONGEST_H: Final = 24.0
NO_AGEING: Final = "not available: the cell's set has no ageing parameters of its own"


def main(
    report: Report, cell: str, duty: Path, horizon: str, *, soc0: float, ambient_degc: float, out: Path | None
) -> bool:
    """Forecast; return False if the duty does not reach the horizon; raise `BenchFileError`, `Usage`."""
    from twin.cell_parameters import make_parameters  # noqa: PLC0415  # numba takes a second

    read = read_cell(find_cell(cell, Path()))
    horizon_s = parse_horizon(horizon)
    _check_output(out, [duty, read.path])
    asked, parameters = read_duty(duty), make_parameters(read)
    found = _run(parameters, asked, horizon_s, soc0, ambient_degc + ZERO_C_K)
    if not len(found.time_s):
        raise Usage(f"no step of the duty can be run: {'; '.join(found.ended)}", where=str(duty), hint="lower it")
    if out is not None:
        _write(out, _list_columns(found))
    report.body.update(cell=parameters.name, sha256=parameters.sha256, horizon_s=horizon_s, soc0=soc0)
    report.body.update(_summarise(found), file=None if out is None else str(out))
    for line in _format_lines(report.body):
        report.line(line)
    return not found.ended


def parse_horizon(text: str) -> float:
    """Return seconds of `24h`, `90min` or `600s`; raise `Usage` beyond a day."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|h)", text.strip())
    seconds = float(match[1]) * UNITS_S[match[2]] if match else 0.0
    if not 1.0 <= seconds <= LONGEST_H * 3600.0:
        what, bound = f"--horizon {text!r} is not a time of 1 s to 24 h", "1s to 24h"
        raise Usage(what, key="horizon", value=text, bound=bound, hint="write 24h, 90min or 600s")
    return seconds


def _check_output(out: Path | None, recorded: list[Path]) -> None:
    if out is None:
        return
    refuse_outputs([out], recorded)
    if out.suffix.lower() not in {*PARQUET, ".csv"}:
        raise Usage("is neither .parquet nor .csv", where=str(out), key="out", value=str(out), hint="name such a file")


def _run(cell: CellParameters, duty: Duty, horizon_s: float, soc0: float, ambient_k: float) -> Forecast:
    times_s = plan_steps(horizon_s, AGEING_STEPS if ages(cell) else STEPS)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    courses: list[Course] = []
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for name in choose_models(cell):
            bar = progress.add_task(name, total=1.0)
            model = build_model(name, cell, soc0, ambient_k)
            courses.append(
                run_course(
                    model,
                    cell,
                    duty,
                    times_s,
                    ambient_k,
                    report=lambda done, bar=bar: progress.update(bar, completed=done),
                )
            )
    return compare_courses(courses)


def _list_columns(found: Forecast) -> dict[str, Floats]:
    """Return the columns of the file; without a second model there are no bounds."""
    columns = {"time_s": found.time_s, "current_a": found.current_a}
    for name, values, half in (
        ("voltage_v", found.voltage_v, found.voltage_half_v),
        ("temperature_k", found.kelvin, found.kelvin_half_k),
        ("energy_wh", found.energy_wh, found.energy_half_wh),
    ):
        columns[name] = values
        if half is not None:
            columns |= {f"{name}_low": values - half, f"{name}_high": values + half}
    return columns


def _write(out: Path, columns: dict[str, Floats]) -> None:
    """Write Parquet or CSV, whole or not at all; raise `OSError`."""
    with make_draft(out) as draft:
        if out.suffix.lower() in PARQUET:
            from drivers.runlog.arrow import pa, pq  # noqa: PLC0415  # a quarter of a second

            pq.write_table(pa.table(columns), draft)
        else:
            head = ",".join(columns)
            np.savetxt(draft, np.column_stack(list(columns.values())), "%.9g", ",", header=head, comments="")


def _summarise(found: Forecast) -> dict[str, Any]:
    def at_end(values: Floats, half: Floats | None) -> dict[str, float | None]:
        value, wide = float(values[-1]), None if half is None else float(half[-1])
        bounds = (None, None) if wide is None else (value - wide, value + wide)
        return {"value": value, "low": bounds[0], "high": bounds[1]}

    lost = found.lost_ah_day
    loss = {"value": lost[0], "low": min(lost), "high": max(lost), "reason": ""} if lost else None
    return {
        "models": list(found.models),
        "reached_s": float(found.time_s[-1]),
        "ended": list(found.ended),
        "voltage_v": at_end(found.voltage_v, found.voltage_half_v),
        "temperature_k": at_end(found.kelvin, found.kelvin_half_k),
        "energy_wh": at_end(found.energy_wh, found.energy_half_wh),
        "lowest_v": float(found.voltage_v.min()),
        "highest_k": float(found.kelvin.max()),
        "loss_ah_day": loss or {"value": None, "low": None, "high": None, "reason": NO_AGEING},
    }


def _format_lines(body: dict[str, Any]) -> list[str]:
    """Return the lines for people."""
    lines = [f"models   {' and '.join(body['models'])}, to {body['reached_s']:.0f} s of {body['horizon_s']:.0f} s"]
    for name, key, unit in (("voltage", "voltage_v", "V"), ("energy", "energy_wh", "Wh")):
        lines.append(f"{name:8} {_format_interval(body[key], unit)} at the end")
    kelvin = {key: None if value is None else value - ZERO_C_K for key, value in body["temperature_k"].items()}
    lines.append(f"{'warmth':8} {_format_interval(kelvin, 'degC')} at the end")
    loss = body["loss_ah_day"]
    lines.append(f"loss     {loss['reason'] or _format_interval(loss, 'Ah a day', digits=5)}")
    lines += [f"ended    {words}" for words in body["ended"]]
    return lines + ([f"wrote    {body['file']}"] if body["file"] else [])


def _format_interval(one: dict[str, float | None], unit: str, digits: int = 3) -> str:
    if one["low"] is None:
        return f"{one['value']:.{digits}f} {unit} (one model: no interval)"
    return f"{one['value']:.{digits}f} {unit} ({one['low']:.{digits}f} to {one['high']:.{digits}f})"
