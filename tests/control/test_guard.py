"""What the guard decides, without a process, a wire or a clock."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from control.gate import BenchLimits
from control.guard import GuardConfig, GuardState
from control.guard_messages import ARMED, BYE, DISARMED, HEARTBEAT, OFF, QUIT, TICK, TRIP
from tests.control.smallbench import DECLARED, HIGH, LOW, TABLE, VALUES


def watch(*, armed: bool = True, **changes: Any) -> GuardState:
    settings: dict[str, Any] = {
        "ring": Path("none"),
        "limits": BenchLimits(TABLE.channels, LOW, HIGH, DECLARED),
        "required": TABLE.indices(["cell_01/voltage", "supply/current"]),
        "lost_s": np.array([0.25, 0.5]),
        "attended": True,
        "silent_s": 0.12,
        "client_silent_s": 2.0,
        "safe_commands": (),
        "report": Path("none"),
    }
    guard = GuardState(GuardConfig(**{**settings, **changes}))
    guard.on_engine_message(ARMED if armed else DISARMED, 10.0)
    guard.on_client_message(HEARTBEAT, 10.0)
    return guard


def row(guard: GuardState, now_s: float = 10.0, age_s: float = 0.0, **values: float) -> None:
    now = VALUES.copy()
    for name, value in values.items():
        now[TABLE.index(name.replace("__", "/"))] = value
    guard.check_row(now, np.full(len(TABLE), now_s - age_s), now_s)


def test_a_bench_in_order_gives_no_cause() -> None:
    guard = watch()
    row(guard)
    guard.check_timeouts(10.1)
    assert guard.cause == ""


def test_values_on_their_bounds_give_no_cause_and_just_beyond_do() -> None:
    for n, name in ((0, "cell_01__voltage"), (2, "supply__current")):
        for bound, away in ((LOW[n], -math.inf), (HIGH[n], math.inf)):
            guard = watch()
            row(guard, **{name: float(bound)})
            assert guard.cause == ""
            row(guard, **{name: math.nextafter(float(bound), away)})
            assert name.replace("__", "/") in guard.cause


def test_the_cause_names_channel_value_bound_and_declaration_and_the_first_stays() -> None:
    guard = watch()
    row(guard, cell_02__voltage=5.2)
    row(guard, supply__current=99.0)
    assert guard.cause == "cell_02/voltage 5.200 V above 5.000 V (hil24.toml:58)"


def test_upper_limits_count_even_while_disarmed() -> None:
    guard = watch(armed=False)
    row(guard, cell_01__voltage=0.0, supply__current=-79.0)
    assert guard.cause == ""
    row(guard, cell_01__voltage=5.1)
    assert "5.100 V" in guard.cause


def test_a_required_channel_that_stays_unknown_while_armed_is_a_cause() -> None:
    guard = watch()
    row(guard, now_s=10.25, cell_01__voltage=math.nan)
    assert guard.cause == ""
    row(guard, now_s=10.26, cell_01__voltage=math.nan)
    assert "cell_01/voltage is lost" in guard.cause


def test_an_old_sample_of_a_required_channel_is_a_cause() -> None:
    guard = watch()
    row(guard, now_s=11.0, age_s=0.2)
    assert guard.cause == ""
    row(guard, now_s=11.0, age_s=0.3)
    assert "cell_01/voltage is lost" in guard.cause


def test_a_sample_from_the_future_is_as_wrong_as_an_old_one() -> None:
    guard = watch()
    row(guard, now_s=11.0, age_s=-0.2)
    assert guard.cause == ""
    row(guard, now_s=11.0, age_s=-0.3)
    assert "cell_01/voltage is lost" in guard.cause


def test_an_engine_that_ticks_without_new_rows_leaves_the_guard_without_knowledge() -> None:
    guard = watch()
    row(guard, now_s=10.2)
    for now_s, lost in ((10.44, False), (10.46, True)):
        guard.on_engine_message(TICK, now_s)
        guard.check_timeouts(now_s)
        assert ("cell_01/voltage is lost" in guard.cause) is lost


def test_what_was_known_long_before_arming_counts_from_arming_on() -> None:
    guard = watch(armed=False)
    row(guard, now_s=10.0)
    guard.on_client_message(HEARTBEAT, 99.0)
    guard.on_engine_message(ARMED, 99.0)
    guard.check_timeouts(99.11)
    assert guard.cause == ""


def test_knowledge_counts_from_the_engines_first_byte_on_when_it_never_says_disarmed() -> None:
    guard = GuardState(watch().spec)
    guard.check_timeouts(99.0)
    assert guard.cause == ""
    guard.on_engine_message(TICK, 10.0)
    row(guard, now_s=10.2, cell_01__voltage=math.nan)
    assert guard.cause == ""
    row(guard, now_s=10.3, cell_01__voltage=math.nan)
    assert "cell_01/voltage is lost" in guard.cause


def test_lost_knowledge_does_not_count_while_disarmed() -> None:
    guard = watch(armed=False)
    row(guard, now_s=99.0, age_s=50.0)
    assert guard.cause == ""


def test_a_silent_engine_is_a_cause_only_while_armed() -> None:
    for armed in (True, False):
        guard = watch(armed=armed)
        guard.check_timeouts(10.12 - 1e-9)
        assert guard.cause == ""
        guard.check_timeouts(10.13)
        assert bool(guard.cause) is armed


def test_a_tick_ends_the_engines_silence() -> None:
    guard = watch()
    guard.on_engine_message(TICK, 10.1)
    guard.check_timeouts(10.2)
    assert guard.cause == ""


def test_an_engine_that_dies_is_a_cause_unless_it_left_disarmed_and_said_so() -> None:
    for armed, said, dies in ((True, True, True), (False, False, True), (False, True, False)):
        guard = watch(armed=armed)
        if said:
            guard.on_engine_message(QUIT, 10.0)
        guard.on_engine_closed()
        assert bool(guard.cause) is dies


def test_a_window_that_dies_in_an_attended_run_is_a_cause() -> None:
    guard = watch()
    guard.on_client_closed()
    assert "client has ended" in guard.cause


def test_a_window_may_go_in_an_unattended_run() -> None:
    guard = watch(attended=False)
    guard.check_timeouts(12.5)
    assert "window" not in guard.cause
    guard = watch(attended=False)
    guard.on_client_closed()
    assert guard.cause == ""


def test_a_window_that_hangs_for_two_seconds_counts_as_dead_and_a_busy_one_does_not() -> None:
    guard = watch()
    for now_s, word in ((11.99, ""), (12.01, "no message from the client for more than 2.000 s")):
        guard.on_engine_message(TICK, now_s)
        row(guard, now_s)
        guard.check_timeouts(now_s)
        assert guard.cause == word


def test_a_window_that_never_said_anything_counts_as_silent_from_arming_on() -> None:
    guard = GuardState(watch().spec)
    guard.on_engine_message(ARMED, 10.0)
    for now_s, word in ((11.99, ""), (12.01, "no message from the client for more than 2.000 s")):
        guard.on_engine_message(TICK, now_s)
        row(guard, now_s)
        guard.check_timeouts(now_s)
        assert guard.cause == word


@pytest.mark.parametrize("attended", [True, False])
def test_an_attended_run_cannot_be_armed_once_its_window_has_gone(attended: bool) -> None:  # noqa: FBT001  # pytest
    guard = watch(armed=False, attended=attended)
    guard.on_client_closed()
    assert guard.cause == ""
    guard.on_engine_message(ARMED, 10.0)
    assert ("the client ended before the guard was armed" in guard.cause) is attended


def test_a_window_that_leaves_while_disarmed_is_no_cause() -> None:
    guard = watch(armed=False)
    guard.on_client_message(BYE, 10.0)
    guard.on_client_closed()
    assert guard.cause == ""


def test_a_window_that_says_bye_while_armed_still_ends_the_run() -> None:
    guard = watch()
    guard.on_client_message(BYE, 10.0)
    guard.on_client_closed()
    assert "client has ended" in guard.cause


@pytest.mark.parametrize(("armed", "says_quit", "says_bye"), [*itertools.product([True, False], repeat=3)])
def test_all_left_in_order_when_both_said_so_and_the_bench_was_taken_down_before(
    armed: bool,  # noqa: FBT001  # pytest fills it
    says_quit: bool,  # noqa: FBT001  # pytest gives it by name
    says_bye: bool,  # noqa: FBT001  # pytest gives it by name
) -> None:
    guard = watch(armed=armed)
    if says_bye:
        guard.on_client_message(BYE, 10.0)
    if says_quit:
        guard.on_engine_message(QUIT, 10.0)
    assert not guard.ended_in_order
    guard.on_engine_closed()
    assert guard.ended_in_order == (not armed and says_quit and says_bye)


@pytest.mark.parametrize("armed", [True, False])
def test_outputs_off_is_always_a_cause(armed: bool) -> None:  # noqa: FBT001  # pytest fills it
    guard = watch(armed=armed)
    guard.on_client_message(OFF, 10.0)
    assert guard.cause == "OUTPUTS OFF was pressed"


def test_the_engines_own_trip_is_a_cause() -> None:
    guard = watch()
    guard.on_engine_message(TRIP + b"io/estop is open", 10.0)
    assert guard.cause == "engine: io/estop is open"


def test_not_known_to_be_disarmed_counts_as_armed() -> None:
    guard = GuardState(watch().spec)
    guard.on_engine_message(TICK, 10.0)
    guard.check_timeouts(10.2)
    assert "no message from the engine" in guard.cause


def test_a_guard_that_sees_nothing_trips_while_armed() -> None:
    guard = watch(armed=False)
    guard.on_ring_unreadable("no ring")
    assert guard.cause == ""
    guard.on_engine_message(ARMED, 10.0)
    guard.on_ring_unreadable("no ring")
    assert guard.cause == "the guard cannot read the ring: no ring"


def test_a_reset_forgets_the_cause_and_leaves_it_disarmed() -> None:
    guard = watch()
    guard.on_client_message(OFF, 10.0)
    guard.reset()
    guard.check_timeouts(99.0)
    assert (guard.cause, guard.armed) == ("", False)


@pytest.mark.parametrize(("armed", "trips"), [(True, True), (False, False)])
def test_a_computer_that_has_slept_guarded_nobody_meanwhile(*, armed: bool, trips: bool) -> None:
    guard = watch(armed=armed)
    guard.on_sleep(12.0)
    assert ("asleep" in guard.cause) is trips
