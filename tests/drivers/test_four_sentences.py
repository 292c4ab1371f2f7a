"""Silence, refusal, garbage and a query that is not supported are four different sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from drivers.errors import BenchError
from drivers.scpi.link import ScpiLink
from tests.drivers import ea_transcript as ea
from tests.drivers import test_io_box_driver as io
from tests.drivers import test_ngi_driver as ngi
from tests.drivers.bench_instruments import SELDOM_S, make_supply
from tests.drivers.polled import running
from tests.drivers.scripted import Scripted

if TYPE_CHECKING:
    from tests.drivers.scripted import Line

SENTENCES: Final = {
    "silence": r"does not answer within \d+ ms",
    "refusal": "refuses",
    "garbage": "answered .*, expected",
    "not known": "does not support",
}
ERRORS: Final = b"SYST:ERR:ALL?\n"
NO_ERROR: Final[Line] = (ERRORS, b'0,"No error"\n')
SILENT: Final[Line] = (b"SYST:LOCK:OWN?\n", b"")


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        ("silence", [SILENT, (ea.IDENTITY[0], b"")]),
        ("refusal", [SILENT, ea.IDENTITY, (ea.STATUS, b"0\n"), (ERRORS, b'-221,"Settings conflict"\n')]),
        ("garbage", [(SILENT[0], b"SOMEBODY\n")]),
        ("not known", [SILENT, ea.IDENTITY, (ea.STATUS, b"0\n"), (ERRORS, b'-100,"Command error"\n')]),
        ("not known", [SILENT, ea.IDENTITY, (ea.STATUS, b"0\n"), NO_ERROR]),
    ],
)
def test_of_the_supply(kind: str, script: list[Line]) -> None:
    told: list[Line] = [*ea.MET, ea.EXCHANGE, (b"SYST:LOCK ON\n", b""), *script]
    with Scripted(told) as peer, running(driver := make_supply(peer.address, SELDOM_S, ask=0.05, identify=0.05)):
        with pytest.raises(BenchError) as raised:
            driver.lock(on=True)
        assert matched(str(raised.value)) == [kind]


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        ("silence", [(ngi.STATES, b""), (ngi.IDENTITY[0], b"")]),
        ("garbage", [(ngi.STATES, b"1;x;1\n")]),
        ("not known", [(ngi.STATES, b""), ngi.IDENTITY]),
    ],
)
def test_of_the_cell_simulator(kind: str, script: list[Line]) -> None:
    told: list[Line] = [*ngi.MET, ngi.EXCHANGE, *script]
    with Scripted(told) as peer, running(driver := ngi.simulator(peer.address, ask=0.05, identify=0.05)):
        with pytest.raises(BenchError) as raised:
            driver.outputs_state()
        assert matched(str(raised.value)) == [kind]


@pytest.mark.parametrize(
    ("kind", "reply"), [("silence", b""), ("refusal", b"ERR 3 busy\n"), ("garbage", b"estop=2,contactor=0,power=1\n")]
)
def test_of_the_io_box(kind: str, reply: bytes) -> None:
    with Scripted([io.THERMISTORS, (b"IN?\n", reply)]) as peer, ScpiLink.open(peer.address, 0.05) as link:
        with pytest.raises(BenchError) as raised:
            io.box(peer.address).exchange(link)
        assert matched(str(raised.value)) == [kind]


def matched(sentence: str) -> list[str]:
    return [kind for kind, words in SENTENCES.items() if re.search(words, sentence)]
