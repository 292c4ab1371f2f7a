"""The report of a certification: one self-contained HTML file, readable on paper and offline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from workbench.certificates.results import Verdict
from workbench.certify import svg_plots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.certificates.certificate import Certificate
    from workbench.certificates.results import CaseCheck, CaseResult
    from workbench.certify.case_trace import CaseTrace

SYMBOLS: Final = {Verdict.PASS: "✓", Verdict.FAIL: "✕", Verdict.ERROR: "!", Verdict.BLOCKED: "◌", Verdict.NA: "-"}
WORDS: Final = {
    "SIM": "software: at least one instrument or bus was emulated",
    "HIL": "a bench: real instruments, an emulated pack",
    "PACK": "a real pack",
}


@dataclass(frozen=True)
class ReportCase:
    """One case of the page with its plots; the table of cases links to `anchor`."""

    result: CaseResult
    strips: Sequence[svg_plots.PlotStrip]

    @property
    def anchor(self) -> str:
        return self.result.info.name.replace("/", "-")


def make_html(certificate: Certificate, traces: Mapping[str, Sequence[CaseTrace]]) -> str:
    """Return the whole page; `traces` by the name of the test."""
    cases = [
        ReportCase(case, svg_plots.make_strips(traces.get(case.info.test, ()), case.checks))
        for case in certificate.cases
    ]
    return _load_template().render(
        certificate=certificate,
        cases=cases,
        groups=_group_cases(cases),
        symbols=SYMBOLS,
        class_words=WORDS.get(certificate.evidence, ""),
        size=svg_plots,
    )


def format_value(check: CaseCheck) -> str:
    """Return value and uncertainty as text for people."""
    if check.value is None:
        return "-"
    if check.is_question:
        return "yes" if check.value else "no"
    if check.unit == "1":
        return f"{check.value:g}"
    if check.uncertainty:
        return f"{check.value:.1f} ± {check.uncertainty:.1f} {check.unit}"
    return f"{check.value:.4g} {check.unit}"


def format_limits(check: CaseCheck) -> str:
    """Return the allowed range as text."""
    lo, hi, unit = check.lo, check.hi, "" if check.unit == "1" else f" {check.unit}"
    if check.is_question:
        return "yes" if hi is None else "no"
    if lo is None:
        return "" if hi is None else f"≤ {hi:g}{unit}"
    if hi is None:
        return f"≥ {lo:g}{unit}"
    return f"= {lo:g}{unit}" if lo == hi else f"{lo:g} … {hi:g}{unit}"


def _group_cases(cases: Sequence[ReportCase]) -> dict[str, list[ReportCase]]:
    groups: dict[str, list[ReportCase]] = {}
    for case in cases:
        groups.setdefault(case.result.info.id, []).append(case)
    return groups


@cache
def _load_template() -> Any:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"value": format_value, "limits": format_limits}
    return environment.get_template("report.html.j2")
