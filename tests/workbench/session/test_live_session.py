"""A session on the emulated bench, walked as an operator would; every test brings the bench to where it wants it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.state import BenchState, OutputState
from drivers.errors import CheckFailed, PulseError, Refused
from tests.workbench.live import HIL24, channel, end_guard, outputs, pass_ticks, since, ticks
from workbench.selftest import evidence
from workbench.selftest.context import SelftestContext
from workbench.session import waiting
from workbench.session.live_session import join_ports
from workbench.session.status import CheckState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.session.live_session import LiveSession

pytestmark = pytest.mark.whole_bench
CELL = 5


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SelftestContext]:
    walked = SelftestContext(tmp_path_factory.mktemp("live"), HIL24, "", print)
    yield walked
    walked.close_session()


def state(session: LiveSession) -> BenchState:
    return session.status.state


def inject(session: LiveSession, fault: str, **parameters: float | str) -> int:
    pending = session.inject(fault, parameters)
    waiting.finish(session, pending, 5.0)
    return int(pending.payload["number"])


def clear(session: LiveSession, number: int) -> None:
    waiting.finish(session, session.clear(number), 5.0)


def at_rest(trip: SelftestContext) -> LiveSession:
    """Connected, nothing live."""
    session = trip.bring_to(BenchState.CONNECTED)
    if state(session) is BenchState.RUNNING:
        waiting.finish(session, session.stop(), 5.0)
        assert waiting.wait_for(session, lambda: state(session) is BenchState.ARMED, 5.0)
    if state(session) is BenchState.ARMED:
        waiting.finish(session, session.disarm(), 5.0)
        assert waiting.wait_for(session, lambda: state(session) is BenchState.CONNECTED, 5.0)
    return session


def test_a_cancelled_checklist_leaves_every_output_verified_off(trip: SelftestContext) -> None:
    session = at_rest(trip)
    pending = session.arm()
    assert waiting.wait_for(session, lambda: len(session.status.checklist) > 4, 15.0)
    assert pending.fraction is not None
    assert pending.left_s is not None
    assert pending.cancel is not None
    pending.cancel()
    with pytest.raises(PulseError, match="cancelled"):
        waiting.finish(session, pending, 5.0)
    assert waiting.wait_for(session, lambda: session.status.output is OutputState.DE_ENERGISED, 3.0)
    assert state(session) is BenchState.CONNECTED


def test_outputs_off_in_the_middle_of_the_checklist_ends_it(trip: SelftestContext) -> None:
    session = at_rest(trip)
    pending = session.arm()
    assert waiting.wait_for(session, lambda: outputs(session) == 1.0, 20.0), "the supply was never switched on"
    session.outputs_off()
    with pytest.raises(PulseError):
        waiting.finish(session, pending, 15.0)
    assert waiting.wait_for(session, lambda: outputs(session) == 0.0, 2.0)
    assert state(session) in (BenchState.TRIPPED, BenchState.CONNECTED)


def test_outputs_off_of_a_bench_at_rest_is_verified_by_the_contact_and_can_be_reset(trip: SelftestContext) -> None:
    session = at_rest(trip)
    pending = session.outputs_off()
    assert waiting.wait_for(session, lambda: pending.done, 4.0)
    assert pending.error is None
    assert waiting.wait_for(session, lambda: state(session) is BenchState.TRIPPED, 1.0)
    assert session.status.output is OutputState.TRIPPED
    assert state(trip.bring_to(BenchState.ARMED)) is BenchState.ARMED


def test_an_open_wire_is_named_and_the_contactors_stay_open(trip: SelftestContext) -> None:
    session = at_rest(trip)
    number = inject(session, "open wire", cell=CELL)
    with pytest.raises(CheckFailed, match=rf"(?i)open.?wire in cell {CELL}\b"):
        waiting.finish(session, session.arm(), waiting.ARM_S)
    failed = [check for check in session.status.checklist if check.state is CheckState.FAILED]
    assert [check.name for check in failed] == ["cells live"]
    assert channel(session, "io/contactor") == 0.0
    clear(session, number)
    assert state(trip.bring_to(BenchState.ARMED)) is BenchState.ARMED


def test_a_wire_cannot_be_opened_while_the_bench_is_armed(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.ARMED)
    with pytest.raises(Refused, match="disarm"):
        inject(session, "open wire", cell=CELL)


def test_a_controller_takes_over_without_a_step_of_current(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    pass_ticks(session, 400)
    before = ticks(session)
    waiting.finish(session, session.activate("controller", "CC-CV"), 5.0)
    pass_ticks(session, 100)
    current_a = since(session, before, ["allowed/current"])
    assert current_a.shape[1] > 50
    assert abs(np.diff(current_a)).max() < 2.0  # from 30 A of discharge to 30 A of charge, on a ramp
    assert [lane.name for lane in session.status.lanes if lane.role == "controller" and lane.active] == ["CC-CV"]
    waiting.finish(session, session.activate("controller", "Profile"), 5.0)


def test_a_twin_takes_over_live_within_two_millivolts_or_says_by_how_much_it_would_step(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    pass_ticks(session, 100)
    before = ticks(session)
    pending = session.activate("twin", "ECM pack")
    assert waiting.wait_for(session, lambda: pending.done, 5.0)
    pass_ticks(session, 50)
    if pending.error is not None:
        assert "mV" in pending.error.sentence
        assert "disarm" in pending.error.hint
        return
    cells_v = since(session, before, [f"allowed/cell_{cell:02d}/voltage" for cell in range(1, 25)])
    assert abs(np.diff(cells_v)).max() < 0.004  # the hand-over, and a turn of the duty
    waiting.finish(session, session.activate("twin", "SPMe pack"), 5.0)


def test_a_twin_of_one_cell_is_refused_as_the_pack(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    with pytest.raises(Refused, match="1 of 24 cells"):
        waiting.finish(session, session.activate("twin", "DFN, cell 1"), 5.0)


def test_a_stopped_heartbeat_makes_the_bms_open_and_the_current_go_to_zero_without_a_trip(
    trip: SelftestContext,
) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    number = inject(session, "heartbeat stopped")
    assert waiting.wait_for(session, lambda: channel(session, "io/contactor") == 0.0, 3.0)
    assert waiting.wait_for(session, lambda: abs(channel(session, "supply/current")) < 0.5, 1.0)
    assert state(session) is BenchState.RUNNING
    clear(session, number)
    at_rest(trip)


def test_a_silent_bms_means_zero_current_and_no_trip(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    number = inject(session, "silent instrument", instrument="bms")
    assert waiting.wait_for(session, lambda: channel(session, "command/current") == 0.0, 3.0)
    pass_ticks(session, 50)
    assert channel(session, "command/current") == 0.0
    assert state(session) is BenchState.RUNNING
    clear(session, number)
    at_rest(trip)


def test_one_message_that_stops_takes_the_current_to_zero_while_all_others_go_on(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    number = inject(session, "message stopped", message="BMS_Pack")
    assert waiting.wait_for(session, lambda: channel(session, "gate/verdict") == 1.0, 2.0), "held"
    assert waiting.wait_for(session, lambda: channel(session, "allowed/current") == 0.0, 3.0), "then ramped"
    begun = ticks(session)
    pass_ticks(session, 30)
    soc = since(session, begun, ["estimator/EKF/soc", "estimator/Coulomb counting/soc"])
    assert np.ptp(soc, axis=1).tolist() == [0.0, 0.0], "the estimators hold"
    assert state(session) is BenchState.RUNNING
    assert channel(session, "bms/cell_01/voltage") > 3.0
    clear(session, number)
    assert waiting.wait_for(session, lambda: channel(session, "gate/verdict") == 0.0, 2.0), "and goes on"


def test_a_stuck_temperature_keeps_its_value_while_its_neighbour_moves(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    number = inject(session, "stuck temperature", number=1)
    assert [fault.name for fault in session.status.injected] or waiting.wait_for(
        session, lambda: bool(session.status.injected), 1.0
    )
    clear(session, number)
    assert waiting.wait_for(session, lambda: not session.status.injected, 1.0)


def test_a_silent_supply_trips_and_the_bench_comes_back_after_a_reset(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    number = inject(session, "silent instrument", instrument="supply")
    assert waiting.wait_for(session, lambda: state(session) is BenchState.TRIPPED, 3.0)
    assert "supply" in session.status.trip_reason
    assert waiting.wait_for(session, lambda: session.status.output is OutputState.UNKNOWN, 3.0), "nobody can know that"
    clear(session, number)
    assert waiting.wait_for(session, lambda: session.status.output is OutputState.TRIPPED, 10.0)
    assert state(trip.bring_to(BenchState.RUNNING)) is BenchState.RUNNING


def test_a_reset_without_a_reason_is_refused(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    session.outputs_off()
    assert waiting.wait_for(session, lambda: state(session) is BenchState.TRIPPED, 2.0)
    with pytest.raises(Refused, match="reason"):
        waiting.finish(session, session.reset("  "), 5.0)
    assert state(session) is BenchState.TRIPPED


def test_a_dead_engine_leaves_the_word_that_the_guard_verified(trip: SelftestContext) -> None:
    session = trip.bring_to(BenchState.RUNNING)
    where: Path = trip.bench_folder
    assert session.engine_pid is not None
    guard_pid = session.guard_pid
    os.kill(session.engine_pid, 9)
    assert waiting.wait_for(session, lambda: session.status.output is OutputState.CURRENT_OFF, 3.0)
    assert evidence.find_supply_off(where, 0.0) is not None
    assert any("verified off" in record.event.text for record in session.events(0))
    assert state(trip.bring_to(BenchState.CONNECTED)) is BenchState.CONNECTED
    end_guard(guard_pid)


def test_the_ports_of_a_guard_are_also_those_of_connections_that_it_has_closed() -> None:
    known = join_ports((), (0, 46652, 46654))
    assert join_ports(known, (0, 0, 46660)) == {46652, 46654, 46660}
