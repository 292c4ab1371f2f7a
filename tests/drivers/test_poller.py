"""What becomes of an instrument that is silent, answers nonsense, is another one or goes away."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import BenchError, LinkGarbage, LinkSilent
from drivers.ports import LinkState
from drivers.scpi.io_box import IoBox
from drivers.snapshot import Quality
from tests.drivers.polled import known, running, until
from tests.drivers.scripted import Line, Scripted, hang_up, listening

if TYPE_CHECKING:
    from drivers.scpi.link import ScpiLink

IDENTITY: Line = (b"ID?\n", b"PulseBMS,IO-8,0001,1.0\n")
THERMISTORS: Line = (b"TH?\n", b"10000.0,10000.0\n")
INPUTS: Line = (b"IN?\n", b"estop=1,contactor=0,power=1\n")
EDGE: Line = (b"EDGE?\n", b"contactor=40\n")
TURN = [THERMISTORS, INPUTS, EDGE]


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def box(peer: Scripted, period_s: float = 60.0, clock: Clock | None = None) -> IoBox:
    return IoBox(peer.address, "PulseBMS,IO-8", period_s, thermistors=2, clock=clock or Clock())


def box_at(port: int) -> IoBox:
    return IoBox(f"127.0.0.1:{port}", "PulseBMS,IO-8", 60.0, thermistors=2)


def free_port() -> int:
    with listening() as server:
        port: int = server.getsockname()[1]
    return port


def test_values_are_missing_before_the_first_reply() -> None:
    seen = known(box_at(9))
    assert np.isnan(seen.values).all()
    assert np.isnan(seen.sampled_s).all()
    assert (seen.quality == Quality.MISSING).all()


def test_a_fresh_value_is_good_and_has_its_time() -> None:
    before_s = time.monotonic()
    with Scripted([IDENTITY, *TURN]) as peer, running(source := box(peer)):
        until(lambda: source.poller.reading is not None)
        seen = known(source)
    assert (seen.quality == Quality.GOOD).all()
    assert before_s < seen.sampled_s[0] < time.monotonic()


def test_a_value_older_than_three_periods_is_stale_while_the_instrument_answers() -> None:
    clock = Clock()
    with Scripted([IDENTITY, *TURN]) as peer, running(source := box(peer, 60.0, clock)):
        until(lambda: source.poller.reading is not None)
        clock.ahead_s = 200.0
        seen = known(source)
    assert (seen.quality == Quality.STALE).all()
    assert seen.values[0] == 1.0


def test_a_value_out_of_its_range_is_implausible() -> None:
    hot = (b"TH?\n", b"10000.0,1.0\n")
    with Scripted([IDENTITY, hot, INPUTS, EDGE]) as peer, running(source := box(peer)):
        until(lambda: source.poller.reading is not None)
        assert list(known(source).quality[-2:]) == [Quality.GOOD, Quality.IMPLAUSIBLE]


@pytest.mark.timed
def test_the_exchange_keeps_its_period_on_an_absolute_grid() -> None:
    with Scripted([IDENTITY, *TURN * 6], open_end=True) as peer, running(box(peer, 0.03)):
        began_s = time.monotonic()
        peer.wait()
        assert 0.1 < time.monotonic() - began_s < 0.6


def test_a_silent_instrument_is_silent_and_its_values_go_missing() -> None:
    clock = Clock()
    script = [IDENTITY, *TURN, (b"TH?\n", b"")]
    with Scripted(script, open_end=True) as peer, running(source := box(peer, 0.05, clock)):
        until(lambda: source.health().state is LinkState.SILENT)
        clock.ahead_s = 1.0
        seen = known(source)
    assert (seen.quality == Quality.MISSING).all()
    assert np.isnan(seen.values).all()
    assert np.isfinite(seen.sampled_s).all()


def test_one_garbled_reply_is_told_and_forgiven() -> None:
    script = [IDENTITY, *TURN, (b"TH?\n", b"%&!\n"), *TURN]
    states: list[LinkState] = []
    with Scripted(script, open_end=True) as peer, running(source := box(peer, 0.05)):
        until(lambda: states.append(source.health().state) or source.connections != 1 or peer.done.is_set())
        until(lambda: source.health().state is LinkState.OK)
        assert LinkState.GARBAGE in states
        assert source.connections == 1


def test_garbage_three_times_ends_the_connection() -> None:
    script = [IDENTITY, *[(b"TH?\n", b"%&!\n")] * 3]
    with Scripted(script, open_end=True) as peer, running(source := box(peer, 0.02), LinkState.GARBAGE):
        until(lambda: peer.ended == 1)
        assert peer.address in source.health().detail


def test_a_late_rest_of_a_line_is_never_taken_for_the_next_answer() -> None:
    lives = [IDENTITY, *TURN, (b"TH?\n", b"10000.0,1")], [IDENTITY, *TURN]
    with Scripted(*lives, open_end=True) as peer, running(source := box(peer, 0.05)):
        until(lambda: source.health().state is LinkState.GARBAGE)
        assert "without a line end" in source.health().detail
        until(lambda: source.connections == 2)
        peer.wait()


def test_a_service_call_with_half_an_answer_ends_the_connection() -> None:
    lives = [IDENTITY, *TURN, (b"ID?\n", b"PulseBMS,IO")], [IDENTITY, *TURN]
    with Scripted(*lives) as peer, running(source := box(peer)):
        with pytest.raises(LinkGarbage, match="without a line end"):
            source.identity()
        until(lambda: source.connections == 2)


def test_another_model_is_told_and_never_polled() -> None:
    with (
        Scripted([(b"ID?\n", b"PulseBMS,IO-4,0001,1.0\n")]) as peer,
        running(source := box(peer), LinkState.WRONG_MODEL),
    ):
        assert "PulseBMS,IO-4" in source.health().detail
        assert source.connections == 0


def test_a_dropped_instrument_comes_back_after_its_identity_was_checked_again() -> None:
    lives = [IDENTITY, *TURN, (b"TH?\n", hang_up)], [IDENTITY, *TURN]
    with Scripted(*lives, open_end=True) as peer, running(source := box(peer, 0.05)):
        until(lambda: source.connections == 2)
        until(lambda: source.health().state is LinkState.OK)


def test_nothing_that_was_wanted_before_a_drop_is_sent_after_it() -> None:
    lives = [IDENTITY, *TURN, (b"TH 10000.0,10000.0\n", hang_up)], [IDENTITY, *TURN]
    with Scripted(*lives, open_end=True) as peer, running(source := box(peer, 0.1)):
        source.set_temperatures(np.full(2, 298.15))
        until(lambda: source.connections == 2)
        peer.wait()


def test_an_instrument_that_is_switched_on_later_is_found() -> None:
    port = free_port()
    with running(source := box_at(port), LinkState.DROPPED):
        assert "connection refused" in source.health().detail
        with Scripted([IDENTITY, *TURN], port=port):
            until(lambda: source.health().state is LinkState.OK)


def test_a_service_call_is_refused_while_nobody_answers() -> None:
    with (
        running(source := box_at(free_port()), LinkState.DROPPED),
        pytest.raises(BenchError, match=r"io_box is dropped: .*connection refused"),
    ):
        source.identity()


def test_a_service_call_runs_on_the_instruments_thread_between_exchanges() -> None:
    with Scripted([IDENTITY, *TURN]) as peer, running(source := box(peer)):
        peer.wait()
        assert source.poller.call(lambda _: threading.current_thread().name) == "poll io_box"


def test_a_failing_service_call_is_the_callers_and_the_polling_goes_on() -> None:
    def fail(_: ScpiLink) -> None:
        raise ZeroDivisionError

    with Scripted([IDENTITY, *TURN * 4], open_end=True) as peer, running(source := box(peer, 0.05)):
        with pytest.raises(ZeroDivisionError):
            source.poller.call(fail)
        peer.wait()


def test_a_service_call_without_an_answer_tells_both_caller_and_state() -> None:
    with Scripted([IDENTITY, *TURN, (b"ID?\n", b"")]) as peer, running(source := box(peer)):
        with pytest.raises(LinkSilent):
            source.identity()
        until(lambda: source.health().state is LinkState.SILENT)


@pytest.mark.timed
def test_closing_ends_the_thread_within_the_period() -> None:
    with Scripted([IDENTITY, *TURN]) as peer:
        with running(source := box(peer)):
            peer.wait()
            began_s = time.monotonic()
        assert time.monotonic() - began_s < 1.0
        assert source.health().state is LinkState.CLOSED
        assert "poll io_box" not in {thread.name for thread in threading.enumerate()}
