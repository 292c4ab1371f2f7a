"""`health --features`: capacity and end of life from a per-cycle table, by a model that a table has taught."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import LogError, Usage
from drivers.jsonvalues import nan_to_null
from drivers.model_file import read_model, write_model
from drivers.table_file import read_table, write_table
from twin.health.capacity_model import score_capacity, teach_capacity
from twin.health.cell_split import RULE, find_held
from twin.health.cycle_table import keep_varying, read_cycles
from twin.health.end_of_life import choose_end, score_life, teach_life
from twin.health.health_model import SCHEMA, HealthModel
from workbench.verbs.fit_progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.health.capacity_model import CapacityEstimates
    from twin.health.cycle_table import CycleRows
    from twin.health.end_of_life import LifeForecast
    from workbench.report import Report

SHIPPED: Final = {"severson": Path(__file__).parents[2] / "twin" / "health" / "shipped" / "health_severson.json"}
SHOWN: Final = 20  # cells that are printed for people


@dataclass(frozen=True)
class HealthTeaching:
    """What `health` was given beside tables to judge: tables to teach, names of columns, words about the data."""

    tables: Sequence[Path] = ()
    columns: tuple[str, ...] = ()
    cell_column: str = ""
    capacity_column: str = ""
    end: float | None = None
    dataset: str = ""
    licence: str = ""
    command: str = ""


def judge_table(
    report: Report, features: Path | None, model: Path | None, out: Path | None, teaching: HealthTeaching
) -> bool:
    """Teach or read a model, apply it to the table; return True if a row got a capacity, or there is no table."""
    if model is None and not (teaching.tables and features):
        hint = "add --train TABLE, --model FILE of an earlier --train, or --model severson for LFP cells of 1.1 Ah"
        raise Usage("--features needs a model", key="model", hint=hint)
    if teaching.tables or model is None:
        used = _teach(report, teaching, model)
    else:
        used = read_model(SHIPPED.get(str(model), model), SCHEMA, decode_model)
    report.body["model"] = {"file": str(model or ""), **used.about}
    if features is None:
        return True
    table = read_table(features, used.capacity.names)
    rows = read_cycles(table, used.capacity.names, teaching.cell_column, teaching.capacity_column)
    estimates = used.capacity.estimate(rows)
    lives = used.life.forecast(rows) if used.life else []
    report.body["notes"] = list(table.notes)
    return _report(report, rows, estimates, lives, (features, out))


def decode_model(fields: Any) -> HealthModel:
    """Return the model of a file's fields; raise `KeyError`, `TypeError` or `ValueError`."""
    return HealthModel.decode(fields)


def _teach(report: Report, teaching: HealthTeaching, model: Path | None) -> HealthModel:
    """Teach on the cells that are not held, score on the held ones, write the model if a file is named."""
    rows, same = keep_varying(_read_taught(teaching))
    if same:
        report.line(f"left out, the same in every row: {', '.join(same)}")
    held = find_held(rows.cell)
    fit, scored = rows.keep(~held), rows.keep(held)
    about: dict[str, Any] = {
        "command": teaching.command,
        "dataset": teaching.dataset,
        "licence": teaching.licence,
        "files": [path.name for path in teaching.tables],
        "split": RULE,
    }
    with show_progress() as show:
        capacity = teach_capacity(fit, {}, lambda done: show("capacity", 0.8 * done))
        about["held"] = {"capacity": score_capacity(capacity, scored) if len(scored) else None}
        try:
            life = teach_life(
                fit, teaching.end or choose_end(fit), {}, lambda done: show("end of life", 0.8 + 0.2 * done)
            )
            about["held"]["end_of_life"] = score_life(life, scored)
        except LogError as few:
            life, about["no_end_of_life"] = None, few.sentence
            report.line(f"no end of life: {few}")
    used = HealthModel(capacity, life, about)
    report.line(_format_scores(about["held"]["capacity"]))
    if model is not None:
        write_model(model, used.encode())
        report.body["written"] = str(model)
        report.line(f"wrote {model}")
    return used


def _read_taught(teaching: HealthTeaching) -> CycleRows:
    """Return the rows of all tables to teach; their features are those of the first."""
    found: list[CycleRows] = []
    for path in teaching.tables:
        names = found[0].names if found else teaching.columns
        found.append(read_cycles(read_table(path, names), names, teaching.cell_column, teaching.capacity_column))
        if found[-1].capacity_ah is None:
            hint = "name it with --capacity-column"
            raise LogError("has no column of capacities to teach", where=str(path), key="capacity", hint=hint)
    first = found[0]
    capacity = np.concatenate([np.asarray(one.capacity_ah) for one in found])
    values, cell, row = (np.concatenate([getattr(one, name) for one in found]) for name in ("values", "cell", "row"))
    return replace(first, values=values, cell=cell, row=row, capacity_ah=capacity)


def _format_scores(scores: dict[str, Any] | None) -> str:
    if scores is None or scores["rmse_pct"] is None:
        return "no held cell to score"
    return (
        f"{scores['cells']} held cells: RMSE {scores['rmse_pct']:.2f} % of the nominal capacity over {scores['rows']} "
        f"rows, {scores['rejected']} rejected, the 95 % interval holds {100 * scores['coverage_95']:.0f} %"
    )


def _report(
    report: Report,
    rows: CycleRows,
    estimates: CapacityEstimates,
    lives: Sequence[LifeForecast],
    files: tuple[Path, Path | None],
) -> bool:
    features, out = files
    columns: dict[str, list[Any]] = {"cell": rows.cell.tolist(), "row": rows.row.tolist()}
    for name in ("capacity_ah", "low_ah", "high_ah"):
        columns[name] = [nan_to_null(value) for value in getattr(estimates, name).tolist()]
    columns["reason"] = list(estimates.reasons)
    known = int(estimates.is_known.sum())
    report.body.update(
        rows=[dict(zip(columns, one, strict=True)) for one in zip(*columns.values(), strict=True)],
        cells=(cells := _summarise(rows, estimates, lives)),
        counts={"rows": len(rows), "estimated": known, "rejected": len(rows) - known},
    )
    for one in cells[:SHOWN]:
        report.line(_format_cell(one))
    report.line(f"{known} of {len(rows)} rows have a capacity; --out FILE or --json has all")
    if known < len(rows):
        place = int(np.argmin(estimates.is_known))
        report.line(f"no capacity, for instance {rows.cell[place]} row {rows.row[place]}: {estimates.reasons[place]}")
    if out is not None:
        write_table(out, columns, [features])
        report.body["file"] = str(out)
        report.line(f"wrote {out}")
    return known > 0


def _summarise(rows: CycleRows, estimates: CapacityEstimates, lives: Sequence[LifeForecast]) -> list[dict[str, Any]]:
    """Return for each cell its first and last estimated capacity, and its end of life."""
    by_cell = {one.cell: one for one in lives}
    cells: list[dict[str, Any]] = []
    for cell, places in rows.group().items():
        known = places[estimates.is_known[places]]
        one: dict[str, Any] = {"cell": cell, "rows": len(places), "estimated": len(known)}
        if len(known):
            last = known[-1]
            one |= {name: float(getattr(estimates, name)[last]) for name in ("capacity_ah", "low_ah", "high_ah")}
            one["first_capacity_ah"] = float(estimates.capacity_ah[known[0]])
        if (life := by_cell.get(cell)) is not None:
            numbers = {name: nan_to_null(getattr(life, name)) for name in ("life_rows", "low_rows", "high_rows")}
            about = {"seen_rows": life.seen_rows, "reached": life.is_reached, "reason": life.reason}
            one["end_of_life"] = about | numbers
        cells.append(one)
    return cells


def _format_cell(one: dict[str, Any]) -> str:
    if not one["estimated"]:
        return f"{one['cell']}: no capacity in {one['rows']} rows"
    line = f"{one['cell']}: {one['capacity_ah']:.3f} Ah ({one['low_ah']:.3f} to {one['high_ah']:.3f} Ah, 95 %)"
    life = one.get("end_of_life")
    if not life:
        return line
    if life["reason"]:
        return f"{line}; no end of life: {life['reason']}"
    if life["reached"]:
        return f"{line}; end of life reached at row {life['life_rows']:.0f}"
    return (
        f"{line}; end of life at row {life['life_rows']:.0f} ({life['low_rows']:.0f} to {life['high_rows']:.0f}, 90 %)"
    )
