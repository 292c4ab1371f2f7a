"""The guard's own CAN bus: its request, and the frames that may verify it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.canbus.dut import open_commands
from drivers.canbus.lean_can import can
from drivers.clock import monotonic
from drivers.safe_can_commands import DRAIN_FRAMES
from tests.drivers.candevice import MAPPED, Device, broken
from tests.drivers.polled import until

if TYPE_CHECKING:
    from collections.abc import Generator

    from drivers.safe_commands import SafeConnection

FLOOD_S = 3.0


@pytest.fixture
def mouth(device: Device) -> Generator[SafeConnection]:
    opened = open_commands(MAPPED, "virtual", device.channel, 500_000, 0.3).open()
    yield opened
    opened.close()


@pytest.mark.timed
def test_the_guards_request_is_repeated_until_the_contactor_reads_open(device: Device, mouth: SafeConnection) -> None:
    device.say("BMS_Status", {"Contactor": 1})
    assert mouth.keep_alive()
    device.bus.recv(0.0)
    opener = can.Notifier(device.bus, [Answer(device, after=3)], timeout=0.01)
    (result,) = mouth.execute()
    opener.stop()
    assert result.verified
    assert 0.0 < result.verified_s - result.sent_s < 0.3


def test_a_frame_from_before_does_not_verify(device: Device, mouth: SafeConnection) -> None:
    device.say("BMS_Status", {"Contactor": 0})
    (result,) = mouth.execute()
    assert not result.verified
    assert "no received frame confirms it" in result.detail
    sent = iter(lambda: device.bus.recv(0.0), None)
    counters = [MAPPED.messages["GRD_Request"].decode(bytes(frame.data))["Counter"] for frame in sent]
    assert counters[:5] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("how", ["replayed", "broken"])
def test_a_frame_that_does_not_prove_itself_does_not_verify(device: Device, mouth: SafeConnection, how: str) -> None:
    message = MAPPED.messages["BMS_Status"]
    payload = bytearray(message.encode({"Contactor": 0}, 5))
    payload[2] ^= how == "broken"
    frame = can.Message(arbitration_id=message.id, data=payload, is_extended_id=False)
    device.bus.send(frame)
    assert mouth.keep_alive()
    repeater = device.bus.send_periodic(frame, 0.01)
    (result,) = mouth.execute()
    repeater.stop()
    assert not result.verified


def test_another_message_under_the_same_number_does_not_verify(device: Device, mouth: SafeConnection) -> None:
    opener = can.Notifier(device.bus, [Answer(device, after=1, extended=True)], timeout=0.01)
    (result,) = mouth.execute()
    opener.stop()
    assert not result.verified


def test_a_guards_bus_that_is_not_there_never_raises() -> None:
    mouth = open_commands(MAPPED, "no_such_adapter", "0", 500_000, 0.05).open()
    assert not mouth.keep_alive()
    assert not mouth.execute()[0].verified
    assert "no_such_adapter" in mouth.detail or "0 cannot be opened" in mouth.detail
    mouth.close()


def test_a_guards_bus_that_breaks_is_told_and_opened_again(
    device: Device, mouth: SafeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as while_broken:
        while_broken.setattr("can.interfaces.virtual.VirtualBus.send", broken)
        (result,) = mouth.execute()
        assert not result.verified
        assert "unplugged" in result.detail
    opener = can.Notifier(device.bus, [Answer(device, after=1)], timeout=0.01)
    until(mouth.keep_alive)
    (result,) = mouth.execute()
    opener.stop()
    assert result.verified


def test_a_frame_on_which_the_adapter_stumbles_takes_no_link(
    device: Device, mouth: SafeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, left = can.BusABC.recv, [3]

    def stumbling(bus: can.BusABC, timeout: float | None = None) -> can.Message | None:
        if bus is not device.bus and left[0]:
            left[0] -= 1
            raise KeyError("vendor's own")
        return receive(bus, timeout)

    monkeypatch.setattr("can.BusABC.recv", stumbling)
    for _ in range(3):
        assert mouth.keep_alive()
    opener = can.Notifier(device.bus, [Answer(device, after=1)], timeout=0.01)
    (result,) = mouth.execute()
    opener.stop()
    assert result.verified
    assert left == [0]


class Flood:
    """A bus on which a next frame always waits, for `FLOOD_S`; `frames` counts those that were read."""

    def __init__(self, device: Device, patch: pytest.MonkeyPatch) -> None:
        self.frames, self._until_s = 0, monotonic() + FLOOD_S
        receive = can.BusABC.recv

        def flood(bus: can.BusABC, timeout: float | None = None) -> can.Message | None:
            if bus is device.bus or not self.is_on:
                return receive(bus, timeout)
            self.frames += 1
            return can.Message(arbitration_id=0x7F0, data=bytes(8), is_extended_id=False)

        patch.setattr("can.BusABC.recv", flood)

    @property
    def is_on(self) -> bool:
        return monotonic() < self._until_s


def test_a_flood_of_frames_does_not_hold_the_guard(
    device: Device, mouth: SafeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = Flood(device, monkeypatch)
    for calls in (1, 2, 3):
        assert mouth.keep_alive()
        assert flood.frames <= calls * DRAIN_FRAMES


def test_a_flood_of_frames_does_not_hold_a_safe_sequence_past_its_time(
    device: Device, mouth: SafeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = Flood(device, monkeypatch)
    (result,) = mouth.execute()
    assert flood.is_on, "the sequence of 0.3 s has ended before it"
    assert not result.verified
    assert flood.frames > DRAIN_FRAMES
    assert device.bus.recv(0.0) is not None, "the request went out"


class Answer(can.Listener):
    """Opens the contactor after so many requests of the guard."""

    def __init__(self, device: Device, after: int, *, extended: bool = False) -> None:
        self._device, self._left, self._extended = device, after, extended

    def on_message_received(self, msg: can.Message) -> None:
        if msg.arbitration_id == MAPPED.messages["GRD_Request"].id:
            self._left -= 1
            self._device.say("BMS_Status", {"Contactor": self._left > 0}, extended=self._extended)
