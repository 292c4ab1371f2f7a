"""How far grades are from measured capacities: over rows, and over tests of one cell taken together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.health.grade_model import combine_grades

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.health.grade_model import GradeModel, PulseGrade
    from twin.health.grade_training import PulseRows


def score_grades(model: GradeModel, rows: PulseRows) -> dict[str, Any]:
    """Return rows, rejected rows, the mean absolute percentage error of the others, and how many the interval holds.

    `cell_mape_pct`: of one grade for each cell and capacity, combined from its accepted rows.
    """
    grades = model.grade(rows.volts, rows.nominal_ah)
    kept = np.array([not grade.is_rejected for grade in grades], dtype=np.bool_)
    errors = [_find_error(grade, q) for grade, q in zip(grades, rows.capacity_ah.tolist(), strict=True)]
    inside = [grade.low_ah <= q <= grade.high_ah for grade, q in zip(grades, rows.capacity_ah.tolist(), strict=True)]
    return {
        "rows": len(rows),
        "cells": len(set(rows.cell.tolist())),
        "rejected": int((~kept).sum()),
        "mape_pct": 100.0 * float(np.mean(np.asarray(errors)[kept])) if kept.any() else None,
        "coverage_95": float(np.mean(np.asarray(inside)[kept])) if kept.any() else None,
        "cell_mape_pct": _score_cells(grades, rows),
    }


def _score_cells(grades: Sequence[PulseGrade], rows: PulseRows) -> float | None:
    tests: dict[tuple[str, float], list[PulseGrade]] = {}
    for grade, cell, q in zip(grades, rows.cell.tolist(), rows.capacity_ah.tolist(), strict=True):
        tests.setdefault((cell, q), []).append(grade)
    errors = [
        _find_error(combined, q)
        for (_, q), several in tests.items()
        if (combined := combine_grades(several)) is not None
    ]
    return 100.0 * float(np.mean(errors)) if errors else None


def _find_error(grade: PulseGrade, capacity_ah: float) -> float:
    return abs(grade.capacity_ah / capacity_ah - 1.0)
