from __future__ import annotations

import os
import sys

import pytest

from drivers.realtime import LOOP, ask_realtime

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason=f"{sys.platform} has no SCHED_FIFO")


def test_what_was_granted_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, int]] = []

    def grant(pid: int, policy: int, parameter: os.sched_param) -> None:
        asked.append((pid, policy, parameter.sched_priority))

    monkeypatch.setattr(os, "sched_setscheduler", grant)
    assert ask_realtime(LOOP) == ""
    assert asked == [(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, LOOP)]


def test_what_was_not_granted_is_said_with_the_reason_and_the_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    words = ask_realtime(LOOP)
    assert words == (
        "no real-time permission (Operation not permitted); expect a late p99 of about 1.4 ms instead of 0.4 ms"
    )


def test_a_system_without_it_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setscheduler")
    assert "this system has no SCHED_FIFO" in ask_realtime(LOOP)
