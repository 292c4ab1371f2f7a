"""JUnit XML stays XML, whatever a suite, a case or an instrument says."""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import fromstring

from workbench.certificates.certificate import Certificate
from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult, Verdict
from workbench.certify.junit import make_junit_xml

ODD = "a\x00\x07\x1b[31m\x7f\x85\ud800\ufffe<&>"


def test_forbidden_characters_are_cleaned_everywhere() -> None:
    check = CaseCheck(ODD, 1.0, ODD, 0.0, 2.0, None, Verdict.FAIL, ODD)
    case = CaseResult(CaseInfo(ODD, ODD, (), "", None, ODD, ODD), Verdict.FAIL, ODD, checks=(check,))
    certificate = Certificate(
        suite=ODD,
        evidence="SIM",
        made=ODD,
        passed=False,
        counts=Counter({Verdict.FAIL: 1}),
        cases=(case,),
        bench_file="b.toml",
        bench_sha256="0" * 64,
        versions={},
        trouble=(ODD,),
    )
    text = make_junit_xml(certificate)
    text.encode("utf-8")
    found = fromstring(text)  # noqa: S314  # ours
    assert found.get("name") == "a???[31m????<&>"
    assert {one.get("classname") for one in found.iter("testcase")} == {"a???[31m????<&>"}
    assert not set(text) & set("\x00\x07\x1b\x7f\x85\ud800\ufffe")
