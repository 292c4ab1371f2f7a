"""The bidirectional supply by wire transcript: identity, ratings and the exchange."""

from __future__ import annotations

import math

import pytest

from drivers.errors import BenchError, LinkGarbage, UnfitRating
from drivers.scpi import ea_psb10000
from drivers.scpi.link import ScpiLink
from tests.drivers.bench_instruments import SELDOM_S, make_supply
from tests.drivers.ea_transcript import (
    AT_REST,
    EXCHANGE,
    IDENTITY,
    LOCAL,
    MEASURE,
    MEASURED,
    MET,
    ON,
    RATINGS,
    STATUS,
    exchange_at,
)
from tests.drivers.polled import running
from tests.drivers.scripted import Scripted


def test_a_sink_current_that_reads_negative_is_a_positive_discharge() -> None:
    with Scripted([EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        assert make_supply(peer.address, SELDOM_S).exchange(link).values == pytest.approx([1.0, 12.3, 4.5, 55.0])


@pytest.mark.parametrize(
    ("current_a", "setting"),
    [
        (30.0, b"VOLT 0.000;:CURR 0.000;:SINK:CURR 30.000\n"),
        (-12.5, b"VOLT 16.000;:CURR 12.500;:SINK:CURR 0.000\n"),
        (0.0, b"VOLT 0.000;:CURR 0.000;:SINK:CURR 0.000\n"),
    ],
)
def test_the_sign_of_the_current_chooses_sink_or_source(current_a: float, setting: bytes) -> None:
    with (
        Scripted([*MET, EXCHANGE, (setting, b""), EXCHANGE]) as peer,
        running(driver := make_supply(peer.address, SELDOM_S)),
    ):
        exchange_at(driver, current_a)


def test_no_set_point_is_kept_before_the_ratings_are_known() -> None:
    with Scripted([EXCHANGE, EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        driver = make_supply(peer.address, SELDOM_S)
        driver.exchange(link)
        driver.set_current(10.0)
        driver.exchange(link)


@pytest.mark.parametrize("state", [ON, ON | LOCAL])
def test_without_remote_control_no_set_point_is_sent(state: int) -> None:
    exchange = (MEASURE, MEASURED + b"%d" % state + AT_REST)
    with Scripted([*MET, exchange, exchange]) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
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
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
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
    with Scripted(script) as peer, running(driver := make_supply(peer.address, SELDOM_S)):
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
        make_supply(peer.address, SELDOM_S).greet(link)


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
        make_supply(peer.address, SELDOM_S).greet(link)


@pytest.mark.parametrize("current_a", [math.nan, math.inf, -math.inf, 123.0, -123.0])
def test_a_current_that_is_no_set_point_is_refused(current_a: float) -> None:
    with (
        Scripted([*MET, EXCHANGE]) as peer,
        running(driver := make_supply(peer.address, SELDOM_S)),
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
        make_supply(peer.address, SELDOM_S).exchange(link)


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
