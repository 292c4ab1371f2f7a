"""The content of a service report: two pages of sections for the owner of a pack, whatever the format of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twin.health.limit_check import LimitCheck
    from twin.health.report import HealthReport

ZERO_C_K: Final = 273.15
MOST: Final = 9  # rows of a table, or sentences of a list, so that the report keeps to two pages
METHOD: Final = (
    "A capacity is that of a discharge from full to the lower limit, or the charge between two rests of 10 minutes "
    "that lie 30 % of charge apart, by the open-circuit voltage of the cell file; its interval counts the errors of "
    "the counter and of that voltage, and is right only if the cell file is of this type of cell. A resistance is the "
    "step of voltage divided by the step of current, some time after it; its interval is that of the mean over the "
    "steps. A spread of charge follows from the voltages at rest by the open-circuit voltage."
)


@dataclass(frozen=True)
class ReportSection:
    """A title, sentences, and a table of texts with its heads."""

    title: str
    sentences: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class ServiceReport:
    """A report of two pages; `facts` are pairs of a word and a text, `result` is one sentence."""

    title: str
    result: str
    facts: tuple[tuple[str, str], ...]
    pages: tuple[tuple[ReportSection, ...], tuple[ReportSection, ...]]


@dataclass(frozen=True)
class ReportSubject:
    """When the report was made, of which cell (empty and None where nobody named one), and notes on its logs."""

    made: str
    cell: str = ""
    nominal_ah: float | None = None
    notes: tuple[str, ...] = ()


def compose_report(found: HealthReport, subject: ReportSubject) -> ServiceReport:
    """Return the report of what the logs show."""
    nominal = "" if subject.nominal_ah is None else f", {subject.nominal_ah:g} Ah"
    facts = (
        ("Made", subject.made),
        ("Cell", f"{subject.cell}{nominal}" if subject.cell else "not named"),
        ("Logs", _shorten(found.logs)),
    )
    first = (_list_capacities(found, subject.nominal_ah), _list_resistances(found), _list_limits(found.limits))
    second = (_list_balance(found), _list_gaps(found), _list_notes(subject.notes), ReportSection("Method", (METHOD,)))
    return ServiceReport("Service report", summarise(found, subject.nominal_ah), facts, (first, second))


def summarise(found: HealthReport, nominal_ah: float | None) -> str:
    """Return the result in one sentence."""
    parts: list[str] = []
    if found.capacities:
        last = found.capacities[-1]
        share = "" if not nominal_ah else f", {100 * last.capacity_ah / nominal_ah:.0f} % of the nominal capacity"
        parts.append(f"capacity {last.capacity_ah:.3f} Ah ({last.low_ah:.3f} to {last.high_ah:.3f} Ah){share}")
    if found.resistances:
        ohms = found.resistances[-1]
        parts.append(f"resistance {1e3 * ohms.ohm:.2f} mOhm after {ohms.after_s:g} s")
    beyond = sum(not one.is_met for one in found.limits)
    if found.limits:
        parts.append("all limits met" if not beyond else f"{beyond} of {len(found.limits)} limits not met")
    if found.balance:
        parts.append(f"cells {1e3 * found.balance[0].spread_v:.0f} mV apart")
    return "; ".join(parts) or "nothing could be judged"


def format_kelvin(kelvin: float | None) -> str:
    """Return a temperature in degC; a dash for none."""
    return "-" if kelvin is None else f"{kelvin - ZERO_C_K:.0f} degC"


def format_limit(one: LimitCheck) -> tuple[str, str]:
    """Return value and limit of a check, temperatures in degC."""
    if one.unit == "K":
        return f"{one.value - ZERO_C_K:.1f} degC", f"{one.limit - ZERO_C_K:.1f} degC"
    return f"{one.value:.3f} {one.unit}", f"{one.limit:.3f} {one.unit}"


def _list_capacities(found: HealthReport, nominal_ah: float | None) -> ReportSection:
    rows = [
        (
            one.log,
            f"{one.capacity_ah:.3f} Ah",
            f"{one.low_ah:.3f} to {one.high_ah:.3f} Ah",
            f"{100 * one.capacity_ah / nominal_ah:.0f} %" if nominal_ah else "-",
            format_kelvin(one.kelvin),
            one.how,
        )
        for one in found.capacities
    ]
    sentences = [] if rows else ["No log shows a capacity; the reason stands under Not judged."]
    if (trend := found.trend) is not None:
        change = f"{trend.change_ah:+.4f} Ah ({trend.low_ah:+.4f} to {trend.high_ah:+.4f} Ah)"
        sentences.append(f"From log to log {change}, over {trend.logs} logs.")
    return _section("Capacity", sentences, ("log", "capacity", "95 % interval", "of nominal", "at", "how"), rows)


def _list_resistances(found: HealthReport) -> ReportSection:
    rows = [
        (
            one.log,
            f"{1e3 * one.ohm:.2f} mOhm",
            "-" if one.low_ohm is None else f"{1e3 * one.low_ohm:.2f} to {1e3 * (one.high_ohm or 0.0):.2f} mOhm",
            f"{one.after_s:g} s",
            format_kelvin(one.kelvin),
            str(one.steps),
        )
        for one in found.resistances
    ]
    sentences = [] if rows else ["No log shows a resistance; the reason stands under Not judged."]
    return _section("Resistance", sentences, ("log", "mean", "95 % interval", "after", "at", "steps"), rows)


def _list_limits(limits: Sequence[LimitCheck]) -> ReportSection:
    """List the limits, those that are not met first."""
    ordered = sorted(limits, key=lambda one: one.is_met)
    rows = [(one.log, one.quantity, *format_limit(one), "met" if one.is_met else "NOT MET") for one in ordered]
    sentences = [] if rows else ["No limit is judged; the reason stands under Not judged."]
    return _section("Limits of the cell", sentences, ("log", "extreme", "value", "limit", "result"), rows)


def _list_balance(found: HealthReport) -> ReportSection:
    rows = [
        (
            one.log,
            one.at,
            f"{1e3 * one.spread_v:.1f} mV",
            "-" if one.soc_spread is None else f"{100 * one.soc_spread:.1f} %",
            f"cell {one.lowest}",
            f"cell {one.highest}",
            str(one.cells),
        )
        for one in found.balance
    ]
    sentences = [] if rows else ["No balance is judged; the reason stands under Not judged."]
    heads = ("log", "when", "spread", "of charge", "lowest", "highest", "cells")
    return _section("Balance of the cells", sentences, heads, rows)


def _list_gaps(found: HealthReport) -> ReportSection:
    return ReportSection("Not judged", tuple(_cut(found.not_judged)) or ("Everything was judged.",))


def _list_notes(notes: Sequence[str]) -> ReportSection:
    return ReportSection("What was done to the logs", tuple(_cut(notes)) or ("Nothing.",))


def _section(
    title: str, sentences: Iterable[str], heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> ReportSection:
    """Return a section whose table keeps to `MOST` rows, and says how many it leaves out."""
    left_out = [f"{len(rows) - MOST} more rows are left out; --out writes all."] if len(rows) > MOST else []
    return ReportSection(title, (*sentences, *left_out), heads if rows else (), tuple(rows[:MOST]))


def _cut(sentences: Sequence[str]) -> list[str]:
    more = [f"{len(sentences) - MOST} more are left out; --json has all."] if len(sentences) > MOST else []
    return [*sentences[:MOST], *more]


def _shorten(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more
