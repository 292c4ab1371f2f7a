"""A certificate as JUnit XML for build servers, in the form that Jenkins and GitLab read: one test case per case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from workbench.certificates.results import Verdict

if TYPE_CHECKING:
    from workbench.certificates.certificate import Certificate
    from workbench.certificates.results import CaseResult

ELEMENTS: Final = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.BLOCKED: "skipped",
    Verdict.NA: "skipped",
}
FORBIDDEN: Final = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def make_junit_xml(certificate: Certificate) -> str:
    """Return the whole document."""
    cases, counts = certificate.cases, certificate.counts
    suite = Element(
        "testsuite",
        name=_clean(certificate.suite),
        tests=str(len(cases)),
        failures=str(counts[Verdict.FAIL]),
        errors=str(counts[Verdict.ERROR] + len(certificate.trouble)),
        skipped=str(counts[Verdict.BLOCKED] + counts[Verdict.NA]),
        timestamp=_clean(certificate.made),
        time=f"{sum(case.took_s for case in cases):.3f}",
    )
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", name="result", value=certificate.result)
    SubElement(properties, "property", name="not_judged", value=str(certificate.not_judged))
    for case in cases:
        _add_case(suite, case, certificate.suite)
    for sentence in certificate.trouble:
        broken = SubElement(suite, "testcase", classname=_clean(certificate.suite), name="suite", time="0")
        SubElement(broken, "error", message=_clean(sentence))
    indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _add_case(suite: Element, case: CaseResult, suite_name: str) -> None:
    name, took = _clean(case.info.name), f"{case.took_s:.3f}"
    test = SubElement(suite, "testcase", classname=_clean(suite_name), name=name, time=took)
    if (element := ELEMENTS.get(case.verdict)) is None:
        return
    wrong = [row for row in case.rows if row.verdict is not Verdict.PASS]
    lines = [f"{row.name}: {row.value} {row.unit}, {row.reason}" for row in wrong]
    SubElement(test, element, message=_clean(case.reason or lines[0])).text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    """Replace the characters that XML 1.0 forbids, such as control characters and half pairs, by `?`."""
    return FORBIDDEN.sub("?", text)
