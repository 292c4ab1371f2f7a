from __future__ import annotations

from itertools import pairwise

from edge_bridge.edge.contactor import ASKED_S, WITHDRAWN_S, Wish
from edge_bridge.edge.proof import Proof, Sign, Standing

WELL = Sign()


def test_it_is_healthy_after_a_steady_time() -> None:
    proof = Proof(0.0, steady_s=5.0, within_s=60.0)
    assert [proof.see(t_s, WELL) for t_s in (0.0, 2.5, 4.9)] == [Standing.WAITING] * 3
    assert proof.see(5.0, WELL) is Standing.HEALTHY


def test_a_belief_that_is_lost_once_begins_the_time_anew() -> None:
    proof = Proof(0.0, steady_s=5.0, within_s=60.0)
    proof.see(0.0, WELL)
    assert proof.see(4.0, Sign(belief="cell 3 is not a number")) is Standing.WAITING
    assert proof.see(5.0, WELL) is Standing.WAITING
    assert proof.see(10.0, WELL) is Standing.HEALTHY


def test_a_trip_fails_at_once_with_its_reason() -> None:
    proof = Proof(0.0)
    assert proof.see(0.1, Sign(trip="cell_07 above 4.25 V")) is Standing.FAILED
    assert "cell_07" in proof.reason


def test_what_never_becomes_well_fails_in_its_time_with_the_last_reason() -> None:
    proof = Proof(0.0, steady_s=5.0, within_s=60.0)
    assert proof.see(59.0, Sign(belief="the pack's BMS is not heard")) is Standing.WAITING
    assert proof.see(60.0, Sign(belief="the pack's BMS is not heard")) is Standing.FAILED
    assert "not heard" in proof.reason
    assert "60 s" in proof.reason


def test_rows_that_do_not_reach_the_disk_are_not_healthy() -> None:
    proof = Proof(0.0, steady_s=1.0, within_s=10.0)
    assert proof.see(9.0, Sign(disk="the disk takes no rows")) is Standing.WAITING
    assert proof.see(10.0, Sign(disk="the disk takes no rows")) is Standing.FAILED


def test_a_contactor_is_asked_to_close_and_kept_closed() -> None:
    wish = Wish(0.0)
    assert wish.word(0.5, closed=False, tripped=False) == "none"
    assert wish.word(WITHDRAWN_S, closed=False, tripped=False) == "close"
    assert wish.word(1_000.0, closed=True, tripped=False) == "close"


def test_a_close_that_is_not_followed_is_withdrawn_and_asked_anew() -> None:
    wish = Wish(0.0)
    words = [wish.word(n * 0.5, closed=False, tripped=False) for n in range(30)]
    changes = [word for before, word in pairwise(words) if word != before]
    assert changes[:4] == ["close", "none", "close", "none"]
    assert words.count("close") * 0.5 > ASKED_S


def test_a_trip_asks_for_open_whatever_was_asked() -> None:
    wish = Wish(0.0)
    assert wish.word(WITHDRAWN_S, closed=False, tripped=False) == "close"
    assert wish.word(WITHDRAWN_S, closed=True, tripped=True) == "open"
    assert wish.word(WITHDRAWN_S, closed=False, tripped=True) == "open"
