"""A certificate as JUnit XML, for build servers: one test case a case; the form that Jenkins and GitLab read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from workbench.certify.certificate import Certificate

ELEMENTS = {"FAIL": "failure", "ERROR": "error", "BLOCKED": "skipped", "N/A": "skipped"}


def xml(certificate: Certificate) -> str:
    """The whole document."""
    runs, counts = certificate.runs, certificate.counts
    suite = Element(
        "testsuite",
        name=certificate.suite,
        tests=str(len(runs)),
        failures=str(counts["FAIL"]),
        errors=str(counts["ERROR"] + len(certificate.trouble)),
        skipped=str(counts["BLOCKED"] + counts["N/A"]),
        timestamp=certificate.made,
        time=f"{sum(run['took_s'] for run in runs):.3f}",
    )
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", name="result", value=certificate.result)
    SubElement(properties, "property", name="not_judged", value=str(certificate.not_judged))
    for run in runs:
        _case(suite, run, certificate)
    for sentence in certificate.trouble:
        broken = SubElement(suite, "testcase", classname=certificate.suite, name="suite", time="0")
        SubElement(broken, "error", message=_legal(sentence))
    indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def _case(suite: Element, run: dict[str, Any], certificate: Certificate) -> None:
    name = f"{run['id']}/{run['variant']}" if run["variant"] else run["id"]
    case = SubElement(suite, "testcase", classname=certificate.suite, name=_legal(name), time=f"{run['took_s']:.3f}")
    if (element := ELEMENTS.get(run["verdict"])) is None:
        return
    wrong = [row for row in certificate.cases if (row["id"], row["variant"]) == (run["id"], run["variant"])]
    said = [
        f"{row['name']}: {row['value']} {row['unit']}, {row['reason']}" for row in wrong if row["verdict"] != "PASS"
    ]
    SubElement(case, element, message=_legal(run["reason"] or said[0])).text = _legal("\n".join(said))


def _legal(text: str) -> str:
    """Without the control characters that XML 1.0 forbids."""
    return "".join(letter if letter >= " " or letter in "\t\n" else "?" for letter in text)
