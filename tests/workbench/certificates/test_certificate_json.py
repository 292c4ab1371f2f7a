"""What the one writer and the one reader of certificates promise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import RunLogError
from workbench.certificates.certificate import NAME, Certificate
from workbench.certificates.decoder import decode_certificate, read_certificate
from workbench.certificates.encoder import encode_certificate
from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult, Verdict
from workbench.certificates.schema import SCHEMA, VERSION

if TYPE_CHECKING:
    from pathlib import Path

TIME = CaseCheck("limit to contact", 113.6, "ms", 100.0, 160.0, 11.9, Verdict.PASS, at_s=0.4, channel="io/contactor")
MISTAKE = CaseCheck("odd", 1.0, "V", None, 2.0, None, Verdict.ERROR, "the script's mistake")
CELL = CaseResult(
    CaseInfo("OV-01", "Opens.", ("X 1",), "H1", 7, "7", "t[7]"), Verdict.ERROR, "odd", 2.5, (TIME, MISTAKE)
)
BEAT = CaseResult(CaseInfo("HB-01", "Beats.", (), "", None, "", "h"), Verdict.NA, "no heartbeat is declared", 0.1)
WHOLE = Certificate(
    suite="bms",
    evidence="HIL",
    made="2026-11-24T18:30:00Z",
    passed=False,
    counts={Verdict.ERROR: 1, Verdict.NA: 1},
    cases=(CELL, BEAT),
    bench_file="bench.toml",
    bench_sha256="0" * 64,
    versions={"python": "3.11.9"},
    only=("OV-01/7", "HB-01"),
    instruments=("NGI N83624",),
    trouble=("test_x.py: SyntaxError",),
    suite_sha256="1" * 64,
    files={"duty.csv": "2" * 64},
)


def text_of(**changes: Any) -> bytes:
    """The certificate's file with other values at paths such as `cases.0.verdict`; None removes a key."""
    said = json.loads(json.dumps(encode_certificate(WHOLE)))
    for path, value in changes.items():
        at = said
        *parents, key = path.split(".")
        for name in parents:
            at = at[int(name) if isinstance(at, list) else name]
        if value is None:
            del at[key]
        else:
            at[key] = value
    return json.dumps(said).encode()


def test_what_is_written_reads_back_the_same() -> None:
    assert decode_certificate(text_of()) == WHOLE


def test_keys_that_scripts_rely_on() -> None:
    said = encode_certificate(WHOLE)
    assert said["schema"] == "pulsebms.certificate/2"
    assert said.keys() == {
        "schema", "suite", "suite_sha256", "class", "made", "passed", "result", "not_judged", "counts", "cases", "runs",
        "bench", "versions", "only", "instruments", "trouble", "decision",
    }  # fmt: skip
    assert said["cases"][0].keys() == {
        "id", "cell", "variant", "name", "value", "unit", "lo", "hi", "uncertainty", "verdict", "reason", "at_s",
        "channel",
    }  # fmt: skip
    assert said["runs"][0].keys() == {
        "id", "cell", "variant", "title", "refs", "hazard", "test", "reason", "took_s", "verdict",
    }  # fmt: skip
    assert said["bench"] == {"file": "bench.toml", "sha256": "0" * 64, "files": {"duty.csv": "2" * 64}}


def test_a_case_without_checks_has_one_row_that_says_why_and_still_none_when_it_is_read() -> None:
    rows = encode_certificate(WHOLE)["cases"]
    assert [(row["id"], row["verdict"], row["reason"]) for row in rows if row["id"] == "HB-01"] == [
        ("HB-01", "N/A", "no heartbeat is declared")
    ]
    assert decode_certificate(text_of()).cases[1].checks == ()
    assert (WHOLE.not_judged, WHOLE.result) == (1, "NOT PASSED, 1 check not judged")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"suite": None}, "suite is missing"),
        ({"passed": "yes"}, "passed is 'yes', not true or false"),
        ({"class": "REAL"}, "class is 'REAL', not one of SIM, HIL, PACK"),
        ({"bench.sha256": None}, "bench.sha256 is missing"),
        ({"bench": []}, "bench is not a JSON object"),
        ({"counts.MAYBE": 1}, "counts.MAYBE is not a verdict"),
        ({"cases": {}}, "cases is {}, not a list"),
        ({"cases.1.verdict": "MAYBE"}, "cases[1].verdict is 'MAYBE', not one of PASS, FAIL, ERROR, BLOCKED, N/A"),
        ({"cases.0.value": "high"}, "cases[0].value is 'high', not a number"),
        ({"cases.0.id": "OV-02"}, "cases has a row of OV-02/7, which is not in runs"),
        ({"runs.0.cell": 7.5}, "runs[0].cell is 7.5, not a whole number"),
        ({"runs.1.refs": ["a", 3]}, "runs[1].refs is ['a', 3], not a list of texts"),
        ({"runs.1.took_s": None}, "runs[1].took_s is missing"),
    ],
)
def test_an_error_names_what_is_damaged(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # its words are compared
        decode_certificate(text_of(**changes))
    assert str(caught.value) == named


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (f"pulsebms.certificate/{VERSION + 1}", "newer"),
        ("pulsebms.certificate/0", "older"),
        ("pulsebms.run/1", "not"),
        ("pulsebms.certificate/one", "not"),
    ],
)
def test_another_version_is_refused_in_one_sentence_that_names_both(tmp_path: Path, schema: str, named: str) -> None:
    (tmp_path / NAME).write_bytes(text_of(schema=schema))
    with pytest.raises(RunLogError) as caught:
        read_certificate(tmp_path)
    said = str(caught.value)
    assert schema in said
    assert SCHEMA in said
    assert named in said


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"schema": NaN}'])
def test_what_is_no_certificate_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / NAME).write_bytes(text)
    with pytest.raises(RunLogError, match="contains no certificate that can be read"):
        read_certificate(tmp_path)


def test_checks_without_an_uncertainty_are_kept() -> None:
    case = replace(CELL, checks=(MISTAKE,))
    read = decode_certificate(json.dumps(encode_certificate(replace(WHOLE, cases=(case,)))).encode())
    assert read.cases == (case,)
