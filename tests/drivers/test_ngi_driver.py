"""The cell simulator by wire transcript: three channels of it, which is what the transcripts can show."""

from __future__ import annotations

import math

import numpy as np
import pytest

from drivers.errors import BenchError, LinkGarbage, WrongModel
from drivers.scpi.cells import CellSimulator
from drivers.scpi.link import Link
from tests.drivers.polled import known, running, until
from tests.drivers.scripted import Line, Scripted

IDENTITY: Line = (b"*IDN?\n", b"NGI,N83624,0,V1.00\n")
MEASURE = b"MEASure:VOLTage?(@1,2,3);:MEASure:CURRent?(@1,2,3)\n"
EXCHANGE: Line = (MEASURE, b"3.7000,3.7010,3.7020;-50.0,0.0,120.0\n")
STATES = b"OUTP1:STAT?;:OUTP2:STAT?;:OUTP3:STAT?\n"


def simulator(address: str) -> CellSimulator:
    return CellSimulator(address, "NGI,N83624", 60.0, cells=3, protect_voltage_v=5.2, protect_current_a=5.0)


def test_the_exchange_reads_volts_and_turns_milliamperes_into_amperes() -> None:
    with Scripted([EXCHANGE]) as peer, Link.open(peer.address) as link:
        reading = simulator(peer.address).exchange(link)
    assert reading.values == pytest.approx([3.7, 3.701, 3.702, -0.05, 0.0, 0.12])


def test_the_exchange_sets_every_channel_in_one_message_and_reads_in_one() -> None:
    setting = b"SOUR1:VOLT 3.1000;:SOUR2:VOLT 3.2000;:SOUR3:VOLT 3.3000\n"
    with Scripted([(setting, b""), EXCHANGE]) as peer, Link.open(peer.address) as link:
        cells = simulator(peer.address)
        cells.set_voltages(np.array([3.1, 3.2, 3.3]))
        cells.exchange(link)


def test_the_latest_set_points_win() -> None:
    setting = b"SOUR1:VOLT 4.0000;:SOUR2:VOLT 4.0000;:SOUR3:VOLT 4.0000\n"
    with Scripted([(setting, b""), EXCHANGE]) as peer, Link.open(peer.address) as link:
        cells = simulator(peer.address)
        cells.set_voltages(np.full(3, 3.0))
        cells.set_voltages(np.full(3, 4.0))
        cells.exchange(link)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -0.001, 6.5])
def test_a_set_point_out_of_range_is_refused_with_its_cell(wrong: float) -> None:
    with pytest.raises(BenchError, match="cell 2 of 3"):
        simulator("127.0.0.1:9").set_voltages(np.array([3.7, wrong, 3.7]))


def test_set_points_for_another_number_of_cells_are_refused() -> None:
    with pytest.raises(BenchError, match="of 3"):
        simulator("127.0.0.1:9").set_voltages(np.full(4, 3.7))


@pytest.mark.parametrize(
    "reply", [b"3.7,3.7,3.7;1,2\n", b"3.7,nan,3.7;1,2,3\n", b"3.7,3.7,3.7;1,2,3;4\n", b"\xff\x00;\xfe\n"]
)
def test_a_reply_that_is_not_three_and_three_numbers_is_garbage(reply: bytes) -> None:
    with Scripted([(MEASURE, reply)]) as peer, Link.open(peer.address) as link, pytest.raises(LinkGarbage):
        simulator(peer.address).exchange(link)


def test_another_model_is_told_with_what_was_expected() -> None:
    with (
        Scripted([(b"*IDN?\n", b"NGI,N8352,0,V1.00\n")]) as peer,
        Link.open(peer.address) as link,
        pytest.raises(WrongModel, match=r"answers as NGI,N8352.*NGI,N83624 was expected"),
    ):
        simulator(peer.address).greet(link)


def test_prepare_writes_mode_sampling_limits_and_protections_in_the_units_of_the_wire() -> None:
    def to_all(unit: str) -> Line:
        return (";:".join(unit.format(n) for n in (1, 2, 3)).encode() + b"\n", b"")

    script = [
        IDENTITY,
        EXCHANGE,
        to_all("OUTP{}:MODE 0"),
        to_all("MEAS{}:CAPR 0"),
        to_all("SOUR{}:OUTCURR 5000.0"),
        to_all("PRO{}:VOLT 5.200"),
        to_all("PRO{}:CURR 5000.0"),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.prepare()


def test_protections_are_read_back_in_volts_and_amperes() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (b"PRO1:VOLT?;:PRO2:VOLT?;:PRO3:VOLT?\n", b"5.2;5.2;5.1\n"),
        (b"PRO1:CURR?;:PRO2:CURR?;:PRO3:CURR?\n", b"5000;5000;4000\n"),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        volts, amperes = cells.protections()
    assert volts == pytest.approx([5.2, 5.2, 5.1])
    assert amperes == pytest.approx([5.0, 5.0, 4.0])


def test_outputs_ask_until_every_channel_is_on() -> None:
    switch = b"OUTP1:ONOFF 1;:OUTP2:ONOFF 1;:OUTP3:ONOFF 1\n"
    script = [IDENTITY, EXCHANGE, (switch, b""), (STATES, b"1;0;1\n"), (STATES, b"1;65537;1\n")]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.outputs(on=True)


def test_complaints_name_the_cell_and_the_protection() -> None:
    with Scripted([IDENTITY, EXCHANGE, (STATES, b"1;2;12\n")]) as peer, running(cells := simulator(peer.address)):
        assert cells.complaints() == [
            "cell 2: over-voltage protection",
            "cell 3: over-current protection, over-power protection",
        ]


def test_the_error_queue_is_read_to_its_end() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (b"SYST:ERR?\n", b'-113,"Undefined header"\n'),
        (b"SYST:ERR?\n", b'-115,"No query"\n'),
        (b"SYST:ERR?\n", b'0,"No error"\n'),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        assert cells.errors() == ["-113 Undefined header", "-115 No query"]


def test_the_fault_relay_waits_for_zero_volts_and_returns_the_output() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (STATES, b"1;1;1\n"),
        (b"OUTP2:ONOFF 0;:SOUR2:VOLT 0.0000\n", b""),
        (b"MEAS2:VOLT?\n", b"1.2000\n"),
        (b"MEAS2:VOLT?\n", b"0.0010\n"),
        (b"FAUL2:SIM 1\n", b""),
        (STATES, b"1;0;1\n"),
        (b"OUTP2:ONOFF 1\n", b""),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.fault_relay(2, "open_plus")


def test_a_refused_fault_relay_is_told_in_the_instruments_words() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (STATES, b"0;0;0\n"),
        (b"OUTP1:ONOFF 0;:SOUR1:VOLT 0.0000\n", b""),
        (b"MEAS1:VOLT?\n", b"0.0000\n"),
        (b"FAUL1:SIM 96\n", b""),
        (STATES, b"64;0;0\n"),
    ]
    with (
        Scripted(script) as peer,
        running(cells := simulator(peer.address)),
        pytest.raises(BenchError, match="reversed of cell 1: fault relay asked outside source mode"),
    ):
        cells.fault_relay(1, "reversed")


def test_a_cell_whose_relay_did_not_move_takes_its_set_points_again() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (STATES, b"0;0;0\n"),
        (b"OUTP1:ONOFF 0;:SOUR1:VOLT 0.0000\n", b""),
        (b"MEAS1:VOLT?\n", b"0.0000\n"),
        (b"FAUL1:SIM 96\n", b""),
        (STATES, b"64;0;0\n"),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)), pytest.raises(BenchError):
        cells.fault_relay(1, "reversed")
    setting = b"SOUR1:VOLT 3.7000;:SOUR2:VOLT 3.7000;:SOUR3:VOLT 3.7000\n"
    with Scripted([(setting, b""), EXCHANGE]) as peer, Link.open(peer.address) as link:
        cells.set_voltages(np.full(3, 3.7))
        cells.exchange(link)


def test_a_shorted_cell_is_held_at_zero_volts() -> None:
    script = [
        IDENTITY,
        EXCHANGE,
        (STATES, b"1;1;1\n"),
        (b"OUTP3:ONOFF 0;:SOUR3:VOLT 0.0000\n", b""),
        (b"MEAS3:VOLT?\n", b"0.0000\n"),
        (b"FAUL3:SIM 8\n", b""),
        (STATES, b"1;1;0\n"),
    ]
    setting = b"SOUR1:VOLT 3.7000;:SOUR2:VOLT 3.7000;:SOUR3:VOLT 0.0000\n"
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.fault_relay(3, "short")
    with Scripted([(setting, b""), EXCHANGE]) as peer, Link.open(peer.address) as link:
        cells.set_voltages(np.full(3, 3.7))
        cells.exchange(link)


def test_channels_and_values_stand_in_the_same_order() -> None:
    with Scripted([IDENTITY, EXCHANGE]) as peer, running(cells := simulator(peer.address)):
        until(lambda: cells.poller.reading is not None)
        names = [channel.name for channel in cells.channels]
        assert known(cells).values[names.index("cell_03/current")] == pytest.approx(0.12)
