from __future__ import annotations

from itertools import pairwise

from edge_bridge.edge.contactor_request import REQUEST_S, WITHDRAW_S, ContactorRequest
from edge_bridge.edge.probation import HealthSample, Probation, ProbationState

WELL = HealthSample()


def test_it_is_healthy_after_a_steady_time() -> None:
    proof = Probation(0.0, steady_s=5.0, timeout_s=60.0)
    assert [proof.update(t_s, WELL) for t_s in (0.0, 2.5, 4.9)] == [ProbationState.WAITING] * 3
    assert proof.update(5.0, WELL) is ProbationState.HEALTHY


def test_a_belief_that_is_lost_once_begins_the_time_anew() -> None:
    proof = Probation(0.0, steady_s=5.0, timeout_s=60.0)
    proof.update(0.0, WELL)
    assert proof.update(4.0, HealthSample(estimate_fault="cell 3 is not a number")) is ProbationState.WAITING
    assert proof.update(5.0, WELL) is ProbationState.WAITING
    assert proof.update(10.0, WELL) is ProbationState.HEALTHY


def test_a_trip_fails_at_once_with_its_reason() -> None:
    proof = Probation(0.0)
    assert proof.update(0.1, HealthSample(trip="cell_07 above 4.25 V")) is ProbationState.FAILED
    assert "cell_07" in proof.reason


def test_what_never_becomes_well_fails_in_its_time_with_the_last_reason() -> None:
    proof = Probation(0.0, steady_s=5.0, timeout_s=60.0)
    assert (
        proof.update(59.0, HealthSample(estimate_fault="no message is received from the pack's BMS"))
        is ProbationState.WAITING
    )
    assert (
        proof.update(60.0, HealthSample(estimate_fault="no message is received from the pack's BMS"))
        is ProbationState.FAILED
    )
    assert "no message is received" in proof.reason
    assert "60 s" in proof.reason


def test_rows_that_do_not_reach_the_disk_are_not_healthy() -> None:
    proof = Probation(0.0, steady_s=1.0, timeout_s=10.0)
    assert proof.update(9.0, HealthSample(disk_fault="rows cannot be written to the disk")) is ProbationState.WAITING
    assert proof.update(10.0, HealthSample(disk_fault="rows cannot be written to the disk")) is ProbationState.FAILED


def test_a_contactor_is_asked_to_close_and_kept_closed() -> None:
    wish = ContactorRequest(0.0)
    assert wish.update(0.5, closed=False, tripped=False) == "none"
    assert wish.update(WITHDRAW_S, closed=False, tripped=False) == "close"
    assert wish.update(1_000.0, closed=True, tripped=False) == "close"


def test_a_close_that_is_not_followed_is_withdrawn_and_asked_anew() -> None:
    wish = ContactorRequest(0.0)
    words = [wish.update(n * 0.5, closed=False, tripped=False) for n in range(30)]
    changes = [word for before, word in pairwise(words) if word != before]
    assert changes[:4] == ["close", "none", "close", "none"]
    assert words.count("close") * 0.5 > REQUEST_S


def test_a_trip_asks_for_open_whatever_was_asked() -> None:
    wish = ContactorRequest(0.0)
    assert wish.update(WITHDRAW_S, closed=False, tripped=False) == "close"
    assert wish.update(WITHDRAW_S, closed=True, tripped=True) == "open"
    assert wish.update(WITHDRAW_S, closed=False, tripped=True) == "open"
