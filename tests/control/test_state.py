from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from control.output_states import OutputStates
from control.state import FOLLOWS, BenchState, OutputState, StateMachine
from drivers.errors import Refused
from drivers.snapshot import Channel, ChannelTable, Snapshot

TABLE = ChannelTable(tuple(Channel(name, "V") for name in ("supply/output", "io/contactor", "cell_01/voltage")))
DISCONNECTED, CONNECTED, ARMED, RUNNING, TRIPPED = BenchState


def at(state: BenchState) -> StateMachine:
    machine = StateMachine()
    machine.state = state
    return machine


def test_every_transition_is_either_declared_or_refused_in_words() -> None:
    for old, new in product(BenchState, BenchState):
        machine = at(old)
        if new in FOLLOWS[old]:
            machine.to(new)
            assert machine.state is new
        else:
            with pytest.raises(Refused, match=f"cannot go from {old.word} to {new.word}"):
                machine.to(new)
            assert machine.state is old


def test_no_state_leads_past_arming() -> None:
    assert not any(RUNNING in FOLLOWS[state] for state in (DISCONNECTED, CONNECTED, TRIPPED))


def test_a_trip_latches_its_first_reason_until_reset_with_a_reason() -> None:
    machine = at(RUNNING)
    assert machine.trip("cell_07/voltage too high")
    assert not machine.trip("later")
    assert (machine.state, machine.reason) == (TRIPPED, "cell_07/voltage too high")
    with pytest.raises(Refused, match="needs a reason"):
        machine.reset(" ")
    machine.reset("cell was exchanged")
    assert (machine.state, machine.reason) == (CONNECTED, "")


def test_a_bench_that_is_still_being_connected_trips_too() -> None:
    machine = at(DISCONNECTED)
    assert machine.trip("OUTPUTS OFF was pressed")
    assert (machine.state, machine.reason) == (TRIPPED, "OUTPUTS OFF was pressed")


def test_trips_are_counted_and_one_that_changes_nothing_is_not() -> None:
    machine = at(RUNNING)
    machine.trip("first")
    machine.trip("again")
    assert machine.trips == 1
    machine.reset("mended")
    machine.trip("second")
    assert machine.trips == 2


def test_only_tripped_takes_a_reset() -> None:
    with pytest.raises(Refused, match="needs no reset"):
        at(ARMED).reset("why not")


@pytest.mark.parametrize(
    ("supply", "contactor", "cell_v", "state", "word"),
    [
        (0.0, 0.0, 0.0, CONNECTED, OutputState.DE_ENERGISED),
        (0.0, 0.0, 3.7, CONNECTED, OutputState.CELLS_LIVE),
        (0.0, 1.0, 3.7, ARMED, OutputState.CURRENT_OFF),
        (1.0, 1.0, 3.7, RUNNING, OutputState.ENERGISED),
        (1.0, 0.0, 0.0, CONNECTED, OutputState.ENERGISED),
        (0.0, 0.0, 3.7, TRIPPED, OutputState.TRIPPED),
        (1.0, 1.0, 3.7, TRIPPED, OutputState.ENERGISED),
        (math.nan, 0.0, 0.0, CONNECTED, OutputState.UNKNOWN),
        (0.0, math.nan, 3.7, TRIPPED, OutputState.UNKNOWN),
        (0.0, 0.0, math.nan, CONNECTED, OutputState.UNKNOWN),
    ],
)
def test_the_word_follows_from_read_backs(
    supply: float, contactor: float, cell_v: float, state: BenchState, word: OutputState
) -> None:
    now = Snapshot(TABLE, 10.0, np.array([supply, contactor, cell_v]), np.full(3, 9.9), np.zeros(3, dtype=np.uint8))
    assert OutputStates(0, 1, [2], late_s=0.5).derive(now, state) is word


def test_an_old_read_back_proves_nothing() -> None:
    for age_s, word in ((0.5, OutputState.DE_ENERGISED), (0.6, OutputState.UNKNOWN), (math.nan, OutputState.UNKNOWN)):
        sampled_s = np.array([10.0, 10.0 - age_s, 10.0])
        now = Snapshot(TABLE, 10.0, np.zeros(3), sampled_s, np.zeros(3, dtype=np.uint8))
        assert OutputStates(0, 1, [2], late_s=0.5).derive(now, CONNECTED) is word
