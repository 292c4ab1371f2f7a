"""The event stream of a certification, from its writer to its reader."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult, Verdict
from workbench.certify.case_trace import CaseTrace
from workbench.certify.event_stream import NAME, EventStreamReader, EventStreamWriter
from workbench.certify.events import (
    BenchIdentified,
    CaseBegun,
    CaseEnded,
    CasesCollected,
    CertificationFinished,
    CertifyEvent,
    CheckRecorded,
    FileBroken,
    encode_event,
)

if TYPE_CHECKING:
    from pathlib import Path

CASE = CaseInfo("OV-01", "Opens.", ("X 1",), "H1", 7, "7", "test_x.py::test_opens[7]")
CHECK = CaseCheck("opens", 1.0, "1", 1.0, None, 0.0, Verdict.PASS, at_s=0.5, channel="io/contactor")
TRACES = (
    CaseTrace("cell_07/voltage", "V", (0.0, 0.1), (3.7, None), bound=4.25, crossed_s=0.05),
    CaseTrace("io/contactor", "1", (0.0,), (1.0,)),
)
EVENTS: tuple[CertifyEvent, ...] = (
    CasesCollected((CASE,)),
    CaseBegun(CASE),
    CheckRecorded(CASE, CHECK),
    CaseEnded(CaseResult(CASE, Verdict.PASS, "", 1.5, (CHECK,)), TRACES),
    BenchIdentified("SIM", "/runs/1", ("NGI N83624",)),
    FileBroken("test_x.py", "SyntaxError"),
    CertificationFinished(),
)


def test_events_arrive_as_they_were_written(tmp_path: Path) -> None:
    writer, reader = EventStreamWriter(tmp_path), EventStreamReader(tmp_path)
    for event in EVENTS:
        writer.write(event)
        assert list(reader.read()) == [event]
    writer.close()
    assert list(reader.read()) == []
    assert list(EventStreamReader(tmp_path).read()) == list(EVENTS)


def test_a_line_that_is_not_finished_waits(tmp_path: Path) -> None:
    line = json.dumps(encode_event(CaseBegun(CASE))).encode() + b"\n"
    reader, path = EventStreamReader(tmp_path), tmp_path / NAME
    assert list(reader.read()) == []
    path.write_bytes(line[:20])
    assert list(reader.read()) == []
    path.write_bytes(line)
    assert list(reader.read()) == [CaseBegun(CASE)]


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[]", b"7", b'{"event": "unheard of"}', b'{"event": 3}', b'{"no": 1}'])
def test_a_line_that_is_not_ours_is_left_out(tmp_path: Path, line: bytes) -> None:
    (tmp_path / NAME).write_bytes(line + b"\n")
    assert list(EventStreamReader(tmp_path).read()) == []


def test_a_bench_that_has_said_nothing_yet_is_no_event(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'{"event": "bench"}\n')
    assert list(EventStreamReader(tmp_path).read()) == []


def test_a_damaged_line_is_named_and_the_next_ones_are_read(tmp_path: Path) -> None:
    wrong = encode_event(EVENTS[3]) | {"verdict": "MAYBE"}
    lines = [wrong, encode_event(EVENTS[6])]
    (tmp_path / NAME).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    broken, finished = EventStreamReader(tmp_path).read()
    assert isinstance(broken, FileBroken)
    assert broken.file == NAME
    assert "verdict is 'MAYBE'" in broken.reason
    assert finished == CertificationFinished()


def test_keys_of_the_stream() -> None:
    head = {"event", "id", "title", "refs", "hazard", "cell", "variant", "test"}
    ended = encode_event(EVENTS[3])
    assert encode_event(EVENTS[1]).keys() == head
    assert encode_event(EVENTS[2]).keys() == head | {"check"}
    assert ended.keys() == head | {"verdict", "reason", "checks", "traces", "took_s"}
    assert [trace.keys() for trace in ended["traces"]] == [
        {"channel", "unit", "t", "y", "bound", "crossed"},
        {"channel", "unit", "t", "y"},
    ]
