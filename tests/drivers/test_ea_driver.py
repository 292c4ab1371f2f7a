"""The bidirectional supply by wire transcript."""

from __future__ import annotations

import math

import pytest

from drivers.errors import BenchError, LinkGarbage, UnfitRating
from drivers.scpi import ea_psb10000
from drivers.scpi.link import ScpiLink
from drivers.scpi.supply import Supply
from tests.drivers.polled import running, until
from tests.drivers.scripted import Line, Scripted

IDENTITY: Line = (
    b"*IDN?\n",
    b"EA Elektro-Automatik GmbH&Co.KG, PSB 10060-120, 2023120002, V3.06 24.05.2023 V3.03 05.10.2022 V1.0.0\n",
)
RATINGS: Line = (b"SYST:NOM:VOLT?;:SYST:NOM:CURR?;:SYST:NOM:POW?\n", b"60.00V;120.0A;3000W\n")
MEASURE = b"MEAS:ARR?;:STAT:QUES:COND?;:VOLT?;:CURR?;:SINK:CURR?\n"
MEASURED = b"12.30V, -4.50A, -55W;"
LOCAL, REMOTE, ON = 1 << 9, 1 << 10, 1 << 11
AT_REST = b";0.00V;0.00A;0.00A\n"
EXCHANGE: Line = (MEASURE, MEASURED + b"3072" + AT_REST)
SETTINGS = b"SYST:ALAR:ACT:OTEM?;:SYST:ALAR:ACT:PFA?;:SYST:CONF:OUTP:REST?;:POW:STAG:AFT:REM?;:SYST:COMM:MON:TIM?\n"
SUPERVISED = b"SYST:COMM:MON:ACT?\n"
KEPT: tuple[Line, ...] = ((SETTINGS, b"OFF;OFF;OFF;OFF;2\n"), (SUPERVISED, b"ON\n"))
STATUS = b"STAT:QUES:COND?\n"
QUIET: tuple[Line, ...] = ((STATUS, b"3072\n"), (b"SYST:ERR:ALL?\n", b'0,"No error"\n'))
MET: tuple[Line, ...] = (IDENTITY, RATINGS, EXCHANGE)  # output on under remote control: nothing is changed
PROTECTIONS = b"VOLT:PROT?;:CURR:PROT?;:SINK:CURR:PROT?\n"
READY: tuple[Line, ...] = ((STATUS, b"3072\n"), *KEPT)
WRITTEN: tuple[Line, ...] = (
    (b"POW 3000;:SINK:POW 3000\n", b""),
    (b"VOLT:PROT 20.000;:CURR:PROT 100.000;:SINK:CURR:PROT 100.000\n", b""),
)


def supply(address: str, **timeouts_s: float) -> Supply:
    return Supply(
        address,
        "EA Elektro-Automatik, PSB 10",
        60.0,
        protect_voltage_v=20.0,
        protect_current_a=100.0,
        charge_v=16.0,
        discharge_v=0.0,
        timeouts_s=timeouts_s,
    )


def exchange_at(driver: Supply, current_a: float) -> None:
    driver.set_current(current_a)
    driver.poller.call(driver.exchange)


def protecting(volts: bytes, source: bytes, sink: bytes) -> Line:
    return (PROTECTIONS, b"%bV;%bA;%bA\n" % (volts, source, sink))


def test_a_sink_current_that_reads_negative_is_a_positive_discharge() -> None:
    with Scripted([EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        assert supply(peer.address).exchange(link).values == pytest.approx([1.0, 12.3, 4.5, 55.0])


@pytest.mark.parametrize(
    ("current_a", "setting"),
    [
        (30.0, b"VOLT 0.000;:CURR 0.000;:SINK:CURR 30.000\n"),
        (-12.5, b"VOLT 16.000;:CURR 12.500;:SINK:CURR 0.000\n"),
        (0.0, b"VOLT 0.000;:CURR 0.000;:SINK:CURR 0.000\n"),
    ],
)
def test_the_sign_of_the_current_chooses_sink_or_source(current_a: float, setting: bytes) -> None:
    with Scripted([*MET, EXCHANGE, (setting, b""), EXCHANGE]) as peer, running(driver := supply(peer.address)):
        exchange_at(driver, current_a)


def test_no_set_point_is_kept_before_the_ratings_are_known() -> None:
    with Scripted([EXCHANGE, EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        driver = supply(peer.address)
        driver.exchange(link)
        driver.set_current(10.0)
        driver.exchange(link)


@pytest.mark.parametrize("state", [ON, ON | LOCAL])
def test_without_remote_control_no_set_point_is_sent(state: int) -> None:
    exchange = (MEASURE, MEASURED + b"%d" % state + AT_REST)
    with Scripted([*MET, exchange, exchange]) as peer, running(driver := supply(peer.address)):
        exchange_at(driver, 10.0)


def test_a_refused_set_point_is_told_with_its_figures_and_the_error_queue() -> None:
    obeyed = (MEASURE, MEASURED + b"3072;0.00V;0.00A;50.00A\n")
    script = [
        *MET,
        EXCHANGE,
        (b"VOLT 0.000;:CURR 0.000;:SINK:CURR 50.000\n", b""),
        obeyed,
        *[(b"VOLT 0.000;:CURR 0.000;:SINK:CURR 60.000\n", b""), obeyed] * 6,  # the first may still be the one before
        (STATUS, b"3072\n"),
        (b"SYST:ERR:ALL?\n", b'-222,"Data out of range", -221,"Settings conflict;@1"\n'),
        (b"VOLT 0.000;:CURR 0.000;:SINK:CURR 50.000\n", b""),
        obeyed,
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        for current_a in (50.0, *[60.0] * 6):
            assert driver.health().detail == ""
            exchange_at(driver, current_a)
        told = driver.health().detail
        assert "50 A sunk, requested 0 V, 0 A sourced, 60 A sunk" in told
        assert "it refuses: -222 Data out of range, -221 Settings conflict;@1" in told
        exchange_at(driver, 50.0)
        assert driver.health().detail == ""


def test_a_set_point_that_takes_effect_an_exchange_later_is_no_complaint() -> None:
    script = [*MET, EXCHANGE]
    for asked in range(1, 10):
        setting = b"VOLT 0.000;:CURR 0.000;:SINK:CURR %d.000\n" % asked
        script += [(setting, b""), (MEASURE, MEASURED + b"3072;0.00V;0.00A;%d.00A\n" % (asked - 1))]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        for asked in range(1, 10):
            exchange_at(driver, float(asked))
        assert driver.health().detail == ""


@pytest.mark.parametrize(
    ("shown", "agrees"), [(b"33A", True), (b"33.3A", True), (b"33.33A", True), (b"33.2A", False), (b"33.32A", False)]
)
def test_a_read_back_agrees_within_half_its_last_decimal_and_a_step_of_the_rating(
    shown: bytes, *, agrees: bool
) -> None:
    ratings = ea_psb10000.Ratings(60.0, 120.0, 3000.0)  # a step of 4.6 mA
    read = ea_psb10000.SINK_CURRENT.read_back(shown)
    assert ratings.agrees(ea_psb10000.SINK_CURRENT, 33.333, read) is agrees


def test_remote_control_that_is_taken_away_at_the_panel_is_told() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"SYST:LOCK ON\n", b""),
        (b"SYST:LOCK:OWN?\n", b"REMOTE\n"),
        (MEASURE, MEASURED + b"512" + AT_REST),
        (b"STAT:OPER:COND?\n", b"0\n"),
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
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
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        driver.lock(on=True)
        driver.poller.call(driver.exchange)
        assert "its interface supervision received no message in time" in driver.health().detail


def test_a_standing_alarm_is_told_before_anything_else() -> None:
    script = [*MET, (MEASURE, MEASURED + b"1032" + AT_REST)]  # the guide's example, 5.4.14.4
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        until(lambda: driver.poller.reading is not None)
        assert "reports over-temperature (OT)" in driver.health().detail


def test_alarms_are_read_before_the_queue_that_acknowledges_them() -> None:
    asked: list[Line] = [(STATUS, b"1032\n"), (b"SYST:ERR:ALL?\n", b'-221,"Settings conflict"\n')]
    with Scripted([*MET, EXCHANGE, *asked]) as peer, running(driver := supply(peer.address)):
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
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        driver.prepare()
        assert [event.text for event in driver.news()] == ["alarm acknowledged: over-voltage (OVP)"]


def test_an_alarm_that_is_still_present_refuses_arming() -> None:
    acknowledged: list[Line] = [(STATUS, b"1032\n"), (b"SYST:ERR:ALL?\n", b'0,"No error"\n'), (STATUS, b"1032\n")]
    with (
        Scripted([*MET, EXCHANGE, *acknowledged]) as peer,
        running(driver := supply(peer.address)),
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
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        until(lambda: driver.poller.reading is not None)
        assert driver.found_owner == "NONE"
        driver.restore()
        assert [event.text for event in driver.news()] == [
            "output after over-temperature was AUTO, is OFF; it is restored at the end",
            "time of interface supervision was 5 s, is 2 s; it is restored at the end",
            "interface supervision was OFF, is ON; it is restored at the end",
            "restored: interface supervision, time of interface supervision, output after over-temperature",
        ]


@pytest.mark.parametrize(
    ("rated", "said"),
    [
        (b"16V;120A;3000W\n", r"rated 16 V .* 17.6 V, but the bench file sets supply.protect.voltage_v = 20 V"),
        (b"60.00V;60.0A;3kW\n", r"rated 60 A .* 66 A, but the bench file sets supply.protect.current_a = 100 A"),
    ],
)
def test_a_bench_file_beyond_the_ratings_is_refused_at_connect(rated: bytes, said: str) -> None:
    with (
        Scripted([IDENTITY, (RATINGS[0], rated)]) as peer,
        ScpiLink.open(peer.address) as link,
        pytest.raises(UnfitRating, match=said),
    ):
        supply(peer.address).greet(link)


@pytest.mark.parametrize(
    "identity",
    [
        b"EA Elektro-Automatik GmbH&Co.KG, PSB 10080-340, 2023120002, V3.06 24.05.2023 V3.03 05.10.2022 V1.0.0\n",
        b"EA ELEKTRO-AUTOMATIK,PSB 10060-60 2U,1234560001,V3.06\n",
        b"EA Elektro-Automatik, PSB 10060-120, 1, V2.09, V1.10, user text\n",
    ],
)
def test_the_model_field_alone_says_who_it_is(identity: bytes) -> None:
    script = [(IDENTITY[0], identity), RATINGS, EXCHANGE]
    with Scripted(script) as peer, ScpiLink.open(peer.address) as link:
        supply(peer.address).greet(link)


@pytest.mark.parametrize("current_a", [math.nan, math.inf, -math.inf, 123.0, -123.0])
def test_a_current_that_is_no_set_point_is_refused(current_a: float) -> None:
    with (
        Scripted([*MET, EXCHANGE]) as peer,
        running(driver := supply(peer.address)),
        pytest.raises(BenchError),
    ):
        driver.set_current(current_a)


@pytest.mark.parametrize(
    "reply",
    [
        b"12.30V, -4.50V, -55W;3072" + AT_REST,
        b"12.30V, -4.50A;3072" + AT_REST,
        MEASURED + b"PERHAPS" + AT_REST,
        MEASURED + b"-1" + AT_REST,
        MEASURED + b"3072;0.00V;0.00V;0.00A\n",
    ],
)
def test_a_wrong_unit_count_or_word_is_garbage(reply: bytes) -> None:
    with Scripted([(MEASURE, reply)]) as peer, ScpiLink.open(peer.address) as link, pytest.raises(LinkGarbage):
        supply(peer.address).exchange(link)


def test_the_lock_is_taken_once_the_owner_reads_remote() -> None:
    script = [
        *MET,
        EXCHANGE,
        (b"SYST:LOCK ON\n", b""),
        (b"SYST:LOCK:OWN?\n", b"NONE\n"),
        (b"SYST:LOCK:OWN?\n", b"REMOTE\n"),
    ]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
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
        running(driver := supply(peer.address, obey=0.0)),
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
    with Scripted(script) as peer, running(driver := supply(peer.address, obey=0.0, ask=0.05)):
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
    with Scripted(script) as peer, running(driver := supply(peer.address)):
        driver.prepare()


@pytest.mark.parametrize(("source", "sink"), [(b"100.00", b"132.00"), (b"132.00", b"100.00")])
def test_a_protection_of_either_direction_that_stays_wrong_is_told(source: bytes, sink: bytes) -> None:
    script = [*MET, EXCHANGE, *READY, *WRITTEN, protecting(b"20.00", source, sink), *QUIET]
    read = f"20 V, {float(source):g} A sourced, {float(sink):g} A sunk"
    with (
        Scripted(script) as peer,
        running(driver := supply(peer.address, obey=0.0)),
        pytest.raises(BenchError, match=f"protects at {read}, declared 20 V, 100 A sourced, 100 A sunk"),
    ):
        driver.prepare()


def test_protections_are_read_back_in_both_directions() -> None:
    script = [*MET, EXCHANGE, protecting(b"20.00", b"50.00", b"132.00")]
    with Scripted(script) as peer, running(driver := supply(peer.address)):
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
    with Scripted(script) as peer, running(driver := supply(peer.address)):
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
    with Scripted(script) as peer, running(driver := supply(peer.address, obey=0.0)):
        assert not driver.connections_ok(lambda _: None)


def test_the_last_word_is_one_short_message_verified_by_its_query() -> None:
    word = ea_psb10000.off_commands("127.0.0.1:5025", 0.2)
    (step,) = word.steps
    assert (step.send, step.verify) == (b"OUTP OFF\n", b"OUTP?\n")
    assert b"ON" not in step.accepted
    assert word.keep_alive_s < ea_psb10000.IDLE_CLOSE_S / 2


def test_every_message_keeps_to_five_commands_and_256_bytes() -> None:
    """What is written and the longest reply that an exchange may get; programming guide EN_01, 5.2.4."""
    assert ea_psb10000.MEASURE.count(b";") + 1 == ea_psb10000.ANSWERS == 5
    longest = b"-2000.000V, -1000.000A, -30000.00kW;32767;2000.000V;1000.000A;1000.000A\n"
    assert len(longest) <= ea_psb10000.LONGEST
    ea_psb10000.parse_measured(longest.strip())
