"""The log of a fleet host: objects that a machine reads, one id for what a request caused, and no secret."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter
from structlog.contextvars import bound_contextvars

from drivers.errors import Usage
from edge_bridge.fleet.api.request_log import RequestLog
from edge_bridge.fleet.structured_log import FleetLog, hide_in_text
from tests.edge_bridge.fleet.api.served import AppClient, declare_routes, serve_desk
from tests.edge_bridge.fleet.pack import Desk
from workbench.fleet_log import open_log
from workbench.report import Report

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2x9"  # noqa: S105  # of nobody


def test_a_line_is_an_object_with_time_level_and_event() -> None:
    lines = list[str]()
    log = FleetLog(lines.append, as_json=True)
    log.line("pack-1   online")
    log.failure("commit failed", rows=3)
    one, two = map(json.loads, lines)
    assert (one["event"], one["level"], one["time"][-1]) == ("pack-1   online", "info", "Z")
    assert (two["event"], two["level"], two["rows"]) == ("commit failed", "error", 3)


def test_text_stays_as_it_is_and_fields_follow() -> None:
    lines = list[str]()
    log = FleetLog(lines.append, as_json=False)
    log.line("broker   connected again")
    log.event("request", status=200)
    assert lines == ["broker   connected again", "request status=200"]


def test_what_one_request_causes_has_its_id_and_no_other() -> None:
    lines = list[str]()
    log = FleetLog(lines.append, as_json=True)
    with bound_contextvars(request_id="r1"):
        log.event("bundle sent", sha256="ab")
    log.event("row")
    assert [json.loads(line).get("request_id") for line in lines] == ["r1", None]


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_written(as_json: bool) -> None:  # noqa: FBT001  # a parameter of pytest
    lines = list[str]()
    log = FleetLog(lines.append, as_json=as_json)
    log.line(f"database postgresql://fleet:{SECRET}@db/fleet cannot be reached")
    log.line(f"Authorization: Bearer {SECRET}")
    log.line(f"connection failed: password={SECRET} host=db")
    log.event("login", password=SECRET, api_token=SECRET, headers={"Cookie": SECRET, "accept": "x"}, tokens=[SECRET])
    log.event("store", urls=[f"mqtts://me:{SECRET}@broker:8883"])
    assert len(lines) == 5
    assert SECRET not in "".join(lines)
    assert "cannot be reached" in lines[0]
    assert "host=db" in lines[2]


def test_words_about_secrets_are_no_secrets() -> None:
    for text in ("the token has expired", "password of the account was changed", "sqlite:///fleet.sqlite", "10:30 a@b"):
        assert hide_in_text(text) == text


def test_lines_of_many_threads_stay_whole() -> None:
    lines = list[str]()
    log = FleetLog(lines.append, as_json=True)
    threads = [threading.Thread(target=lambda: [log.event("x", n=n) for n in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in lines]) == 200


def test_a_request_keeps_its_id_from_header_to_answer_and_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare_routes(monkeypatch, ("GET", "/work"), ("GET", "/fail"))
    lines, router = list[str](), APIRouter()
    log = FleetLog(lines.append, as_json=True)

    @router.get("/work")
    async def work() -> dict[str, str]:
        log.event("worked")
        return {}

    @router.get("/fail")
    async def fail() -> dict[str, str]:
        raise RuntimeError("a defect")

    with closing(Desk(tmp_path / "fleet.db")) as desk, serve_desk(desk) as served:
        served.client.app.include_router(router, prefix="/api/v1")
        around: Any = RequestLog(served.client.app, log)
        client = AppClient(around)
        answer = client.request("GET", "/work?token=hidden9", headers={"X-Request-Id": "roll-out.7"})
        assert answer.headers["x-request-id"] == "roll-out.7"
        inner, outer = map(json.loads, lines)
        assert (inner["event"], inner["request_id"]) == ("worked", "roll-out.7")
        assert (outer["path"], outer["status"], outer["request_id"]) == ("/api/v1/work", 200, "roll-out.7")
        assert "hidden9" not in "".join(lines)
        for bad in ("", "a" * 65, 'x"; drop', "ä"):
            headers: Any = [(b"x-request-id", bad.encode())]
            assert len(client.request("GET", "/work", headers=headers).headers["x-request-id"]) == 32
        failed = client.request("GET", "/fail")
        last = json.loads(lines[-1])
        assert (failed.status_code, last["status"], last["level"]) == (500, 500, "error")
        assert last["request_id"] == failed.headers["x-request-id"]


def test_the_verb_takes_two_formats(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("fleet")
    open_log(report, "json")
    report.line("broker   mqtt://127.0.0.1:1883")
    open_log(report, "text")
    report.line("plain")
    first, second = capsys.readouterr().out.splitlines()
    assert (json.loads(first)["event"], second) == ("broker   mqtt://127.0.0.1:1883", "plain")
    with pytest.raises(Usage, match="'xml' is no format of a log; write text or json"):
        open_log(report, "xml")
