"""The cell simulator by wire transcript: three channels of it, which is what the transcripts can show."""

from __future__ import annotations

import math

import numpy as np
import pytest

from drivers.errors import BenchError, LinkGarbage, UnfitRating, WrongModel
from drivers.event import Level
from drivers.scpi import ngi_n83624
from drivers.scpi.cell_simulator import CellSimulator
from drivers.scpi.link import ScpiLink
from tests.drivers.bench_instruments import SELDOM_S, make_cell_simulator
from tests.drivers.polled import known, running, until
from tests.drivers.scripted import Line, Scripted, late

IDENTITY: Line = (b"*IDN?\n", b"NGI,N83624,0,V1.00\n")
MEASURE = b"MEASure:VOLTage?(@1,2,3);:MEASure:CURRent?(@1,2,3)\n"
EXCHANGE: Line = (MEASURE, b"3.7000,3.7010,3.7020;-50.0,0.0,120.0\n")
VOLTS: Line = (b"MEASure:VOLTage?(@1,2,3)\n", b"3.7000,3.7010,3.7020\n")
CURRENTS: Line = (b"MEASure:CURRent?(@1,2,3)\n", b"-50.0,0.0,120.0\n")
MET: tuple[Line, ...] = (IDENTITY, VOLTS, CURRENTS)
STATES = b"OUTP1:STAT?;:OUTP2:STAT?;:OUTP3:STAT?\n"


def simulator(address: str, **timeouts_s: float) -> CellSimulator:
    return make_cell_simulator(address, SELDOM_S, cells=3, **timeouts_s)


def test_the_exchange_reads_volts_and_turns_milliamperes_into_amperes() -> None:
    with Scripted([EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        reading = simulator(peer.address).exchange(link)
    assert reading.values == pytest.approx([3.7, 3.701, 3.702, -0.05, 0.0, 0.12])


def test_the_exchange_sets_every_channel_in_one_message_and_reads_in_one() -> None:
    setting = b"SOUR1:VOLT 3.1000;:SOUR2:VOLT 3.2000;:SOUR3:VOLT 3.3000\n"
    with Scripted([(setting, b""), EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        cells = simulator(peer.address)
        cells.set_voltages(np.array([3.1, 3.2, 3.3]))
        cells.exchange(link)


def test_the_latest_set_points_win() -> None:
    setting = b"SOUR1:VOLT 4.0000;:SOUR2:VOLT 4.0000;:SOUR3:VOLT 4.0000\n"
    with Scripted([(setting, b""), EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
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
    with Scripted([(MEASURE, reply)]) as peer, ScpiLink.open(peer.address) as link, pytest.raises(LinkGarbage):
        simulator(peer.address).exchange(link)


def test_another_model_is_told_with_what_was_expected() -> None:
    with (
        Scripted([(b"*IDN?\n", b"NGI,N8352,0,V1.00\n")]) as peer,
        ScpiLink.open(peer.address) as link,
        pytest.raises(WrongModel, match=r"answers as NGI,N8352.*expected NGI,N83624"),
    ):
        simulator(peer.address).greet(link)


def of_all(unit: str, reply: str = "") -> Line:
    """One unit for each of the three channels, and what each answers."""
    told = ";".join([reply] * 3) + "\n" if reply else ""
    return (";:".join(unit.format(n) for n in (1, 2, 3)).encode() + b"\n", told.encode())


def test_prepare_writes_and_reads_back_in_the_units_of_the_wire_and_leaves_no_protection_at_zero() -> None:
    script = [
        *MET,
        EXCHANGE,
        of_all("OUTP{}:MODE 0"),
        of_all("OUTP{}:MODE?", "0"),
        of_all("MEAS{}:CAPR 0"),
        of_all("MEAS{}:CAPR?", "0"),
        of_all("SOUR{}:OUTCURR 5000.0"),
        of_all("SOUR{}:OUTCURR?", "5000"),
        of_all("PRO{}:VOLT 5.200"),
        of_all("PRO{}:VOLT?", "5.2"),
        of_all("PRO{}:CURR 5000.0"),
        of_all("PRO{}:CURR?", "5000.0"),
        of_all("PRO{}:POWEr 26000"),
        of_all("PRO{}:POWEr?", "26000"),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.prepare()


def test_a_command_that_was_swallowed_is_no_success() -> None:
    script = [
        *MET,
        EXCHANGE,
        of_all("OUTP{}:MODE 0"),
        of_all("OUTP{}:MODE?", "0"),
        of_all("MEAS{}:CAPR 0"),
        (of_all("MEAS{}:CAPR?")[0], b"0;2;0\n"),
        (STATES, b"0;2;0\n"),
    ]
    with (
        Scripted(script) as peer,
        running(cells := simulator(peer.address, obey=0.0)),
        pytest.raises(BenchError, match=r"does not accept MEAS2:CAPR 0 for cell 2 .*cell 2: over-voltage protection"),
    ):
        cells.prepare()


def test_a_diagnosis_that_stays_silent_replaces_no_reason_and_breaks_no_switching_off() -> None:
    switch_on, switch_off = of_all("OUTP{}:ONOFF 1"), of_all("OUTP{}:ONOFF 0")
    script = [
        *MET,
        EXCHANGE,
        switch_on,
        (STATES, b"1;0;1\n"),
        (STATES, b""),
        IDENTITY,
        switch_off,
        (STATES, b"0;0;0\n"),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address, obey=0.0, ask=0.05)):
        with pytest.raises(
            BenchError, match=r"does not switch on cell 2 .*its reason could not be read: .*does not support"
        ):
            cells.outputs(on=True)
        cells.outputs(on=False)


def test_a_unit_without_a_list_for_currents_is_asked_for_each() -> None:
    each = (b"MEAS1:CURR?;:MEAS2:CURR?;:MEAS3:CURR?\n", b"-50.0;0.0;120.0\n")
    both = (b"MEASure:VOLTage?(@1,2,3);:" + each[0], b"3.7000,3.7010,3.7020;-50.0;0.0;120.0\n")
    script = [IDENTITY, VOLTS, (CURRENTS[0], b""), IDENTITY, each, both]
    with Scripted(script) as peer, running(cells := simulator(peer.address, read=0.1)):
        until(lambda: cells.poller.reading is not None)
        assert known(cells).values == pytest.approx([3.7, 3.701, 3.702, -0.05, 0.0, 0.12])
        assert [(event.source, event.level) for event in cells.news()] == [("cell_simulator", Level.INFO)]


def test_a_unit_that_answers_too_late_is_unfit_and_its_time_is_told() -> None:
    script = [IDENTITY, VOLTS, (CURRENTS[0], late(b"-50.0,0.0,120.0\n", 0.3)), IDENTITY]
    with (
        Scripted(script) as peer,
        ScpiLink.open(peer.address, 0.1) as link,
        pytest.raises(UnfitRating, match=r"answers MEASure:CURRent\? of 3 channels after 0\.\d s, later .* of 100 ms"),
    ):
        simulator(peer.address, read=0.1).greet(link)


def test_a_unit_whose_current_reads_negative_on_discharge_is_declared_so() -> None:
    cells = CellSimulator("", "NGI", 60.0, cells=3, protect_voltage_v=5.2, protect_current_a=5.0, discharge_reads=-1.0)
    with Scripted([EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        assert cells.exchange(link).values[3:] == pytest.approx([0.05, 0.0, -0.12])


def test_no_message_to_24_channels_is_longer_than_256_bytes() -> None:
    channels = ngi_n83624.ChannelCommands(24, listed_currents=False)
    written = channels.set_voltages(np.full(24, 3.7))
    assert len(written) == 2
    assert b";:".join(message.strip() for message in written).count(b"SOUR") == 24
    assert max(map(len, [*written, *(message for message, _ in channels.measure)])) <= ngi_n83624.LONGEST


def test_protections_are_read_back_in_volts_and_amperes() -> None:
    script = [
        *MET,
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
    script = [*MET, EXCHANGE, (switch, b""), (STATES, b"1;0;1\n"), (STATES, b"1;65537;1\n")]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.outputs(on=True)


def test_complaints_name_the_cell_and_the_protection() -> None:
    with Scripted([*MET, EXCHANGE, (STATES, b"1;2;12\n")]) as peer, running(cells := simulator(peer.address)):
        assert cells.complaints() == [
            "cell 2: over-voltage protection",
            "cell 3: over-current protection, over-power protection",
        ]


def test_the_fault_relay_waits_for_zero_volts_and_returns_the_output() -> None:
    script = [
        *MET,
        EXCHANGE,
        (STATES, b"1;1;1\n"),
        (b"OUTP2:ONOFF 0;:SOUR2:VOLT 0.0000\n", b""),
        (b"MEAS2:VOLT?\n", b"1.2000\n"),
        (b"MEAS2:VOLT?\n", b"0.0010\n"),
        (b"FAULt2:SIMUlate 1\n", b""),
        (STATES, b"1;0;1\n"),
        (b"FAULt2:SIMUlate?\n", b"0\n"),
        (b"FAULt2:SIMUlate?\n", b"1\n"),
        (b"OUTP2:ONOFF 1\n", b""),
        (STATES, b"1;1;1\n"),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.fault_relay(2, "open_plus")


def test_a_fault_relay_that_does_not_move_and_one_that_is_not_fitted_are_told() -> None:
    before: list[Line] = [
        (STATES, b"0;0;0\n"),
        (b"OUTP1:ONOFF 0;:SOUR1:VOLT 0.0000\n", b""),
        (b"MEAS1:VOLT?\n", b"0.0000\n"),
        (b"FAULt1:SIMUlate 1\n", b""),
        (STATES, b"0;0;0\n"),
    ]
    still, silent = (b"FAULt1:SIMUlate?\n", b"0\n"), (b"FAULt1:SIMUlate?\n", b"")
    script = [*MET, EXCHANGE, *before, still, (STATES, b"0;0;0\n"), *before, silent, IDENTITY]
    with Scripted(script) as peer, running(cells := simulator(peer.address, obey=0.0, ask=0.05)):
        with pytest.raises(BenchError, match="reports the fault relay of cell 1 as normal after"):
            cells.fault_relay(1, "open_plus")
        with pytest.raises(
            BenchError, match=r"does not support FAULt1:SIMUlate.*check that its fault relay option is fitted"
        ):
            cells.fault_relay(1, "open_plus")


def test_a_refused_fault_relay_is_told_in_the_instruments_words() -> None:
    script = [
        *MET,
        EXCHANGE,
        (STATES, b"0;0;0\n"),
        (b"OUTP1:ONOFF 0;:SOUR1:VOLT 0.0000\n", b""),
        (b"MEAS1:VOLT?\n", b"0.0000\n"),
        (b"FAULt1:SIMUlate 96\n", b""),
        (STATES, b"64;0;0\n"),
    ]
    with (
        Scripted(script) as peer,
        running(cells := simulator(peer.address)),
        pytest.raises(BenchError, match="reversed of cell 1: fault relay requested outside source mode"),
    ):
        cells.fault_relay(1, "reversed")


def test_a_cell_whose_relay_did_not_move_takes_its_set_points_again() -> None:
    script = [
        *MET,
        EXCHANGE,
        (STATES, b"0;0;0\n"),
        (b"OUTP1:ONOFF 0;:SOUR1:VOLT 0.0000\n", b""),
        (b"MEAS1:VOLT?\n", b"0.0000\n"),
        (b"FAULt1:SIMUlate 96\n", b""),
        (STATES, b"64;0;0\n"),
    ]
    with Scripted(script) as peer, running(cells := simulator(peer.address)), pytest.raises(BenchError):
        cells.fault_relay(1, "reversed")
    setting = b"SOUR1:VOLT 3.7000;:SOUR2:VOLT 3.7000;:SOUR3:VOLT 3.7000\n"
    with Scripted([(setting, b""), EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        cells.set_voltages(np.full(3, 3.7))
        cells.exchange(link)


def test_a_shorted_cell_is_held_at_zero_volts() -> None:
    script = [
        *MET,
        EXCHANGE,
        (STATES, b"1;1;1\n"),
        (b"OUTP3:ONOFF 0;:SOUR3:VOLT 0.0000\n", b""),
        (b"MEAS3:VOLT?\n", b"0.0000\n"),
        (b"FAULt3:SIMUlate 8\n", b""),
        (STATES, b"1;1;0\n"),
        (b"FAULt3:SIMUlate?\n", b"8\n"),
    ]
    setting = b"SOUR1:VOLT 3.7000;:SOUR2:VOLT 3.7000;:SOUR3:VOLT 0.0000\n"
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.fault_relay(3, "short")
    with Scripted([(setting, b""), EXCHANGE]) as peer, ScpiLink.open(peer.address) as link:
        cells.set_voltages(np.full(3, 3.7))
        cells.exchange(link)


def test_channels_and_values_stand_in_the_same_order() -> None:
    with Scripted([*MET, EXCHANGE]) as peer, running(cells := simulator(peer.address)):
        until(lambda: cells.poller.reading is not None)
        names = [channel.name for channel in cells.channels]
        assert known(cells).values[names.index("cell_03/current")] == pytest.approx(0.12)


@pytest.mark.parametrize(("state", "said"), [(b"2\n", True), (b"0\n", False)], ids=["protection", "another reason"])
def test_an_output_that_its_own_protection_switched_off_is_told_once_with_cell_and_limit(
    state: bytes,
    *,
    said: bool,
) -> None:
    fallen: Line = (MEASURE, b"3.7000,0.0010,3.7020;0.0,0.0,0.0\n")
    on = [of_all("OUTP{}:ONOFF 1"), (STATES, b"1;1;1\n")]
    script = [*MET, EXCHANGE, fallen, *on, fallen, EXCHANGE, fallen, (b"OUTP2:STAT?\n", state), fallen]
    with Scripted(script) as peer, running(cells := simulator(peer.address)):
        cells.poller.call(cells.exchange)  # an output that is off by order is asked nothing
        cells.outputs(on=True)
        for _ in range(4):  # still rising, on, fallen, fallen
            cells.poller.call(cells.exchange)
    told = "cell_02: over-voltage protection of the cell simulator switched the output off (limits 5.200 V, 5.000 A)"
    assert cells.protection == (told if said else "")
