"""Who may die, hang or hang up when: engine, client, guard and supply as real processes and a real socket."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from control.guard_journal import FILE_NAME
from control.guard_link import GuardLink
from control.guard_messages import ARMED, DISARMED, HEARTBEAT, MARK, OFF, RESET
from control.guard_reports import GuardEnded, GuardResult, Heartbeat, MarkAnswer, ResetAnswer, TripReport
from tests.control.guardbench import CLIENT_SILENT_S, SILENT_S, SOON_S, Among, soon
from tests.waiting import stays, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither SIGKILL nor SIGSTOP")


@pytest.fixture
def among(tmp_path: Path) -> Iterator[Among]:
    made = Among(tmp_path)
    yield made
    made.close()


def armed_and_ticking(among: Among) -> None:
    """Guard, engine and client as processes, live: the guard's own connection stands and nothing is wrong."""
    among.start(engine="armed", client=True)
    assert soon(lambda: among.reached("armed") and among.reached("beating"))
    assert among.trip_report() is None


def assert_switched_off(among: Among, because: str) -> None:
    report = wait_until(among.trip_report, SOON_S, "the guard's report")
    assert because in report.reason
    assert (report.result, among.supply.on) == (GuardResult.SAFE, False)
    assert among.supply.off_from[0] == report.ports[0], "it must be the guard's own connection"


@pytest.mark.parametrize("until", ["silent", "disarmed", "armed"])
def test_an_engine_killed_at_any_moment_is_made_safe(among: Among, until: str) -> None:
    among.start(engine=until)
    among.pipes["client"].send_bytes(HEARTBEAT)
    assert soon(lambda: among.reached(until))
    among.signal("engine", signal.SIGKILL)
    assert_switched_off(among, "engine has died")


def test_an_engine_killed_while_the_guard_still_starts_is_made_safe(among: Among) -> None:
    among.start(engine="silent")
    among.signal("engine", signal.SIGKILL)
    assert_switched_off(among, "engine has died")


def test_an_engine_that_is_stopped_is_made_safe_and_finds_a_latched_guard_when_it_goes_on(among: Among) -> None:
    armed_and_ticking(among)
    among.signal("engine", signal.SIGSTOP)
    stopped_s = time.monotonic()
    assert_switched_off(among, f"no message from the engine for more than {SILENT_S:.3f} s")
    assert SILENT_S - 0.05 <= among.supply.off_s[0] - stopped_s <= SILENT_S + 0.5
    said = len(among.supply.off_s)
    among.signal("engine", signal.SIGCONT)
    assert soon(lambda: len(among.supply.off_s) > said), "open wins until reset: it goes on saying so"


def test_a_client_killed_in_an_attended_run_is_followed_by_off(among: Among) -> None:
    armed_and_ticking(among)
    among.signal("client", signal.SIGKILL)
    assert_switched_off(among, "client has ended in an attended run")


def test_a_client_that_hangs_counts_as_dead(among: Among) -> None:
    armed_and_ticking(among)
    among.signal("client", signal.SIGSTOP)
    assert_switched_off(among, f"no message from the client for more than {CLIENT_SILENT_S:.3f} s")


def test_a_client_that_is_busy_for_half_of_that_does_not(among: Among) -> None:
    among.start(engine="armed", client=True, busy_s=CLIENT_SILENT_S / 2)
    stays(
        lambda: (among.trip_report(), among.supply.on) == (None, True),
        lambda: among.reached("armed") and among.reached("beating"),
    )


def test_in_an_unattended_run_a_killed_client_changes_nothing(among: Among) -> None:
    among.attended = False
    armed_and_ticking(among)
    among.signal("client", signal.SIGKILL)
    stays(lambda: (among.trip_report(), among.supply.on) == (None, True), among.turns(15))
    assert among.peers["guard"].is_alive()
    among.signal("engine", signal.SIGKILL)
    assert_switched_off(among, "engine has died")


def test_when_both_die_at_once_the_guard_makes_safe_and_then_ends(among: Among) -> None:
    armed_and_ticking(among)
    for name in ("client", "engine"):
        among.signal(name, signal.SIGKILL)
    assert among.ended() == 0
    assert not among.supply.on
    assert among.records()[-1] == GuardEnded(GuardResult.SAFE)


def test_a_supply_that_hung_up_just_before_is_met_again_and_switched_off(among: Among) -> None:
    armed_and_ticking(among)
    among.supply.hang_up()
    among.signal("engine", signal.SIGKILL)
    assert_switched_off(among, "engine has died")
    assert len(among.supply.ports) == 2


def test_a_supply_that_answers_late_is_verified_by_its_late_answer(among: Among) -> None:
    among.supply.late_s = 0.15
    armed_and_ticking(among)
    among.signal("engine", signal.SIGKILL)
    assert_switched_off(among, "engine has died")


def test_a_supply_that_closes_idle_connections_keeps_the_guards(among: Among) -> None:
    among.supply.idle_s = 0.4
    armed_and_ticking(among)
    stays(lambda: len(among.supply.ports) == 1, among.turns(10))


@pytest.mark.timed
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP] if sys.platform != "win32" else [])
def test_the_engine_notices_a_guard_that_is_killed_or_stopped(among: Among, number: signal.Signals) -> None:
    among.start()
    among.pipes["engine"].send_bytes(DISARMED)
    link = GuardLink(among.pipes["engine"], time.monotonic)
    assert soon(link.alive)
    among.signal("guard", number)
    began_s = time.monotonic()
    assert soon(lambda: not link.alive())
    assert time.monotonic() - began_s < 0.5
    link.close()


def test_a_guard_whose_report_finds_no_room_speaks_all_the_same(among: Among) -> None:
    (among.folder / FILE_NAME).symlink_to("/dev/full")
    among.start()
    among.pipes["engine"].send_bytes(DISARMED)
    among.pipes["client"].send_bytes(OFF)
    assert among.next(TripReport).is_safe
    assert not among.supply.on
    among.pipes["engine"].send_bytes(RESET + b"pressed by mistake")
    assert among.next(ResetAnswer).is_granted
    among.leave()
    assert among.ended() == 0


def test_a_supply_switched_on_again_by_hand_is_switched_off_again_until_reset(among: Among) -> None:
    among.start()
    among.pipes["client"].send_bytes(OFF)
    among.next(TripReport)
    among.supply.on = True
    assert soon(lambda: not among.supply.on)

    def is_reset() -> bool:  # refused until the guard has read off back
        among.pipes["engine"].send_bytes(RESET + b"by hand")
        return among.next(ResetAnswer).is_granted

    assert soon(is_reset)
    said = len(among.supply.off_s)
    stays(lambda: len(among.supply.off_s) == said, among.turns(15))
    among.leave()
    assert among.ended() == 0


def test_the_mark_goes_out_only_while_nothing_is_latched(among: Among) -> None:
    among.start()
    among.pipes["engine"].send_bytes(DISARMED)
    assert soon(lambda: not among.next(Heartbeat).trouble)
    among.pipes["engine"].send_bytes(MARK + b"SINK:POW 1990\n")
    assert among.next(MarkAnswer).ok
    assert soon(lambda: b"SINK:POW 1990" in among.supply.lines)
    among.pipes["client"].send_bytes(OFF)
    among.next(TripReport)
    among.pipes["engine"].send_bytes(MARK + b"SINK:POW 1991\n")
    assert not among.next(MarkAnswer).ok
    among.pipes["engine"].send_bytes(ARMED)
    among.leave()
    assert among.ended() == 0
    assert b"SINK:POW 1991" not in among.supply.lines
