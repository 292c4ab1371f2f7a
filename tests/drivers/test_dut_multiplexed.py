"""A device whose DBC is multiplexed: pages of one message fill their own channels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.canbus.dut import Dut
from drivers.canbus.lean_can import can
from drivers.ports import LinkState
from drivers.snapshot import Quality
from tests.drivers.candevice import Device, value
from tests.drivers.polled import until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


MULTIPLEXED = """VERSION "1"
BU_: BMS TST
BO_ 256 BMS_Cells: 8 BMS
 SG_ Page M : 0|8@1+ (1,0) [0|1] "" TST
 SG_ Cell01 m0 : 8|16@1+ (0.001,0) [0|65] "V" TST
 SG_ Cell02 m1 : 8|16@1+ (0.001,0) [0|65] "V" TST
 SG_ Contactor : 40|8@1+ (1,0) [0|1] "" TST
BO_ 512 TST: 8 TST
 SG_ Word : 0|8@1+ (1,0) [0|2] "" BMS
 SG_ Reset : 8|1@1+ (1,0) [0|1] "" BMS
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 60000;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "GenMsgCycleTime" BO_ 256 300;
"""
MULTIPLEXED_MAP = """
name = "multiplexed"
dbc = "cells.dbc"
timeout_ms = 300
[[signal]]
channel = "bms/contactor"
unit = "1"
range = [0.0, 1.0]
message = "BMS_Cells"
signal = "Contactor"
[[signals]]
channel = "bms/cell_{n:02d}/voltage"
unit = "V"
range = [0.0, 5.0]
numbers = [1, 2]
message = "BMS_Cells"
signal = "Cell{n:02d}"
[heartbeat]
message = "TST"
period_ms = 50
[request]
message = "TST"
signal = "Word"
none = 0
open = 1
close = 2
reset_signal = "Reset"
balance_signal = "Reset"
[last_request]
message = "TST"
signal = "Word"
open = 1
[verify]
channel = "bms/contactor"
open = 0.0
[arming]
state_channel = "bms/contactor"
"""


@pytest.fixture
def paged(device: Device, tmp_path: Path) -> Generator[Dut]:
    (tmp_path / "cells.dbc").write_text(MULTIPLEXED)
    path = tmp_path / "cells.dut.toml"
    path.write_text(MULTIPLEXED_MAP)
    dut = Dut.open(path, "virtual", device.channel, 500_000)
    until(lambda: dut.health().detail != "opening the bus")
    yield dut
    dut.close()


def say(device: Device, page: int, millivolts: int) -> None:
    data = bytes([page]) + millivolts.to_bytes(2, "little") + bytes(5)
    device.bus.send(can.Message(arbitration_id=256, data=data, is_extended_id=False))


def test_a_multiplexed_message_fills_what_each_of_its_frames_tells(device: Device, paged: Dut) -> None:
    for page, millivolts in ((0, 3700), (1, 3800)):
        say(device, page, millivolts)
        until(lambda page=page: value(paged, f"bms/cell_0{page + 1}/voltage")[1] == Quality.GOOD)
    assert value(paged, "bms/cell_01/voltage")[0] == pytest.approx(3.7)
    assert value(paged, "bms/cell_02/voltage")[0] == pytest.approx(3.8)


def test_a_page_that_the_dbc_lacks_is_told_and_takes_neither_link_nor_close(device: Device, paged: Dut) -> None:
    say(device, 0, 3700)
    until(lambda: paged.health().state is LinkState.OK)
    paged.request("close")
    for _ in range(12):
        say(device, 9, 4000)
    until(
        lambda: (
            "BMS_Cells arrives with Page = 9, a page that is not in the DBC (10 times or more)" in paged.health().detail
        )
    )
    assert paged.health().state is LinkState.OK
    assert paged.doubts.of["BMS_Cells"].count == 12
    assert paged.openings == 1
    device.forget()
    frame = device.bus.recv(1.0)
    assert frame is not None
    assert (frame.arbitration_id, frame.data[0]) == (512, 2)  # still asked to close
    assert value(paged, "bms/contactor") == (0.0, Quality.GOOD)  # what the frame carries besides its page
    assert value(paged, "bms/cell_01/voltage")[0] == pytest.approx(3.7)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x74", bytes(5)])
def test_a_short_frame_gives_what_it_carries_and_says_so(device: Device, paged: Dut, data: bytes) -> None:
    device.bus.send(can.Message(arbitration_id=256, data=data, is_extended_id=False))
    until(lambda: f"{len(data)} bytes instead of 8" in paged.health().detail)
    assert paged.health().state is LinkState.OK
    assert np.isnan(value(paged, "bms/contactor")[0])
    assert np.isnan(value(paged, "bms/cell_01/voltage")[0]) == (len(data) < 3)


def test_a_stamp_that_is_no_time_takes_nothing(device: Device, paged: Dut, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = can.BusABC.recv

    def odd(bus: can.BusABC, timeout: float | None = None) -> can.Message | None:
        frame = receive(bus, timeout)
        if frame is not None:
            frame.timestamp = float("nan")
        return frame

    monkeypatch.setattr("can.BusABC.recv", odd)
    say(device, 0, 3700)
    until(lambda: value(paged, "bms/cell_01/voltage") == (pytest.approx(3.7), Quality.GOOD))


def test_a_frame_on_which_the_adapter_stumbles_is_told_and_takes_no_link(
    device: Device, paged: Dut, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(device, 0, 3700)
    until(lambda: paged.health().state is LinkState.OK)
    receive, left = can.BusABC.recv, [3]

    def stumbling(bus: can.BusABC, timeout: float | None = None) -> can.Message | None:
        if left[0]:
            left[0] -= 1
            raise KeyError("vendor's own")
        return receive(bus, timeout)

    monkeypatch.setattr("can.BusABC.recv", stumbling)
    until(lambda: left == [0])
    say(device, 0, 3650)
    until(lambda: value(paged, "bms/cell_01/voltage")[0] == pytest.approx(3.65))
    assert "vendor's own" in paged.health().detail
    assert paged.openings == 1


@pytest.mark.timed
def test_a_page_is_old_only_after_three_rounds_of_all_pages(device: Device, paged: Dut) -> None:
    say(device, 0, 3700)
    for _ in range(11):  # longer than three cycles of one page, shorter than of two
        time.sleep(0.1)  # fixed wait: the pace of its frames
        say(device, 1, 3800)
    assert value(paged, "bms/cell_01/voltage")[1] == Quality.GOOD
    for _ in range(9):
        time.sleep(0.1)  # fixed wait: the pace of its frames
        say(device, 1, 3800)
    until(lambda: value(paged, "bms/cell_01/voltage")[1] == Quality.STALE)
