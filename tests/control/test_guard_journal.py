"""The guard's journal: a line holds what was recorded; what is damaged or unknown is named and counts for nothing."""

from __future__ import annotations

import json
import math
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from control.guard_journal import FILE_NAME, decode_line, encode_line, read_journal
from control.guard_reports import (
    ArmAnswer,
    GuardEnded,
    GuardReset,
    GuardResult,
    GuardStarted,
    MarkAnswer,
    OffReceived,
    ResetAnswer,
    TripReport,
)
from drivers.safe_commands import SafeStepResult

if TYPE_CHECKING:
    from pathlib import Path

    from control.guard_reports import JournalRecord

STEP = SafeStepResult("supply off", verified=True, sent_s=10.0, verified_s=10.25, detail="")
TRIP = TripReport(2, (7, 8), "engine has died", GuardResult.SAFE, (STEP,), 10.0, 10.0, 10.25, (4711, 0))
TRIP_LINE: dict[str, Any] = {
    "t_s": 11.0,
    "guard": "tripped",
    "trip": 2,
    "offs": [7, 8],
    "reason": "engine has died",
    "result": "SAFE",
    "steps": [{"name": "supply off", "verified": True, "sent_s": 10.0, "verified_s": 10.25, "detail": ""}],
    "trigger_s": 10.0,
    "first_send_s": 10.0,
    "verified_s": 10.25,
    "ports": [4711, 0],
}
LINES: list[tuple[JournalRecord, dict[str, Any]]] = [
    (GuardStarted("SCHED_FIFO 50"), {"t_s": 11.0, "guard": "started", "realtime": "SCHED_FIFO 50"}),
    (ArmAnswer(3, armed=True, cause=""), {"t_s": 11.0, "guard": "armed", "number": 3, "cause": ""}),
    (ArmAnswer(4, armed=False, cause="lost"), {"t_s": 11.0, "guard": "disarmed", "number": 4, "cause": "lost"}),
    (ResetAnswer(5, ""), {"t_s": 11.0, "guard": "ready", "number": 5, "reason": ""}),
    (ResetAnswer(6, "lost"), {"t_s": 11.0, "guard": "latched", "number": 6, "reason": "lost"}),
    (OffReceived(7, 10.5), {"t_s": 10.5, "guard": "received", "number": 7}),
    (MarkAnswer(ok=True), {"t_s": 11.0, "guard": "said", "ok": True}),
    (TRIP, TRIP_LINE),
    (GuardReset("mended", "lost"), {"t_s": 11.0, "guard": "reset", "reason": "mended", "was": "lost"}),
    (GuardEnded(GuardResult.NOTHING_TRIPPED), {"t_s": 11.0, "guard": "ended", "result": "NOTHING TRIPPED"}),
]


@pytest.mark.parametrize(("record", "line"), LINES)
def test_each_record_has_its_line_and_comes_back_from_it(record: JournalRecord, line: dict[str, Any]) -> None:
    encoded = encode_line(record, 11.0)
    assert encoded == json.dumps(line).encode() + b"\n"
    assert decode_line(encoded) == record
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301  # as a pipe does


def test_a_time_that_is_not_known_stays_not_known() -> None:
    line = json.dumps(TRIP_LINE | {"verified_s": math.nan, "result": "UNKNOWN"}).encode()
    report = decode_line(line)
    assert isinstance(report, TripReport)
    assert math.isnan(report.verified_s)
    assert math.isnan(report.took_ms)
    assert not report.is_safe


def test_lines_from_before_trips_and_requests_had_numbers_are_read() -> None:
    report = decode_line(json.dumps({key: TRIP_LINE[key] for key in TRIP_LINE if key not in ("trip", "offs")}).encode())
    assert isinstance(report, TripReport)
    assert (report.trip, report.offs, report.is_safe) == (0, (), True)
    assert decode_line(b'{"t_s": 11.0, "guard": "ready", "reason": ""}') == ResetAnswer(0, "")
    assert decode_line(b'{"t_s": 11.0, "guard": "started", "realtime": "", "ports": [0]}') == GuardStarted("")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"", "Expecting value"),
        (json.dumps(TRIP_LINE).encode()[:-5], "delimiter"),
        (b"\0" * 40, "Expecting value"),
        (b"\xff\xfe{}", "utf-8"),
        (b"[" * 100_000, "nested"),
        (b"[]", "not a JSON object"),
        (b'{"t_s": 11.0}', "lacks 'guard'"),
        (b'{"guard": "fine"}', "'fine' is unknown"),
        (b'{"guard": 1}', "guard is not text"),
        (b'{"guard": "ended"}', "lacks 'result'"),
        (b'{"guard": "ended", "result": "PERHAPS"}', "PERHAPS"),
        (b'{"guard": "said", "ok": 1}', "neither true nor false"),
        (b'{"guard": "ready", "number": 5, "reason": "lost"}', "contradict"),
        (b'{"guard": "latched", "number": 5, "reason": ""}', "contradict"),
        (b'{"guard": "received", "number": true, "t_s": 1.0}', "not a whole number"),
        (b'{"guard": "received", "number": 5, "t_s": "now"}', "not a number"),
        (b'{"guard": "received", "number": 5, "t_s": 1' + b"0" * 400 + b"}", "too large"),
        (json.dumps(TRIP_LINE | {"steps": [1]}).encode(), "step of it is not a JSON object"),
        (json.dumps(TRIP_LINE | {"steps": {}}).encode(), "steps is not a list"),
        (json.dumps(TRIP_LINE | {"offs": ["7"]}).encode(), "offs is not a whole number"),
    ],
)
def test_a_damaged_or_unknown_line_is_an_error_in_words(line: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        decode_line(line)


def test_a_journal_names_the_line_that_it_does_not_believe_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    first = TripReport(1, (), "lost", GuardResult.UNKNOWN, (), math.inf, math.inf, math.inf, ())
    torn = encode_line(GuardEnded(GuardResult.SAFE), 12.0)[:-5]
    path.write_bytes(encode_line(first, 10.0) + b'{"guard": "fine"}\n' + encode_line(TRIP, 11.0) + torn)
    journal = read_journal(path)
    assert journal.records == (first, TRIP)
    assert [sentence.split(" cannot")[0] for sentence in journal.damage] == [f"line {n} of {FILE_NAME}" for n in (2, 4)]
    assert journal.newest(TripReport) == TRIP
    assert journal.newest(GuardEnded) is None


def test_a_journal_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_journal(tmp_path / FILE_NAME)
