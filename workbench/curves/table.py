"""A comparison as a table, in CSV and Markdown, and as sentences that say who wins."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.tasks.controllers import RULE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.snapshot import Floats
    from workbench.curves.comparison import Comparison, Contender, Difference

NONE: Final = "-"


def make_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one row for each contender; a value that it does not have is NaN, or None for a count."""
    rule_eur = float(comparison.find(RULE).validated_eur.mean())
    return [_make_row(one, comparison.intervals[one.name], rule_eur) for one in comparison.contenders]


def _make_row(one: Contender, interval_eur: tuple[float, float], rule_eur: float) -> dict[str, Any]:
    by_seed = one.judged_eur.mean(axis=1)
    row: dict[str, Any] = {
        "controller": one.name,
        "label": one.label,
        "seeds": len(one.seeds) or None,
        "alarms": one.alarms if one.has_learned else None,
        **_describe("final", one.final_eur),
        **_describe("validated", one.validated_eur),
        **_describe("judged", by_seed),
        "judged_sd_eur": float(by_seed.std(ddof=1)) if len(by_seed) > 1 else math.nan,
        "judged_95_low_eur": interval_eur[0],
        "judged_95_high_eur": interval_eur[1],
        "interventions": one.interventions,
        "violations": one.violations,
        "violations_without_shield": math.nan if one.bare_violations is None else one.bare_violations,
    }
    first = np.array([seed.find_first_above(-rule_eur) for seed in one.seeds]).reshape(-1, 2)
    beats = np.isfinite(first[:, 0])
    row["beats_rule"] = int(beats.sum()) if one.has_learned else None
    for name, values in zip(("beats_rule_steps", "beats_rule_s"), first[beats].T, strict=True):
        row[name] = float(np.median(values)) if values.size else math.nan
    return row


def _describe(name: str, values: Floats) -> dict[str, float]:
    """Return mean, lowest and highest; NaN where there is no value or one of them is none."""
    figures = (values.mean(), values.min(), values.max()) if values.size else (math.nan,) * 3
    return {f"{name}{part}_eur": float(x) for part, x in zip(("", "_low", "_high"), figures, strict=True)}


def encode_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as CSV: exact numbers, an empty field for what is not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "" if _is_unknown(value) else value for key, value in row.items()})
    return text.getvalue()


def _is_unknown(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def _range(name: str) -> Callable[[dict[str, Any]], str]:
    """Return what formats a mean and its spread over the seeds."""

    def show(row: dict[str, Any]) -> str:
        mean, low, high = (row[f"{name}{part}_eur"] for part in ("", "_low", "_high"))
        spread = f" ({_eur(low)} to {_eur(high)})" if low != high and not _is_unknown(low) else ""
        return _eur(mean) + spread

    return show


def _eur(value: float) -> str:
    return NONE if _is_unknown(value) else f"{value:.5f}"


def _share(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: NONE if _is_unknown(row[name]) else f"{100.0 * row[name]:.2f} %"


def _count_beats(row: dict[str, Any]) -> str:
    if row["beats_rule"] is None:
        return NONE
    counted = f"{row['beats_rule']} of {row['seeds']} seeds"
    if _is_unknown(row["beats_rule_steps"]):
        return counted
    seconds = "" if _is_unknown(row["beats_rule_s"]) else f", {row['beats_rule_s']:.0f} s"
    return f"{counted}: {row['beats_rule_steps']:,.0f} steps{seconds}"


def _count_seeds(row: dict[str, Any]) -> str:
    if row["seeds"] is None:
        return NONE
    return f"{row['seeds']}, {row['alarms']} with an alarm" if row["alarms"] else str(row["seeds"])


COLUMNS: Final[dict[str, Callable[[dict[str, Any]], str]]] = {
    "controller": lambda row: row["label"],
    "seeds": _count_seeds,
    "cost at the end, validation": _range("final"),
    "cost of the kept policy, validation": _range("validated"),
    "cost, judge's episodes": _range("judged"),
    "sd over seeds": lambda row: _eur(row["judged_sd_eur"]),
    "95 % interval": lambda row: f"{_eur(row['judged_95_low_eur'])} to {_eur(row['judged_95_high_eur'])}",
    "interventions": _share("interventions"),
    "violations": _share("violations"),
    "without shield": _share("violations_without_shield"),
    "beats the rule after (median)": _count_beats,
}


def format_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(show(row) for show in COLUMNS.values()) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def format_difference(found: Difference, episodes: int) -> str:
    """Return who wins as a sentence."""
    more = "more" if found.mean_eur > 0.0 else "less"
    verdict = "no winner" if found.winner is None else f"{found.winner.label} wins"
    return (
        f"{found.one.label} against {found.other.label}: {abs(found.mean_eur):.5f} EUR {more} an episode "
        f"(95 %: {found.low_eur:+.5f} to {found.high_eur:+.5f}), cheaper on {found.cheaper} of {episodes}: {verdict}"
    )


def describe_difference(found: Difference) -> dict[str, Any]:
    """Return a difference as scripts read it."""
    return {
        "one": found.one.name,
        "other": found.other.name,
        "mean_eur": found.mean_eur,
        "low_eur": found.low_eur,
        "high_eur": found.high_eur,
        "cheaper": found.cheaper,
        "winner": None if found.winner is None else found.winner.name,
    }
