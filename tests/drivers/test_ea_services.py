"""The bidirectional supply by wire transcript: remote control, alarms, settings, output, protections."""

from __future__ import annotations

import pytest

from drivers.errors import BenchError
from tests.drivers.bench_instruments import SELDOM_S, make_supply
from tests.drivers.ea_transcript import (
    AT_REST,
    EXCHANGE,
    IDENTITY,
    KEPT,
    MEASURE,
    MEASURED,
    MET,
    QUIET,
    RATINGS,
    READY,
    SETTINGS,
    STATUS,
    SUPERVISED,
    WRITTEN,
    protecting,
)
from tests.drivers.polled import running, until
from tests.drivers.scripted import Line, Scripted


def test_remote_control_that_is_taken_away_at_the_panel_is_told() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"SYST:LOCK ON\n", b""),
        (b"SYST:LOCK:OWN?\n", b"REMOTE\n"),
        (MEASURE, MEASURED + b"512" + AT_REST),
        (b"STAT:OPER:COND?\n", b"0\n"),
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        driver.lock(on=True)
        driver.poller.call(driver.exchange)
        assert "remote control owner LOCAL; release its panel" in driver.health().detail


def test_remote_control_that_the_supervision_ended_is_told() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"SYST:LOCK ON\n", b""),
        (b"SYST:LOCK:OWN?\n", b"REMOTE\n"),
        (MEASURE, MEASURED + b"0" + AT_REST),
        (b"STAT:OPER:COND?\n", b"128\n"),
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        driver.lock(on=True)
        driver.poller.call(driver.exchange)
        assert "its interface supervision received no message in time" in driver.health().detail


def test_a_standing_alarm_is_told_before_anything_else() -> None:
    script = [*MET, (MEASURE, MEASURED + b"1032" + AT_REST)]  # the guide's example, 5.4.14.4
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        until(lambda: driver.poller.reading is not None)
        assert "reports over-temperature (OT)" in driver.health().detail


def test_alarms_are_read_before_the_queue_that_acknowledges_them() -> None:
    asked: list[Line] = [(STATUS, b"1032\n"), (b"SYST:ERR:ALL?\n", b'-221,"Settings conflict"\n')]
    with Scripted([*MET, EXCHANGE, *asked]) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        assert driver.errors() == ["alarm over-temperature (OT)", "-221 Settings conflict"]


def test_an_alarm_that_is_over_is_acknowledged_before_arming_and_told() -> None:
    script = [
        *MET,
        EXCHANGE,
        (STATUS, b"1025\n"),
        (b"SYST:ERR:ALL?\n", b'0,"No error"\n'),
        (STATUS, b"1024\n"),
        *KEPT,
        *WRITTEN,
        protecting(b"20.00", b"100.0", b"100.0"),
        (b"POW?;:SINK:POW?\n", b"3kW;3.00 KW\n"),
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        driver.prepare()
        assert [event.text for event in driver.news()] == ["alarm acknowledged: over-voltage (OVP)"]


def test_an_alarm_that_is_still_present_refuses_arming() -> None:
    acknowledged: list[Line] = [(STATUS, b"1032\n"), (b"SYST:ERR:ALL?\n", b'0,"No error"\n'), (STATUS, b"1032\n")]
    with (
        Scripted([*MET, EXCHANGE, *acknowledged]) as peer,
        running(driver := make_supply(peer.address, SELDOM_S)),
        pytest.raises(BenchError, match=r"over-temperature \(OT\) is still present"),
    ):
        driver.prepare()


def test_settings_that_re_energise_are_changed_at_connect_told_and_put_back() -> None:
    rest = MEASURED + b"0" + AT_REST
    took: list[Line] = [(b"SYST:LOCK ON\n", b""), (b"SYST:LOCK:OWN?\n", b"REMOTE\n")]
    gave: list[Line] = [(b"SYST:LOCK OFF\n", b""), (b"SYST:LOCK:OWN?\n", b"NONE\n")]
    found: list[Line] = [(SETTINGS, b"AUTO;OFF;OFF;OFF;5\n"), (SUPERVISED, b"OFF\n")]
    changed = b"SYST:ALAR:ACT:OTEM?;:SYST:COMM:MON:TIM?;:SYST:COMM:MON:ACT?\n"
    back = b"SYST:COMM:MON:ACT?;:SYST:COMM:MON:TIM?;:SYST:ALAR:ACT:OTEM?\n"
    script = [
        IDENTITY,
        RATINGS,
        (MEASURE, rest),
        *found,
        *took,
        *found,
        (b"SYST:ALAR:ACT:OTEM OFF;:SYST:COMM:MON:TIM 2;:SYST:COMM:MON:ACT ON\n", b""),
        (changed, b"AUTO;5;OFF\n"),  # a write takes effect later
        (changed, b"OFF;2;ON\n"),
        *gave,
        (MEASURE, rest),
        (STATUS, b"0\n"),
        *took,
        (b"SYST:COMM:MON:ACT OFF;:SYST:COMM:MON:TIM 5;:SYST:ALAR:ACT:OTEM AUTO\n", b""),
        (back, b"OFF;5;AUTO\n"),
        *gave,
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        until(lambda: driver.poller.reading is not None)
        assert driver.found_owner == "NONE"
        driver.restore()
        assert [event.text for event in driver.news()] == [
            "output after over-temperature was AUTO, is OFF; it is restored at the end",
            "time of interface supervision was 5 s, is 2 s; it is restored at the end",
            "interface supervision was OFF, is ON; it is restored at the end",
            "restored: interface supervision, time of interface supervision, output after over-temperature",
        ]


def test_the_lock_is_taken_once_the_owner_reads_remote() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"SYST:LOCK ON\n", b""),
        (b"SYST:LOCK:OWN?\n", b"NONE\n"),
        (b"SYST:LOCK:OWN?\n", b"REMOTE\n"),
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        driver.lock(on=True)


def test_an_output_that_stays_off_is_told_with_the_error_queue() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"OUTP ON\n", b""),
        (b"OUTP?\n", b"OFF\n"),
        (STATUS, b"1024\n"),
        (b"SYST:ERR:ALL?\n", b'-221,"Settings conflict"\n'),
    ]
    with (
        Scripted(script) as peer,
        running(driver := make_supply(peer.address, SELDOM_S, obey=0.0)),
        pytest.raises(BenchError, match=r"does not switch its output on.*it refuses: -221 Settings conflict"),
    ):
        driver.output(on=True)


def test_an_error_queue_that_is_silent_breaks_neither_the_reason_nor_the_switching_off() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"OUTP ON\n", b""),
        (b"OUTP?\n", b"OFF\n"),
        (STATUS, b""),
        IDENTITY,
        (STATUS, b""),
        IDENTITY,
        (b"OUTP OFF\n", b""),
        (b"OUTP?\n", b"OFF\n"),
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S, obey=0.0, ask=0.05)):
        with pytest.raises(
            BenchError, match=r"does not switch its output on.*its reason could not be read: .*does not support"
        ):
            driver.output(on=True)
        driver.output(on=False)


def test_prepare_lifts_the_power_limits_and_verifies_the_protections() -> None:
    script = [
        *MET,
        EXCHANGE,
        *READY,
        *WRITTEN,
        protecting(b"66.00", b"132.00", b"132.00"),
        protecting(b"20.0", b"100", b"100.00"),
        (b"POW?;:SINK:POW?\n", b"3000W;3.00kW\n"),
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        driver.prepare()


@pytest.mark.parametrize(("source", "sink"), [(b"100.00", b"132.00"), (b"132.00", b"100.00")])
def test_a_protection_of_either_direction_that_stays_wrong_is_told(source: bytes, sink: bytes) -> None:
    script = [*MET, EXCHANGE, *READY, *WRITTEN, protecting(b"20.00", source, sink), *QUIET]
    read = f"20 V, {float(source):g} A sourced, {float(sink):g} A sunk"
    with (
        Scripted(script) as peer,
        running(driver := make_supply(peer.address, SELDOM_S, obey=0.0)),
        pytest.raises(BenchError, match=f"protects at {read}, declared 20 V, 100 A sourced, 100 A sunk"),
    ):
        driver.prepare()


def test_protections_are_read_back_in_both_directions() -> None:
    script = [*MET, EXCHANGE, protecting(b"20.00", b"50.00", b"132.00")]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        assert driver.protections() == (20.0, 50.0, 132.0)


@pytest.mark.parametrize(
    ("before", "mark", "read"),
    [
        (b"3000W", b"SINK:POW 2990\n", b"2990W"),
        (b"2990W", b"SINK:POW 2980\n", b"2980W"),
        (b"3.00kW", b"SINK:POW 2980\n", b"2.98kW"),
    ],
)
def test_the_second_connection_is_proven_by_a_mark_and_the_mark_taken_back(
    before: bytes, mark: bytes, read: bytes
) -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"SINK:POW?\n", before + b"\n"),
        (b"SINK:POW?\n", read + b"\n"),
        (b"SINK:POW 3000\n", b""),
    ]
    written: list[bytes] = []
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
        assert driver.connections_ok(written.append)
    assert written == [mark]


def test_a_second_connection_without_effect_is_told() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"SINK:POW?\n", b"3000W\n"),
        (b"SINK:POW?\n", b"3000W\n"),
        *QUIET,
        (b"SINK:POW 3000\n", b""),
    ]
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S, obey=0.0)):
        assert not driver.connections_ok(lambda _: None)
