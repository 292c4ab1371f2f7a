"""The device under test over python-can's virtual bus: frames in, heartbeat and requests out."""

from __future__ import annotations

import time

import numpy as np
import pytest

from drivers.canbus.dut import Dut
from drivers.ports import LinkState
from drivers.snapshot import Quality
from tests.drivers.candevice import MAP, Device, value
from tests.drivers.polled import until


def test_a_frame_becomes_values_in_si_with_its_time(device: Device, dut: Dut) -> None:
    before_s = time.monotonic()
    device.say("BMS_Status", {"SoC": 62.5, "State": 3})
    device.say("BMS_Temps_1", {"Temp1": 25.0, "Temp2": -20.0})
    until(lambda: len(dut.last_received_s()) == 2)
    assert value(dut, "bms/soc") == (pytest.approx(0.625), Quality.GOOD)
    assert value(dut, "bms/temperature_2") == (pytest.approx(253.15), Quality.GOOD)
    assert before_s - 0.05 < dut.last_received_s()["BMS_Status"] < time.monotonic()


def test_what_was_never_said_is_missing(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {})
    until(lambda: "BMS_Status" in dut.last_received_s())
    told, quality = value(dut, "bms/pack_voltage")
    assert np.isnan(told)
    assert quality == Quality.MISSING


def test_an_old_value_is_stale_while_other_frames_come(device: Device, dut: Dut) -> None:
    device.say("BMS_Pack", {"PackVoltage": 88.0})
    stale = (pytest.approx(88.0), Quality.STALE)
    until(lambda: device.say("BMS_Status", {}) or value(dut, "bms/pack_voltage") == stale)
    assert "BMS_Status" in dut.last_received_s()


def test_a_silent_device_has_no_values_and_says_so(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {"SoC": 50.0})
    until(lambda: dut.health().state is LinkState.OK)
    until(lambda: dut.health().state is LinkState.SILENT)
    assert value(dut, "bms/soc")[1] == Quality.MISSING
    assert "300 ms" in dut.health().detail


def test_a_value_out_of_its_range_is_implausible(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {"FaultCell": 200})
    until(lambda: "BMS_Status" in dut.last_received_s())
    assert value(dut, "bms/fault_cell") == (200.0, Quality.IMPLAUSIBLE)


def test_the_heartbeat_beats_with_its_counter_until_stopped(device: Device, dut: Dut) -> None:
    dut.heartbeat(on=True)
    beats = [device.hear("TST_Heartbeat")["Counter"] for _ in range(3)]
    assert beats == [0, 1, 2]
    dut.heartbeat(on=False)
    dut.request("open")  # the clock of what does not come
    device.hear("TST_Request")
    assert device.hears(5) == {"TST_Request"}


@pytest.mark.timed
def test_a_request_is_sent_at_once_and_again(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {})
    until(lambda: dut.health().state is LinkState.OK)
    began_s = time.monotonic()
    dut.request("close", balance_off=True)
    first = device.hear("TST_Request")
    assert time.monotonic() - began_s < 0.04
    second = device.hear("TST_Request")
    assert [first[name] for name in ("Contactor", "BalanceOff", "ResetFault")] == [2, 1, 0]
    assert second["Counter"] == first["Counter"] + 1


def test_the_latest_request_replaces_the_one_before(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {})
    until(lambda: dut.health().state is LinkState.OK)
    dut.request("close")
    device.hear("TST_Request")
    dut.request("open", reset=True)
    until(lambda: device.hear("TST_Request")["Contactor"] == 1)
    assert device.hear("TST_Request")["ResetFault"] == 1


def test_a_close_is_taken_back_when_the_device_falls_silent(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {})
    until(lambda: dut.health().state is LinkState.OK)
    dut.request("close", balance_off=True)
    assert device.hear("TST_Request")["Contactor"] == 2
    until(lambda: dut.health().state is LinkState.SILENT)
    until(lambda: device.hear("TST_Request")["Contactor"] == 0)
    assert device.hear("TST_Request")["BalanceOff"] == 1


def test_an_open_stays_asked_when_the_device_falls_silent(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {})
    dut.request("open")
    until(lambda: dut.health().state is LinkState.SILENT)
    device.forget()
    assert [device.hear("TST_Request")["Contactor"] for _ in range(4)] == [1, 1, 1, 1]


def test_nothing_is_asked_before_somebody_asks(device: Device, dut: Dut) -> None:
    dut.heartbeat(on=True)  # the clock of what does not come
    assert device.hears(10) == {"TST_Heartbeat"}
    assert dut.health().state is not LinkState.CLOSED


def test_a_closed_dut_says_so_and_leaves_no_bus(device: Device) -> None:
    dut = Dut.open(MAP, "virtual", device.channel, 500_000)
    dut.close()
    assert dut.health().state is LinkState.CLOSED
