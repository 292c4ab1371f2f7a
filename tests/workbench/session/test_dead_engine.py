"""What a client knows of the outputs once its engine has died: the word of the guard, however early it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from control.state import BenchState, OutputState
from tests.workbench.session.dying_engine import (
    run_dying_engine,
    run_engine_after_reset,
    run_engine_that_reads_nothing_back,
    run_engine_that_seals,
    run_engine_that_speaks_on,
)
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.session import waiting
from workbench.session.actions import Action
from workbench.session.live_session import LiveSession
from workbench.session.order import EngineOrder

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.session.order import EngineEntry

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


@pytest.mark.parametrize(
    ("engine", "output"),
    [(run_engine_that_speaks_on, OutputState.CURRENT_OFF), (run_engine_after_reset, OutputState.UNKNOWN)],
    ids=["spoke on", "reset"],
)
def test_a_report_of_the_guard_holds_until_its_trip_is_reset_whatever_the_engine_sends_after_it(
    tmp_path: Path, engine: EngineEntry, output: OutputState
) -> None:
    session = LiveSession(EngineOrder(EMULATED_BENCH, tmp_path), engine)
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.RUNNING, LONG_S)
    session.stop()
    assert waiting.wait_for(session, lambda: bool(session.guard_reports), LONG_S)
    before = session.status
    session.stop()
    assert waiting.wait_for(session, lambda: session.status is not before, LONG_S)
    session.stop()
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.DISCONNECTED, LONG_S)
    assert session.status.output is output
    session.close()


def test_a_bench_that_is_being_closed_refuses_to_connect_and_says_why(tmp_path: Path) -> None:
    session = LiveSession(EngineOrder(EMULATED_BENCH, tmp_path), run_engine_that_seals)
    assert waiting.wait_for(session, lambda: not session.can(Action.CONNECT)[0], LONG_S)
    refused = session.connect()
    assert refused.done
    assert refused.error is not None
    assert "is being closed" in refused.error.sentence
    session.close()


def test_off_amid_a_disconnect_from_rest_stays_open_where_no_output_was_read_back(tmp_path: Path) -> None:
    session = LiveSession(EngineOrder(EMULATED_BENCH, tmp_path), run_engine_that_reads_nothing_back)
    session.connect()
    assert waiting.wait_for(session, lambda: session.status.state is BenchState.CONNECTED, LONG_S)
    pressed = session.outputs_off()
    assert waiting.wait_for(session, lambda: "is being closed" in session.can(Action.CONNECT)[1], LONG_S)
    session.poll()
    assert not pressed.done
    assert session.status.output is OutputState.UNKNOWN
    session.close()
