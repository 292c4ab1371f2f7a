"""`grade`: the capacity of used cells from short pulses, by a shipped model or one that is taught here."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import Usage
from drivers.jsonvalues import nan_to_null
from drivers.model_file import read_model, write_model
from drivers.output_file import refuse_outputs
from drivers.table_file import write_table
from twin.health.cell_split import RULE, find_held
from twin.health.grade_model import SCHEMA, GradeModel, PulseGrade, combine_grades
from twin.health.grade_scores import score_grades
from twin.health.grade_training import teach
from workbench.pulse_tables import CELL, NOMINAL, read_pulses, read_taught, take_volts
from workbench.verbs.fit_progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.table_file import NamedTable
    from twin.health.grade_training import PulseRows
    from workbench.report import Report

SHIPPED: Final = Path(__file__).parents[2] / "twin" / "health" / "shipped" / "grade_pulsebat.json"
SHOWN: Final = 20  # grades that are printed for people


@dataclass(frozen=True)
class GradeTeaching:
    """What `grade --train` was given: tables, which part of an ID is the cell, and words about the data."""

    tables: Sequence[Path] = ()
    cell_of: str = ""
    dataset: str = ""
    licence: str = ""
    command: str = ""


def main(report: Report, pulses: Sequence[Path], model: Path | None, out: Path | None, teaching: GradeTeaching) -> bool:
    """Grade every row of the tables; return True if at least one row was graded, or a model was taught alone."""
    if not pulses and not teaching.tables:
        raise Usage(
            "no table to grade", hint="name a table of pulses, or teach a model with --train TABLE --model FILE"
        )
    if not pulses and model is None:
        raise Usage("--train without a table to grade needs a file", key="model", hint="add --model FILE")
    inputs = [*pulses, *teaching.tables]
    refuse_outputs([path for path in (out, model if teaching.tables else None) if path is not None], inputs)
    tables = [read_pulses(path) for path in pulses]
    used = _teach(report, teaching, model) if teaching.tables else read_model(model or SHIPPED, SCHEMA, decode_model)
    report.body["model"] = {"file": str(model or ("" if teaching.tables else SHIPPED)), **used.about}
    if not tables:
        return True
    grades = [used.grade(take_volts(table), table.take_numbers(NOMINAL)) for table in tables]
    return _report(report, tables, grades, out)


def decode_model(fields: Any) -> GradeModel:
    """Return the model of a file's fields; raise `KeyError`, `TypeError` or `ValueError`."""
    return GradeModel.decode(fields)


def _teach(report: Report, teaching: GradeTeaching, model: Path | None) -> GradeModel:
    """Teach a model on the cells that are not held, score it on the held ones, write it if a file is named."""
    rows = read_taught(teaching.tables, teaching.cell_of)
    held = find_held(rows.cell)
    with show_progress() as show:
        taught = teach(rows.keep(~held), {}, show)
    about = _describe(teaching, rows, held, taught)
    used = dataclasses.replace(taught, about=about)
    report.line(f"taught {about['fit_cells']} cells; {_format_scores(about['held'])}")
    if model is not None:
        write_model(model, used.encode())
        report.body["written"] = str(model)
        report.line(f"wrote {model}")
    return used


def _describe(teaching: GradeTeaching, rows: PulseRows, held: Any, taught: GradeModel) -> dict[str, Any]:
    """Return the command, the data, the split and the scores on held cells, by type too."""
    scored = rows.keep(held).drop_faulty()
    by_type = {
        f"{one.chemistry} {one.nominal_ah:g} Ah": score_grades(taught, own)
        for one in taught.types
        if len(own := scored.keep(scored.nominal_ah == one.nominal_ah))
    }
    return {
        "command": teaching.command,
        "dataset": teaching.dataset,
        "licence": teaching.licence,
        "files": [path.name for path in teaching.tables],
        "split": RULE,
        "fit_cells": len(set(rows.cell[~held].tolist())),
        "held": score_grades(taught, scored) if len(scored) else None,
        "held_by_type": by_type,
    }


def _format_scores(scores: dict[str, Any] | None) -> str:
    if scores is None or scores["mape_pct"] is None:
        return "no held cell to score"
    return (
        f"{scores['cells']} held cells: {scores['mape_pct']:.2f} % mean absolute error of {scores['rows']} rows, "
        f"{scores['rejected']} rejected, the 95 % interval holds {100 * scores['coverage_95']:.0f} %"
    )


def _report(report: Report, tables: Sequence[NamedTable], grades: Sequence[list[PulseGrade]], out: Path | None) -> bool:
    rows = [_make_row(*one) for one in _walk(tables, grades)]
    reasons = Counter(row["rejected"] for row in rows if row["rejected"])
    report.body.update(
        rows=rows,
        cells=_combine(rows, [grade for several in grades for grade in several]),
        counts={"rows": len(rows), "graded": len(rows) - reasons.total(), "rejected": reasons.total()},
        reasons=dict(reasons),
        notes=[note for table in tables for note in table.notes],
    )
    for row in rows[:SHOWN]:
        report.line(_format(row))
    if len(rows) > SHOWN:
        report.line(f"... {len(rows) - SHOWN} more rows: --out FILE or --json has all")
    report.line(f"{len(rows) - reasons.total()} of {len(rows)} rows graded, {reasons.total()} rejected")
    for reason, number in reasons.most_common():
        report.line(f"      {number}: {reason}")
    if out is not None:
        write_table(out, {name: [row[name] for row in rows] for name in rows[0]}, [table.path for table in tables])
        report.body["file"] = str(out)
        report.line(f"wrote {out}")
    return reasons.total() < len(rows)


def _walk(tables: Sequence[NamedTable], grades: Sequence[list[PulseGrade]]) -> Any:
    for table, several in zip(tables, grades, strict=True):
        names = table.take_texts(CELL).tolist() if CELL in table else [""] * len(table)
        yield from zip([table.path.name] * len(table), table.row.tolist(), names, several, strict=True)


def _make_row(file: str, row: int, name: str, grade: PulseGrade) -> dict[str, Any]:
    numbers = {key: nan_to_null(getattr(grade, key)) for key in ("capacity_ah", "low_ah", "high_ah")}
    about = {"file": file, "row": row, "id": name, "chemistry": grade.chemistry}
    return about | numbers | {"rejected": grade.rejection and grade.rejection.value, "reason": grade.reason}


def _combine(rows: Sequence[dict[str, Any]], grades: Sequence[PulseGrade]) -> list[dict[str, Any]]:
    """Return one grade for each ID from all its rows; none where no row has an ID."""
    by_id: dict[str, list[PulseGrade]] = {}
    for row, grade in zip(rows, grades, strict=True):
        if row["id"]:
            by_id.setdefault(row["id"], []).append(grade)
    cells: list[dict[str, Any]] = []
    for name, several in by_id.items():
        one = combine_grades(several)
        kept = sum(not grade.is_rejected for grade in several)
        numbers = (np.nan,) * 3 if one is None else (one.capacity_ah, one.low_ah, one.high_ah)
        values = dict(zip(("capacity_ah", "low_ah", "high_ah"), map(nan_to_null, numbers), strict=True))
        cells.append({"id": name, "rows": len(several), "graded": kept, **values})
    return cells


def _format(row: dict[str, Any]) -> str:
    name = f"{row['file']}:{row['row']}" + (f" {row['id']}" if row["id"] else "")
    if row["rejected"]:
        return f"{name}: rejected, {row['reason']}"
    return f"{name}: {row['capacity_ah']:.3f} Ah ({row['low_ah']:.3f} to {row['high_ah']:.3f} Ah, 95 %)"
