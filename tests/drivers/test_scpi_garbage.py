"""Laws of a bad wire: whatever an instrument answers is a reading or `LinkGarbage`, and each reading is finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import LinkGarbage, LinkRefused, LinkSilent, WrongModel
from drivers.scpi.cell_simulator import CellSimulator
from drivers.scpi.io_box import IoBox
from drivers.scpi.link import ScpiLink
from drivers.scpi.supply import Supply
from tests.drivers.scripted import Scripted

if TYPE_CHECKING:
    from drivers.scpi.source import PolledSource

NOWHERE: Final = "127.0.0.1:9"
RIGHT: Final = (
    b"3.7001,3.6999,3.7100;-0.2,0.1,120.0",
    b"12.30V, -4.50 A, -55W;3072;0.00V;0.00 A;4.50A",
    b"10000.0,9000.0",
    b"estop=1,contactor=0,power=1",
    b"OK",
    b"ERR 2 PWR takes 0 or 1",
)


def instruments() -> tuple[PolledSource, ...]:
    supply = Supply(NOWHERE, "EA", 1.0, protect_voltage_v=20.0, protect_current_a=100.0, charge_v=16.0, discharge_v=0.0)
    cells = CellSimulator(NOWHERE, "NGI", 1.0, cells=3, protect_voltage_v=5.2, protect_current_a=5.0)
    return supply, cells, IoBox(NOWHERE, "PulseBMS", 1.0, thermistors=2)


class Parrot:
    """A link on which every question gets the same answer."""

    address = NOWHERE
    sampled_s = 0.0

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def write(self, message: bytes) -> None: ...

    def ask(self, message: bytes, units: int = 1, timeout_s: float | None = None) -> bytes:
        del message, units, timeout_s
        return self._answer


@st.composite
def torn(draw: st.DrawFn) -> bytes:
    """A right answer with one piece cut out and another put in its place."""
    right = draw(st.sampled_from(RIGHT))
    first, last = sorted((draw(st.integers(0, len(right))), draw(st.integers(0, len(right)))))
    return (
        right[:first]
        + draw(st.binary(max_size=4) | st.sampled_from([b"nan", b"-", b"e400", b";", b","]))
        + right[last:]
    )


@given(st.binary(max_size=80) | torn())
@settings(deadline=None)  # other tests share the cores
def test_any_answer_is_a_finite_reading_or_garbage(answer: bytes) -> None:
    link = cast("ScpiLink", Parrot(answer))
    for instrument in instruments():
        try:
            reading = instrument.exchange(link)
        except (LinkGarbage, LinkRefused) as error:
            assert error.what  # noqa: PT017  # either outcome is right, another exception is not
        else:
            assert np.isfinite(reading.values).all()
            assert reading.values.shape == (len(instrument.channels),)


@given(st.binary(max_size=80))
@settings(deadline=None)
def test_any_identity_is_the_expected_or_refused(answer: bytes) -> None:
    link = cast("ScpiLink", Parrot(answer))
    for instrument in instruments():
        with pytest.raises((LinkGarbage, WrongModel)):
            instrument.greet(link)


@given(st.lists(st.binary(max_size=12), max_size=4))
@settings(deadline=None, max_examples=25)  # each waits for its timeout
def test_any_bytes_on_the_socket_are_a_line_or_a_clear_error(chunks: list[bytes]) -> None:
    heard = b"".join(chunks)
    timeout_s = 2.0 if b"\n" in heard else 0.02
    with Scripted([(b"A?\n", heard)]) as peer, ScpiLink.open(peer.address, timeout_s) as link:
        try:
            line = link.ask(b"A?\n")
        except (LinkGarbage, LinkSilent):
            assert b"\n" not in heard
            assert not link.in_step
        else:
            assert line == heard.split(b"\n")[0].rstrip(b"\r")
            assert link.in_step
