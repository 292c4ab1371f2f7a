"""The status that a client receives: what was looked at later arrives later."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from control.guard_link import pipe
from workbench.compose.bench import compose
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.engine import status
from workbench.engine.engine import Engine
from workbench.session.order import EngineOrder
from workbench.session.status import SessionStatus

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

OVERTAKEN_S = 0.2


def test_a_status_that_was_looked_at_earlier_does_not_arrive_behind_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pipe()
    engine = Engine(EngineOrder(EMULATED_BENCH, tmp_path), theirs, theirs, compose)
    first_looks, second_looked = threading.Event(), threading.Event()

    def make_status(_: Engine) -> SessionStatus:
        if first_looks.is_set():
            second_looked.set()
            return SessionStatus(run_name="second")
        first_looks.set()
        second_looked.wait(OVERTAKEN_S)
        return SessionStatus(run_name="first")

    monkeypatch.setattr(status, "make_status", make_status)
    herald = threading.Thread(target=engine.publish)
    herald.start()
    assert first_looks.wait(10.0)
    engine.publish()
    herald.join()
    assert [ours.recv().status.run_name for _ in range(2)] == ["first", "second"]
    engine.to_client.close()
    for end in (ours, theirs):
        end.close()
