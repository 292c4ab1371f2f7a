"""What a client knows of the outputs once its engine has died: the word of the guard, however early it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control.state import BenchState, OutputState
from tests.workbench.session.dying_engine import run_dying_engine
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.session import waiting
from workbench.session.live_session import LiveSession
from workbench.session.order import EngineOrder

if TYPE_CHECKING:
    from pathlib import Path

LONG_S = 30.0


def test_a_guard_that_reports_before_the_engines_end_is_known_is_believed(tmp_path: Path) -> None:
    session = LiveSession(EngineOrder(EMULATED_BENCH, tmp_path), run_dying_engine)
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.RUNNING, LONG_S)
    session.stop()
    assert waiting.wait_for(session, lambda: bool(session.guard_reports), LONG_S)
    assert session.status.output is OutputState.ENERGISED, "the engine still stands for it"
    session.stop()
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.DISCONNECTED, LONG_S)
    assert session.status.output is OutputState.CURRENT_OFF
    session.close()
