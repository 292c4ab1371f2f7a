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
MEASURE = b"MEAS:ARR?;:OUTP?;:SYST:LOCK:OWN?;:VOLT?;:CURR?;:SINK:CURR?\n"
MEASURED = b"12.30 V, -4.50 A, -55 W;ON;"
AT_REST = b";0.00 V;0.00 A;0.00 A\n"
EXCHANGE: Line = (MEASURE, MEASURED + b"REMOTE" + AT_REST)
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


def exchange_at(driver: Supply, current_a: float) -> None:
    driver.set_current(current_a)
    driver.poller.call(driver.exchange)


def protecting(volts: bytes, source: bytes, sink: bytes) -> list[Line]:
    return [
        (b"VOLT:PROT?\n", volts + b" V\n"),
        (b"CURR:PROT?\n", source + b" A\n"),
        (b"SINK:CURR:PROT?\n", sink + b" A\n"),
    ]


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
    with Scripted([EXCHANGE, (setting, b""), EXCHANGE]) as peer, Link.open(peer.address) as link:
        driver = supply(peer.address)
        driver.exchange(link)
        driver.set_current(current_a)
        driver.exchange(link)


@pytest.mark.parametrize("owner", [b"NONE", b"LOCAL"])
def test_without_remote_control_no_set_point_is_sent(owner: bytes) -> None:
    exchange = (MEASURE, MEASURED + owner + AT_REST)
    with Scripted([exchange, exchange]) as peer, Link.open(peer.address) as link:
        driver = supply(peer.address)
        driver.exchange(link)
        driver.set_current(10.0)
        driver.exchange(link)


def test_a_refused_set_point_is_told_with_its_figures_and_the_error_queue() -> None:
    obeyed = (MEASURE, MEASURED + b"REMOTE;0.00 V;0.00 A;50.00 A\n")
    script = [
        IDENTITY,
        EXCHANGE,
        (b"VOLT 0.00;:CURR 0.00;:SINK:CURR 50.00\n", b""),
        obeyed,
        *[(b"VOLT 0.00;:CURR 0.00;:SINK:CURR 60.00\n", b""), obeyed] * 6,  # the first may still be the one before
        (b"SYST:ERR:ALL?\n", b'-222,"Data out of range",0,"No error"\n'),
        (b"VOLT 0.00;:CURR 0.00;:SINK:CURR 50.00\n", b""),
        obeyed,
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        for current_a in (50.0, *[60.0] * 6):
            assert driver.health().detail == ""
            exchange_at(driver, current_a)
        told = driver.health().detail
        assert "50 A sunk where 0 V, 0 A sourced, 60 A sunk was asked" in told
        assert "-222 Data out of range" in told
        exchange_at(driver, 50.0)
        assert driver.health().detail == ""


def test_a_set_point_that_takes_effect_an_exchange_later_is_no_complaint() -> None:
    script = [IDENTITY, EXCHANGE]
    for asked in range(1, 10):
        setting = b"VOLT 0.00;:CURR 0.00;:SINK:CURR %d.00\n" % asked
        script += [(setting, b""), (MEASURE, MEASURED + b"REMOTE;0.00 V;0.00 A;%d.00 A\n" % (asked - 1))]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        for asked in range(1, 10):
            exchange_at(driver, float(asked))
        assert driver.health().detail == ""


def test_remote_control_that_is_taken_away_at_the_panel_is_told() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (b"SYST:LOCK ON\n", b""),
        (b"SYST:LOCK:OWN?\n", b"REMOTE\n"),
        (MEASURE, MEASURED + b"LOCAL" + AT_REST),
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        driver.lock(on=True)
        driver.poller.call(driver.exchange)
        assert "remote control at LOCAL" in driver.health().detail


@pytest.mark.parametrize("current_a", [math.nan, math.inf, -math.inf, 123.0, -123.0])
def test_a_current_that_is_no_set_point_is_refused(current_a: float) -> None:
    with pytest.raises(BenchError):
        supply("127.0.0.1:9").set_current(current_a)


@pytest.mark.parametrize(
    "reply",
    [
        b"12.30 V, -4.50 V, -55 W;ON;REMOTE" + AT_REST,
        b"12.30 V, -4.50 A;ON;REMOTE" + AT_REST,
        b"12.30 V, -4.50 A, -55 W;PERHAPS;REMOTE" + AT_REST,
        MEASURED + b"SOMEBODY" + AT_REST,
        MEASURED + b"REMOTE;0.00 V;0.00 V;0.00 A\n",
    ],
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
        (b"SYST:ERR:ALL?\n", b'-221,"Settings conflict"\n'),
        (b"SYST:ERR:ALL?\n", b'0,"No error"\n'),
    ]
    with (
        Scripted(script) as peer,
        running(driver := supply(peer.address)),
        pytest.raises(BenchError, match=r"does not switch its output on.*-221 Settings conflict"),
    ):
        driver.output(on=True)


def test_prepare_lifts_the_power_limits_and_verifies_the_protections() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        NOMINAL,
        (b"POW 3000;:SINK:POW 3000\n", b""),
        (b"VOLT:PROT 20.00;:CURR:PROT 100.00;:SINK:CURR:PROT 100.00\n", b""),
        *protecting(b"66.00", b"132.00", b"132.00"),
        *protecting(b"20.00", b"100.00", b"100.00"),
        (b"POW?\n", b"3000 W\n"),
        (b"SINK:POW?\n", b"3000 W\n"),
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        driver.prepare()


@pytest.mark.parametrize(("source", "sink"), [(b"100.00", b"132.00"), (b"132.00", b"100.00")])
def test_a_protection_of_either_direction_that_stays_wrong_is_told(
    monkeypatch: pytest.MonkeyPatch, source: bytes, sink: bytes
) -> None:
    monkeypatch.setattr("drivers.scpi.source.SETTLE_S", 0.0)
    script = [
        IDENTITY,
        EXCHANGE,
        NOMINAL,
        (b"POW 3000;:SINK:POW 3000\n", b""),
        (b"VOLT:PROT 20.00;:CURR:PROT 100.00;:SINK:CURR:PROT 100.00\n", b""),
        *protecting(b"20.00", source, sink),
        (b"SYST:ERR:ALL?\n", b'0,"No error"\n'),
    ]
    read = f"20 V, {float(source):g} A sourced, {float(sink):g} A sunk"
    with (
        Scripted(script) as peer,
        running(driver := supply(peer.address)),
        pytest.raises(BenchError, match=f"protects at {read}, declared 20 V, 100 A sourced, 100 A sunk"),
    ):
        driver.prepare()


def test_protections_are_read_back_in_both_directions() -> None:
    script = [IDENTITY, EXCHANGE, *protecting(b"20.00", b"50.00", b"132.00")]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        assert driver.protections() == (20.0, 50.0, 132.0)


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
        (b"SYST:ERR:ALL?\n", b'0,"No error"\n'),
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
