"""How many rows an edge lets be on their way."""

from __future__ import annotations

import pytest

from edge_bridge.edge.send_window import LEAST, MOST, SLOWER_S, START, SendWindow

BOOT = "b0"


def send(window: SendWindow, seq: int, *, took_s: float, at_s: float, in_flight: int | None = None) -> None:
    """Send a full window whose first row is `seq`; all its rows are acknowledged after `took_s`."""
    rows = window.size
    window.note_sent(BOOT, seq, at_s)
    acknowledged = {BOOT: [(seq, seq + rows - 1)]}
    window.note_acknowledged(acknowledged, rows, rows if in_flight is None else in_flight, at_s + took_s)


def test_it_doubles_while_acknowledgements_come_quickly_up_to_the_most() -> None:
    window, sizes, seq = SendWindow(), list[int](), 1
    for turn in range(10):
        sizes.append(window.size)
        send(window, seq, took_s=0.3, at_s=float(turn))
        seq += sizes[-1]
    assert sizes == [min(MOST, START * 2**turn) for turn in range(10)]


def test_it_stays_as_it_is_while_it_is_not_used() -> None:
    window = SendWindow()
    send(window, 1, took_s=0.3, at_s=0.0, in_flight=1)
    assert window.size == START


@pytest.mark.parametrize("usual_s", [0.1, 3.0])
def test_it_does_not_grow_while_the_host_is_slower_than_usual(usual_s: float) -> None:
    window = SendWindow()
    send(window, 1, took_s=usual_s, at_s=0.0)
    send(window, 11, took_s=usual_s + 1.1 * SLOWER_S, at_s=10.0)
    assert window.size == 2 * START
    send(window, 101, took_s=usual_s + 0.9 * SLOWER_S, at_s=20.0)
    assert window.size == 4 * START


def test_after_a_loss_it_is_small_and_grows_again() -> None:
    window = SendWindow()
    window.note_sent(BOOT, 1, 0.0)
    window.note_late()
    assert window.size == LEAST
    send(window, 5, took_s=0.3, at_s=9.0)
    assert window.size == 2 * LEAST, "the row that was lost tells nothing of the host's speed"
    window.restart()
    assert window.size == START


def test_an_acknowledgement_of_another_boot_tells_nothing_of_the_speed() -> None:
    window = SendWindow()
    send(window, 1, took_s=0.1, at_s=0.0)
    window.note_sent(BOOT, 20, 10.0)
    window.note_acknowledged({"b1": [(20, 20)]}, 1, window.size, 19.0)
    assert window.size == 2 * START + 1
