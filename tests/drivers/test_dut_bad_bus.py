"""What becomes of frames that are broken, strange or none, and of a bus that fails."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.canbus.dut import Dut
from drivers.canbus.lean_can import can
from drivers.ports import LinkState
from drivers.snapshot import Quality
from tests.drivers.candevice import MAP, MAPPED, Device, broken, value
from tests.drivers.polled import known, until

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def repeated(device: Device, frame: can.Message) -> Generator[None]:
    """The same frame again and again."""
    task = device.bus.send_periodic(frame, 0.01)
    yield
    task.stop()


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


def test_a_counter_that_stands_still_is_told_with_its_message(device: Device, dut: Dut) -> None:
    message = MAPPED.messages["BMS_Pack"]
    frame = can.Message(arbitration_id=message.id, data=message.encode({"PackVoltage": 88.0}, 3), is_extended_id=False)
    with repeated(device, frame):
        until(lambda: "BMS_Pack arrives with a counter that does not change" in dut.health().detail)
        until(lambda: dut.health().state is LinkState.GARBAGE)


def test_one_bad_message_among_good_ones_is_told(device: Device, dut: Dut) -> None:
    for _ in range(6):
        device.say("BMS_Pack", {}, broken=True)
        device.say("BMS_Status", {})
    until(lambda: "BMS_Pack arrives with a wrong checksum" in dut.health().detail)
    assert dut.health().state is LinkState.OK  # what is wrong with one message is not the device's state
    assert value(dut, "bms/state") == (0.0, Quality.GOOD)


def test_a_doubt_ends_with_a_frame_that_proves_itself(device: Device, dut: Dut) -> None:
    for _ in range(6):
        device.say("BMS_Status", {}, broken=True)
    until(lambda: dut.health().state is LinkState.GARBAGE)
    device.say("BMS_Status", {})
    until(lambda: dut.health().state is LinkState.OK)


def test_garbage_that_has_ended_is_silence(device: Device, dut: Dut) -> None:
    for _ in range(6):
        device.say("BMS_Status", {}, broken=True)
    until(lambda: dut.health().state is LinkState.GARBAGE)
    until(lambda: dut.health().state is LinkState.SILENT)


@pytest.mark.parametrize("payload", [b"", b"\x00\x01", bytes(7)])
def test_a_frame_of_another_length_is_told_as_such(device: Device, dut: Dut, payload: bytes) -> None:
    frame = can.Message(arbitration_id=MAPPED.messages["BMS_Status"].id, data=payload, is_extended_id=False)
    for _ in range(6):
        device.bus.send(frame)
    until(lambda: dut.health().state is LinkState.GARBAGE)
    assert f"{len(payload)} bytes instead of 8" in dut.health().detail


def test_an_extended_frame_under_a_known_number_is_another_message(device: Device, dut: Dut) -> None:
    message = MAPPED.messages["BMS_Status"]
    extended = can.Message(arbitration_id=message.id, data=message.encode({"SoC": 99.0}, 0), is_extended_id=True)
    device.bus.send(extended)
    device.say("BMS_Status", {"SoC": 50.0})
    until(lambda: "BMS_Status" in dut.last_received_s())
    assert value(dut, "bms/soc")[0] == pytest.approx(0.5)
    assert dut.proof.repeated == 0


def test_any_payloads_are_values_or_doubts_and_the_listener_goes_on(device: Device, dut: Dut) -> None:
    random = np.random.default_rng(7)
    identifiers = [message.id for message in MAPPED.messages.values()]
    for _ in range(500):
        data = random.bytes(int(random.integers(0, 9)))
        device.bus.send(can.Message(arbitration_id=int(random.choice(identifiers)), data=data, is_extended_id=False))
    device.say("BMS_Limits", {"ChargeLimit": 12.5})
    until(lambda: value(dut, "bms/charge_limit")[0] == pytest.approx(12.5))


def test_an_unknown_identifier_is_passed_over(device: Device, dut: Dut) -> None:
    device.bus.send(can.Message(arbitration_id=0x7DF, data=b"\x01", is_extended_id=False))
    device.say("BMS_Status", {})
    until(lambda: set(dut.last_received_s()) == {"BMS_Status"})
    assert dut.proof.bad == 0


def test_an_adapter_that_is_not_there_is_dropped_with_its_words() -> None:
    dut = Dut.open(MAP, "no_such_adapter", "0", 500_000)
    try:
        until(lambda: dut.health().state is LinkState.DROPPED)
        assert "no_such_adapter" in dut.health().detail
        assert (known(dut).quality == Quality.MISSING).all()
    finally:
        dut.close()


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


def test_an_adapter_that_raises_what_nobody_knows_is_dropped_and_opened_again(
    device: Device, dut: Dut, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(*_: object, **__: object) -> None:
        raise KeyError("vendor's own")

    with monkeypatch.context() as while_broken:
        while_broken.setattr("can.interfaces.virtual.VirtualBus._recv_internal", strange)
        while_broken.setattr("can.interfaces.virtual.VirtualBus.send", strange)
        dut.heartbeat(on=True)
        until(lambda: dut.health().state is LinkState.DROPPED)
        assert "vendor's own" in dut.health().detail
    until(lambda: dut.health().state is not LinkState.DROPPED)
    device.say("BMS_Status", {})
    until(lambda: dut.health().state is LinkState.OK)
    device.forget()
    device.hear("TST_Heartbeat")


def test_a_silent_bus_tells_why_nothing_can_be_sent(dut: Dut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("can.interfaces.virtual.VirtualBus.send", broken)
    dut.heartbeat(on=True)
    until(lambda: dut.health().state is LinkState.SILENT)
    assert "unplugged" in dut.health().detail
