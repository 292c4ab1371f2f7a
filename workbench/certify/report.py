"""The report of a certification: one self-contained HTML file, readable on paper and offline."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from workbench.certify import drawing
from workbench.certify.verdict import is_question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.certify.certificate import Certificate

SYMBOLS: Final = {"PASS": "✓", "FAIL": "✕", "ERROR": "!", "BLOCKED": "◌", "N/A": "-"}
WORDS: Final = {
    "SIM": "software: emulated instruments or a software bus took part",
    "HIL": "a bench: real instruments, an emulated pack",
    "PACK": "a real pack",
}


def html(certificate: Certificate, traces: Mapping[str, Sequence[dict[str, Any]]]) -> str:
    """The whole page; `traces` by the name of the test."""
    cases: list[dict[str, Any]] = []
    for run in certificate.runs:
        key = (run["id"], run["variant"])
        checks = [row for row in certificate.cases if (row["id"], row["variant"]) == key]
        strips = drawing.strips(traces.get(run["test"], ()), checks)
        name = "/".join(part for part in key if part)
        cases.append({**run, "name": name, "anchor": name.replace("/", "-"), "checks": checks, "strips": strips})
    return _template().render(
        certificate=certificate,
        cases=cases,
        groups=_groups(cases),
        symbols=SYMBOLS,
        class_words=WORDS.get(certificate.evidence, ""),
        size=drawing,
    )


def value(check: dict[str, Any]) -> str:
    """Value and uncertainty as people read them."""
    if check["value"] is None:
        return "-"
    if is_question(check):
        return "yes" if check["value"] else "no"
    if check["unit"] == "1":
        return f"{check['value']:g}"
    spread = check["uncertainty"]
    return f"{check['value']:.1f} ± {spread:.1f} {check['unit']}" if spread else f"{check['value']:.4g} {check['unit']}"


def limits(check: dict[str, Any]) -> str:
    """What was allowed."""
    lo, hi, unit = check["lo"], check["hi"], "" if check["unit"] == "1" else f" {check['unit']}"
    if is_question(check):
        return "yes" if hi is None else "no"
    if lo is None and hi is None:
        return ""
    if lo == hi:
        return f"= {lo:g}{unit}"
    if lo is None or hi is None:
        return f"≤ {hi:g}{unit}" if lo is None else f"≥ {lo:g}{unit}"
    return f"{lo:g} … {hi:g}{unit}"


def _groups(cases: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for case in cases:
        groups.setdefault(case["id"], []).append(case)
    return groups


@cache
def _template() -> Any:
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {"value": value, "limits": limits}
    return environment.get_template("report.html.j2")
