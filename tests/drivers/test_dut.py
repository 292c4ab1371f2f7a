"""The device under test over python-can's virtual bus: frames in, heartbeat and requests out."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import TYPE_CHECKING

import can
import numpy as np
import pytest

from drivers.canbus.dut import Dut, last_word, on_our_clock
from drivers.canbus.dut_map import read_dut_map
from drivers.ports import LinkState
from drivers.snapshot import Quality
from tests.drivers.polled import known, until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from drivers.lastword import Spoken

MAP = Path(__file__).parents[2] / "fixtures" / "benches" / "pulse24.dut.toml"
MAPPED = read_dut_map(MAP)
CHANNELS = (f"dut-{number}" for number in itertools.count())


class Device:
    """The other end of the bus: says what a test wants said, hears everything."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.bus = can.Bus(interface="virtual", channel=channel, ignore_config=True)
        self._counters: dict[str, int] = {}

    def say(self, name: str, values: Mapping[str, float], *, skip: int = 0, broken: bool = False) -> None:
        message = MAPPED.messages[name]
        counter = self._counters[name] = self._counters.get(name, -1) + 1 + skip
        payload = bytearray(message.encode(values, counter))
        payload[0] ^= broken
        self.bus.send(can.Message(arbitration_id=message.id, data=payload, is_extended_id=False))

    def hear(self, name: str, within_s: float = 2.0) -> dict[str, float]:
        """The next frame of that message, proven."""
        message, end_s = MAPPED.messages[name], time.monotonic() + within_s
        while (left_s := end_s - time.monotonic()) > 0:
            frame = self.bus.recv(left_s)
            if frame is not None and frame.arbitration_id == message.id:
                assert message.protection is not None
                assert message.protection.proves(message.id, bytes(frame.data))
                return dict(message.decode(bytes(frame.data)))
        raise AssertionError(f"never heard {name}")

    def forget(self) -> None:
        while self.bus.recv(0.0) is not None:
            pass


@pytest.fixture
def device() -> Generator[Device]:
    made = Device(next(CHANNELS))
    yield made
    made.bus.shutdown()


@pytest.fixture
def dut(device: Device) -> Generator[Dut]:
    opened = Dut.open(MAP, "virtual", device.channel, 500_000)
    until(lambda: opened.health().detail != "opening the bus")
    yield opened
    opened.close()


def value(dut: Dut, channel: str) -> tuple[float, int]:
    column = [known.name for known in dut.channels].index(channel)
    seen = known(dut)
    return float(seen.values[column]), int(seen.quality[column])


def test_a_frame_becomes_values_in_si_with_its_time(device: Device, dut: Dut) -> None:
    before_s = time.monotonic()
    device.say("BMS_Status", {"SoC": 62.5, "State": 3})
    device.say("BMS_Temps_1", {"Temp1": 25.0, "Temp2": -20.0})
    until(lambda: len(dut.last_heard_s()) == 2)
    assert value(dut, "bms/soc") == (pytest.approx(0.625), Quality.GOOD)
    assert value(dut, "bms/temperature_2") == (pytest.approx(253.15), Quality.GOOD)
    assert before_s - 0.05 < dut.last_heard_s()["BMS_Status"] < time.monotonic()


def test_what_was_never_said_is_missing(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {})
    until(lambda: "BMS_Status" in dut.last_heard_s())
    told, quality = value(dut, "bms/pack_voltage")
    assert np.isnan(told)
    assert quality == Quality.MISSING


def test_an_old_value_is_stale_while_other_frames_come(device: Device, dut: Dut) -> None:
    device.say("BMS_Pack", {"PackVoltage": 88.0})
    end_s = time.monotonic() + 0.2
    while time.monotonic() < end_s:
        device.say("BMS_Status", {})
        time.sleep(0.01)
    until(lambda: "BMS_Status" in dut.last_heard_s())
    assert value(dut, "bms/pack_voltage") == (pytest.approx(88.0), Quality.STALE)


def test_a_silent_device_has_no_values_and_says_so(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {"SoC": 50.0})
    until(lambda: dut.health().state is LinkState.OK)
    until(lambda: dut.health().state is LinkState.SILENT)
    assert value(dut, "bms/soc")[1] == Quality.MISSING
    assert "300 ms" in dut.health().detail


def test_a_value_out_of_its_range_is_implausible(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {"FaultCell": 200})
    until(lambda: "BMS_Status" in dut.last_heard_s())
    assert value(dut, "bms/fault_cell") == (200.0, Quality.IMPLAUSIBLE)


def test_a_broken_frame_is_counted_and_not_believed(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {"SoC": 50.0})
    device.say("BMS_Status", {"SoC": 60.0}, broken=True)
    until(lambda: dut.proof.bad == 1)
    assert value(dut, "bms/soc")[0] == pytest.approx(0.5)


def test_a_lost_frame_is_counted(device: Device, dut: Dut) -> None:
    device.say("BMS_Status", {})
    device.say("BMS_Status", {}, skip=2)
    until(lambda: dut.proof.lost == 2)


def test_nothing_but_broken_frames_is_garbage(device: Device, dut: Dut) -> None:
    for _ in range(12):
        device.say("BMS_Status", {}, broken=True)
    until(lambda: dut.health().state is LinkState.GARBAGE)


def test_an_unknown_identifier_is_passed_over(device: Device, dut: Dut) -> None:
    device.bus.send(can.Message(arbitration_id=0x7DF, data=b"\x01", is_extended_id=False))
    device.say("BMS_Status", {})
    until(lambda: set(dut.last_heard_s()) == {"BMS_Status"})
    assert dut.proof.bad == 0


def test_the_heartbeat_beats_with_its_counter_until_stopped(device: Device, dut: Dut) -> None:
    dut.heartbeat(on=True)
    beats = [device.hear("TST_Heartbeat")["Counter"] for _ in range(3)]
    assert beats == [0, 1, 2]
    dut.heartbeat(on=False)
    time.sleep(0.06)
    device.forget()
    time.sleep(0.12)
    assert device.bus.recv(0.0) is None


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
    time.sleep(0.15)
    device.forget()
    assert device.hear("TST_Request")["Contactor"] == 1


def test_nothing_is_asked_before_somebody_asks(device: Device, dut: Dut) -> None:
    time.sleep(0.12)
    assert device.bus.recv(0.0) is None
    assert dut.health().state is not LinkState.CLOSED


def test_an_adapter_that_is_not_there_is_dropped_with_its_words() -> None:
    dut = Dut.open(MAP, "no_such_adapter", "0", 500_000)
    try:
        until(lambda: dut.health().state is LinkState.DROPPED)
        assert "no_such_adapter" in dut.health().detail
        assert (known(dut).quality == Quality.MISSING).all()
    finally:
        dut.close()


def broken(*_: object, **__: object) -> None:
    raise can.CanOperationError("the adapter was unplugged")


def test_a_bus_that_breaks_is_dropped_and_opened_again(
    device: Device, dut: Dut, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as while_broken:
        while_broken.setattr("can.interfaces.virtual.VirtualBus._recv_internal", broken)
        until(lambda: dut.health().state is LinkState.DROPPED)
        assert "unplugged" in dut.health().detail
    until(lambda: dut.health().state is not LinkState.DROPPED)
    device.say("BMS_Status", {})
    until(lambda: dut.health().state is LinkState.OK)


def test_a_frame_too_short_to_decode_is_counted_as_bad(device: Device, dut: Dut) -> None:
    unprotected = MAPPED.messages["BMS_Status"].id
    device.bus.send(can.Message(arbitration_id=unprotected, data=b"\x00\x01", is_extended_id=False))
    until(lambda: dut.proof.bad == 1)


def test_a_closed_dut_says_so_and_leaves_no_bus(device: Device) -> None:
    dut = Dut.open(MAP, "virtual", device.channel, 500_000)
    dut.close()
    assert dut.health().state is LinkState.CLOSED


@pytest.mark.parametrize("offset_s", [0.0, None, 1e6])
def test_a_frames_time_is_on_our_clock_whatever_stamps_it(offset_s: float | None) -> None:
    arrived_s = time.monotonic()
    stamp = time.time() - 0.25 if offset_s is None else arrived_s - 0.25 + offset_s
    wanted_s = arrived_s if offset_s else arrived_s - 0.25
    assert on_our_clock(stamp, arrived_s) == pytest.approx(wanted_s, abs=0.05)


@pytest.fixture
def mouth(device: Device) -> Generator[Spoken]:
    opened = last_word(MAPPED, "virtual", device.channel, 500_000, 0.3).open()
    yield opened
    opened.close()


def test_the_guards_request_is_repeated_until_the_contactor_reads_open(device: Device, mouth: Spoken) -> None:
    device.say("BMS_Status", {"Contactor": 1})
    assert mouth.keep_alive()
    device.bus.recv(0.0)
    opener = can.Notifier(device.bus, [Answer(device, after=3)], timeout=0.01)
    (result,) = mouth.speak()
    opener.stop()
    assert result.verified
    assert 0.0 < result.verified_s - result.sent_s < 0.3


def test_a_frame_from_before_does_not_verify(device: Device, mouth: Spoken) -> None:
    device.say("BMS_Status", {"Contactor": 0})
    (result,) = mouth.speak()
    assert not result.verified
    assert "no frame says so" in result.detail
    sent = iter(lambda: device.bus.recv(0.0), None)
    counters = [MAPPED.messages["GRD_Request"].decode(bytes(frame.data))["Counter"] for frame in sent]
    assert counters[:5] == [0, 1, 2, 3, 4]


def test_a_guards_bus_that_is_not_there_never_raises() -> None:
    mouth = last_word(MAPPED, "no_such_adapter", "0", 500_000, 0.05).open()
    assert not mouth.keep_alive()
    assert not mouth.speak()[0].verified
    assert "no_such_adapter" in mouth.detail or "0 cannot be opened" in mouth.detail
    mouth.close()


def test_a_guards_bus_that_breaks_is_told_and_opened_again(
    device: Device, mouth: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as while_broken:
        while_broken.setattr("can.interfaces.virtual.VirtualBus.send", broken)
        (result,) = mouth.speak()
        assert not result.verified
        assert "unplugged" in result.detail
    opener = can.Notifier(device.bus, [Answer(device, after=1)], timeout=0.01)
    until(mouth.keep_alive)
    (result,) = mouth.speak()
    opener.stop()
    assert result.verified


class Answer(can.Listener):
    """Opens the contactor after so many requests of the guard."""

    def __init__(self, device: Device, after: int) -> None:
        self._device, self._left = device, after

    def on_message_received(self, msg: can.Message) -> None:
        if msg.arbitration_id == MAPPED.messages["GRD_Request"].id:
            self._left -= 1
            self._device.say("BMS_Status", {"Contactor": self._left > 0})
