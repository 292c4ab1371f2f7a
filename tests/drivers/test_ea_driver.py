"""The bidirectional supply by wire transcript."""

from __future__ import annotations

import math

import pytest

from drivers.errors import BenchError, LinkGarbage
from drivers.scpi import ea_psb10000
from drivers.scpi.link import Link
from drivers.scpi.supply import Supply
from tests.drivers.polled import running
from tests.drivers.scripted import Line, Scripted

IDENTITY: Line = (
    b"*IDN?\n",
    b"EA Elektro-Automatik, PSB 10060-120, 1234560001, V2.09 10.10.2022 V1.10 02.07.2022 V1.1\n",
)
MEASURE = b"MEAS:ARR?;:OUTP?\n"
EXCHANGE: Line = (MEASURE, b"12.30 V, -4.50 A, -55 W;ON\n")
NOMINAL: Line = (b"SYST:NOM:POW?\n", b"3000 W\n")


def supply(address: str) -> Supply:
    return Supply(
        address,
        "EA Elektro-Automatik, PSB 10",
        60.0,
        protect_voltage_v=20.0,
        protect_current_a=100.0,
        charge_v=16.0,
        discharge_v=0.0,
    )


def test_a_sink_current_that_reads_negative_is_a_positive_discharge() -> None:
    with Scripted([EXCHANGE]) as peer, Link.open(peer.address) as link:
        assert supply(peer.address).exchange(link).values == pytest.approx([1.0, 12.3, 4.5, 55.0])


@pytest.mark.parametrize(
    ("current_a", "setting"),
    [
        (30.0, b"VOLT 0.00;:CURR 0.00;:SINK:CURR 30.00\n"),
        (-12.5, b"VOLT 16.00;:CURR 12.50;:SINK:CURR 0.00\n"),
        (0.0, b"VOLT 0.00;:CURR 0.00;:SINK:CURR 0.00\n"),
    ],
)
def test_the_sign_of_the_current_chooses_sink_or_source(current_a: float, setting: bytes) -> None:
    with Scripted([(setting, b""), EXCHANGE]) as peer, Link.open(peer.address) as link:
        driver = supply(peer.address)
        driver.set_current(current_a)
        driver.exchange(link)


@pytest.mark.parametrize("current_a", [math.nan, math.inf, -math.inf, 123.0, -123.0])
def test_a_current_that_is_no_set_point_is_refused(current_a: float) -> None:
    with pytest.raises(BenchError):
        supply("127.0.0.1:9").set_current(current_a)


@pytest.mark.parametrize(
    "reply", [b"12.30 V, -4.50 V, -55 W;ON\n", b"12.30 V, -4.50 A;ON\n", b"12.30 V, -4.50 A, -55 W;PERHAPS\n"]
)
def test_a_wrong_unit_count_or_word_is_garbage(reply: bytes) -> None:
    with Scripted([(MEASURE, reply)]) as peer, Link.open(peer.address) as link, pytest.raises(LinkGarbage):
        supply(peer.address).exchange(link)


def test_the_lock_is_taken_once_the_owner_reads_remote() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (b"SYST:LOCK ON\n", b""),
        (b"SYST:LOCK:OWN?\n", b"NONE\n"),
        (b"SYST:LOCK:OWN?\n", b"REMOTE\n"),
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        driver.lock(on=True)


def test_an_output_that_stays_off_is_told_with_the_error_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.scpi.source.SETTLE_S", 0.0)
    monkeypatch.setattr("drivers.scpi.source.ASK_AGAIN_S", 0.001)
    script = [
        IDENTITY,
        EXCHANGE,
        (b"OUTP ON\n", b""),
        (b"OUTP?\n", b"OFF\n"),
        (b"SYST:ERR?\n", b'-221,"Settings conflict"\n'),
        (b"SYST:ERR?\n", b'0,"No error"\n'),
    ]
    with (
        Scripted(script) as peer,
        running(driver := supply(peer.address)),
        pytest.raises(BenchError, match=r"does not switch on.*-221 Settings conflict"),
    ):
        driver.output(on=True)


def test_prepare_lifts_the_power_limits_and_verifies_the_protections() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        NOMINAL,
        (b"POW 3000;:SINK:POW 3000\n", b""),
        (b"VOLT:PROT 20.00;:CURR:PROT 100.00\n", b""),
        (b"VOLT:PROT?\n", b"66.00 V\n"),
        (b"CURR:PROT?\n", b"132.00 A\n"),
        (b"VOLT:PROT?\n", b"20.00 V\n"),
        (b"CURR:PROT?\n", b"100.00 A\n"),
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        driver.prepare()


def test_the_second_connection_is_proven_by_a_mark_and_the_mark_taken_back() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        NOMINAL,
        (b"SINK:POW?\n", b"3000 W\n"),
        (b"SINK:POW?\n", b"2990 W\n"),
        (b"SINK:POW 3000\n", b""),
    ]
    written: list[bytes] = []
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        assert driver.connections_ok(written.append)
    assert written == [b"SINK:POW 2990\n"]


def test_a_second_connection_without_effect_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.scpi.source.SETTLE_S", 0.0)
    script = [
        IDENTITY,
        EXCHANGE,
        NOMINAL,
        (b"SINK:POW?\n", b"3000 W\n"),
        (b"SINK:POW?\n", b"3000 W\n"),
        (b"SYST:ERR?\n", b'0,"No error"\n'),
        (b"SINK:POW 3000\n", b""),
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        assert not driver.connections_ok(lambda _: None)


def test_the_last_word_is_one_short_message_verified_by_its_query() -> None:
    word = ea_psb10000.last_word("127.0.0.1:5025", 0.2)
    (step,) = word.steps
    assert (step.send, step.verify) == (b"OUTP OFF\n", b"OUTP?\n")
    assert b"ON" not in step.accepted
    assert word.keep_alive_s < ea_psb10000.IDLE_CLOSE_S / 2
