"""What a device map says of a device's behaviour: defaults, words, faults from flags, validity, mistakes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.canbus.device_behaviour import FaultRow, HealthRow, HeartbeatRow, RequestRow, TimesRow
from drivers.canbus.device_faults import FaultChannels, derive_fault_channels
from drivers.canbus.dut import Dut, open_steps
from drivers.canbus.dut_map import (
    ArmingRow,
    DutFile,
    DutMap,
    FamilyRow,
    LastRequestRow,
    ProtectedRow,
    SignalRow,
    VerifyRow,
    read_dut_map,
)
from drivers.canbus.lean_can import can
from drivers.errors import BenchFileError
from drivers.snapshot import Channel, Quality
from fixtures.foreign_bms import frames
from tests.drivers.candevice import Device, value
from tests.drivers.polled import until

if TYPE_CHECKING:
    from collections.abc import Generator

    from drivers.benchfile.model import Section

BENCHES = Path(__file__).parents[2] / "fixtures" / "benches"
FOREIGN = BENCHES / "foreign24.dut.toml"


@pytest.fixture(scope="module")
def foreign() -> DutMap:
    return read_dut_map(FOREIGN)


@pytest.fixture
def heard(device: Device) -> Generator[Dut]:
    dut = Dut.open(FOREIGN, "virtual", device.channel, 500_000)
    until(lambda: dut.health().detail != "opening the bus")
    yield dut
    dut.close()


def say(device: Device, identifier: int, payload: bytes) -> None:
    device.bus.send(can.Message(arbitration_id=identifier, data=payload, is_extended_id=False))


def changed(folder: Path, before: str, after: str) -> Path:
    """The foreign map with one passage changed."""
    shutil.copy(BENCHES / "foreign24.dbc", folder)
    text = FOREIGN.read_text(encoding="utf-8")
    assert before in text
    path = folder / "changed.dut.toml"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return path


def test_a_map_that_says_nothing_of_it_behaves_as_before() -> None:
    mapped = read_dut_map(BENCHES / "pulse24.dut.toml")
    times, request = mapped.file.times, mapped.file.request
    assert times.model_dump() == {
        "settle_ms": 300,
        "current_ms": 300,
        "healthy_ms": 2000,
        "close_ms": 2000,
        "try_ms": 1000,
        "open_ms": 4000,
        "clear_ms": 0,
    }
    assert (mapped.file.health.channel, mapped.healthy) == ("bms/fault", (0.0,))
    assert (request.send, request.ignored_ms, request.recovery, request.balance) == ("cyclic", 0, "none", "off")
    assert len(mapped.channels) == len(mapped.rows), "no channel that no signal fills"


def test_healthy_states_may_be_words_of_the_dbc(foreign: DutMap) -> None:
    assert foreign.healthy == (5.0, 6.0, 7.0, 8.0, 9.0)


def test_a_device_without_a_word_for_nothing_is_asked_open_instead(foreign: DutMap) -> None:
    assert foreign.file.request.words == {"open": 0, "close": 1, "none": 0}
    assert foreign.file.request.recovery == "open"


def test_channels_count_from_1_where_the_dbc_counts_from_0(foreign: DutMap) -> None:
    assert foreign.row("bms/cell_01/voltage").signal == "Cell00"
    row = foreign.row("bms/cell_24/voltage")
    assert (row.signal, row.valid_signal) == ("Cell23", "Cell23_Invalid")
    assert foreign.row("bms/temperature_8").signal == "Sensor7"


def test_numbers_of_messages_count_from_0_too(tmp_path: Path) -> None:
    path = changed(tmp_path, 'message = "CellVoltages"', 'message = "CellVoltages_{m}"\nper_message = 4')
    with pytest.raises(BenchFileError, match='"CellVoltages_0" is not a message'):
        read_dut_map(path)


def test_the_guard_opens_a_device_that_is_big_endian(foreign: DutMap) -> None:
    (step,) = open_steps(foreign, 1.0)
    assert [payload for _, payload in step.frames] == [bytes(8)]
    assert step.verify.is_met(bytes([0x05, 0, 0, 0, 0, 0, 0, 0]))
    assert not step.verify.is_met(bytes([0x17, 0, 0, 0, 0, 0, 0, 0]))


def test_a_value_whose_flag_says_invalid_is_not_used(device: Device, heard: Dut) -> None:
    say(device, frames.CELLS, frames.encode_cells_page(1, [3.7, 3.701, 3.702, 3.703]))
    until(lambda: value(heard, "bms/cell_06/voltage")[1] == Quality.GOOD)
    assert value(heard, "bms/cell_06/voltage")[0] == pytest.approx(3.701)
    say(device, frames.CELLS, frames.encode_cells_page(1, [3.7, float("nan"), 3.702, 3.703]))
    until(lambda: value(heard, "bms/cell_06/voltage")[1] == Quality.IMPLAUSIBLE)
    assert np.isnan(value(heard, "bms/cell_06/voltage")[0])
    assert value(heard, "bms/cell_07/voltage") == (pytest.approx(3.702), Quality.GOOD)
    say(device, frames.CELLS, frames.encode_cells_page(1, [3.7, 3.701, 3.702, 3.703]))
    until(lambda: value(heard, "bms/cell_06/voltage")[1] == Quality.GOOD)


def test_a_raised_flag_is_a_fault_with_the_place_of_another_message(device: Device, heard: Dut) -> None:
    say(device, frames.STRING, bytes(8))
    until(lambda: value(heard, "bms/fault") == (0.0, Quality.GOOD))
    say(device, frames.VOLTAGES, bytes([6, 0, 0, 0, 0, 0, 0, 0]))
    say(device, frames.STRING, frames.pack_fields([(14, 1, 1)]))
    until(lambda: value(heard, "bms/fault")[0] == 2.0)
    assert value(heard, "bms/fault_cell") == (7.0, Quality.GOOD), "it counts from 0"
    assert heard.map.words("bms/fault")[2] == "OVERVOLTAGE MSL"


@pytest.mark.parametrize("bit", [12, 13])
def test_several_flags_are_one_fault_that_may_name_no_place(device: Device, heard: Dut, bit: int) -> None:
    say(device, frames.STRING, frames.pack_fields([(bit, 1, 1)]))
    until(lambda: value(heard, "bms/fault")[0] == 4.0)
    assert value(heard, "bms/fault_cell") == (0.0, Quality.GOOD)


def test_a_fault_is_not_known_before_every_flag_is(device: Device, heard: Dut) -> None:
    assert value(heard, "bms/fault")[1] == Quality.MISSING
    assert np.isnan(value(heard, "bms/fault")[0])


MAPPED = (Channel("a", "1"), Channel("b", "1"), Channel("state", "1"), Channel("where", "1"))
ROWS = (
    FaultRow(name="A OR B", flags=("a", "b"), place="where"),
    FaultRow(name="ERROR", flags=("state",), raised=(10.0, 11.0)),
)


def filled(*values: float) -> tuple[list[float], list[float], list[int]]:
    """Fault and place that follow from values sampled at 1, 2, 3 and 4 s."""
    told = np.array([*values, 0.0, 0.0])
    sampled_s, quality = np.array([1.0, 2.0, 3.0, 4.0, 0.0, 0.0]), np.zeros(6, dtype=np.uint8)
    quality[np.isnan(told)] = Quality.MISSING
    FaultChannels(MAPPED, ROWS).fill(told, sampled_s, quality)
    return told[4:].tolist(), sampled_s[4:].tolist(), quality[4:].tolist()


def test_the_first_row_with_a_raised_flag_is_the_fault_and_as_old_as_that_flag() -> None:
    assert filled(0.0, 1.0, 10.0, 5.0) == ([1.0, 5.0], [2.0, 4.0], [0, 0])


def test_a_state_raises_a_fault_by_its_values() -> None:
    assert filled(0.0, 0.0, 10.0, 5.0)[0] == [2.0, 0.0]
    assert filled(0.0, 0.0, 7.0, 5.0) == ([0.0, 0.0], [1.0, 1.0], [0, 0])


def test_an_unknown_flag_hides_no_raised_one_and_is_no_health() -> None:
    assert filled(np.nan, 1.0, 7.0, 5.0)[0] == [1.0, 5.0]
    fault, _, quality = filled(np.nan, 0.0, 7.0, 5.0)
    assert np.isnan(fault[0])
    assert quality[0] == Quality.MISSING


def test_a_device_that_tells_its_fault_by_a_number_and_no_place_gets_one_that_names_none() -> None:
    mapped = (Channel("bms/fault", "1"),)
    assert [channel.name for channel in derive_fault_channels(mapped, ())] == ["bms/fault_cell"]
    values, sampled_s, quality = np.array([3.0, 9.0]), np.array([2.0, 0.0]), np.zeros(2, dtype=np.uint8)
    FaultChannels(mapped, ()).fill(values, sampled_s, quality)
    assert (values.tolist(), sampled_s.tolist()) == ([3.0, 0.0], [2.0, 2.0])


@pytest.mark.parametrize(
    ("before", "after", "key", "said"),
    [
        ('"STANDBY", "PREC', '"STANBY", "PREC', "health.healthy[0]", '"STANBY" is not in the value table of bms/state'),
        ('[health]\nchannel = "bms/state"', '[health]\nchannel = "bms/stat"', "health.channel", "is not a channel"),
        ('flags = ["bms/error/open_wire"]', 'flags = ["bms/open"]', "fault[0].flags[0]", "is not a mapped channel"),
        ('place = "bms/highest_cell"', 'place = "bms/cell"', "fault[1].place", "is not a mapped channel"),
        ('name = "OVERVOLTAGE MSL"', 'name = "OPEN WIRE"', "fault[1].name", "is already used"),
        ('channel = "bms/highest_cell" ', 'channel = "bms/fault_cell" ', "fault[0]", "bms/fault_cell"),
        ('send = "on change"', 'send = "cyclic"', "request.ignored_ms", "ignore every repetition"),
        ('balance = "on" ', 'recover = "none"\nbalance = "on" ', "request.recover", "needs the value none"),
        ("close = 1", "close = 0", "request", "the same value for two"),
        ("settle_ms = 1200", "settle_ms = 61000", "times.settle_ms", "60000"),
        ("settle_ms = 1200", "settel_ms = 1200", "times.settel_ms", "settle_ms"),
        ('valid_signal = "Cell{n:02d}_Invalid"', 'valid_signal = "Cell{n:02d}_Bad"', "valid_signal", "not a signal of"),
        ('valid_signal = "Cell{n:02d}_Invalid"', 'valid_signal = "Cell00_Invalid"', "valid_signal", "another page"),
        ("valid = 0", "valid = 2", "valid", "does not fit"),
        ("counts_from = 0   ", "counts_from = 2   ", "counts_from", "0 or 1"),
    ],
)
def test_a_mistake_names_its_key(tmp_path: Path, before: str, after: str, key: str, said: str) -> None:
    with pytest.raises(BenchFileError) as caught:
        read_dut_map(changed(tmp_path, before, after))
    told = [str(one) for one in caught.value.all]
    assert any(key in sentence and said in sentence for sentence in told), told
    assert caught.value.line is not None


TABLES = {
    "The map itself": DutFile,
    "[[signal]]": SignalRow,
    "[[signals]]": FamilyRow,
    "[[protected]]": ProtectedRow,
    "[[fault]]": FaultRow,
    "[health]": HealthRow,
    "[times]": TimesRow,
    "[heartbeat]": HeartbeatRow,
    "[request]": RequestRow,
    "[last_request]": LastRequestRow,
    "[verify]": VerifyRow,
    "[arming]": ArmingRow,
}


@pytest.mark.parametrize(("title", "table"), TABLES.items())
def test_the_guide_lists_every_key_in_its_section(title: str, table: type[Section]) -> None:
    guide = (BENCHES.parents[1] / "docs" / "device-maps.md").read_text(encoding="utf-8")
    sections = dict(
        re.findall(r"^## `?([^`\n]+?)`?(?: \*optional\*)?\n(.*?)(?=^## |\Z)", guide, re.MULTILINE | re.DOTALL)
    )
    keys = set(table.model_fields)
    if table is DutFile:
        keys -= {title.strip("[]") for title in TABLES}  # a table has a section of its own
    if table is FamilyRow:
        keys -= set(SignalRow.model_fields)
    rows = "".join(line for line in sections[title].splitlines() if line.startswith("| `"))
    assert {key for key in keys if f"`{key}`" not in rows} == set()


def test_the_guide_tells_the_default_of_each_time() -> None:
    guide = (BENCHES.parents[1] / "docs" / "device-maps.md").read_text(encoding="utf-8")
    for key, default in TimesRow().model_dump().items():
        assert f"| `{key}` | ms | {default} |" in guide
