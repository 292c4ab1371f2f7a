"""The mapping of a device under test: what it says, and what its mistakes get told."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.canbus.dut import open_steps
from drivers.canbus.dut_map import DutMap, read_dut_map
from drivers.errors import BenchFileError

BENCHES = Path(__file__).parents[2] / "fixtures" / "benches"


@pytest.fixture(scope="module")
def mapped() -> DutMap:
    return read_dut_map(BENCHES / "pulse24.dut.toml")


def mistake(folder: Path, right: str, wrong: str) -> BenchFileError:
    """What the map is told when `right` reads `wrong`."""
    (folder / "pulse24.dbc").write_bytes((BENCHES / "pulse24.dbc").read_bytes())
    text = (BENCHES / "pulse24.dut.toml").read_text(encoding="utf-8")
    assert right in text
    path = folder / "wrong.dut.toml"
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(BenchFileError) as caught:
        read_dut_map(path)
    if caught.value.line is not None and caught.value.key:
        assert caught.value.where == str(path)
    return caught.value


def test_families_unfold_into_numbered_channels(mapped: DutMap) -> None:
    names = [channel.name for channel in mapped.channels]
    assert names[-32:-30] == ["bms/cell_01/voltage", "bms/cell_02/voltage"]
    assert names[-1] == "bms/temperature_8"
    row = mapped.row("bms/cell_05/voltage")
    assert (row.message, row.signal) == ("BMS_Cells_2", "Cell05")


def test_words_of_a_state_come_from_the_dbc(mapped: DutMap) -> None:
    assert mapped.words("bms/state")[3] == "NORMAL"
    assert mapped.words("bms/soc") == {}


@pytest.mark.parametrize(
    ("right", "wrong", "key", "said"),
    [
        ('signal = "SoC"', 'signal = "Soc"', "signal[3].signal", '"Soc" is not a signal of BMS_Status'),
        ('message = "BMS_Pack"', 'message = "BMS_Pak"', "signal[4].message", '"BMS_Pak" is not a message'),
        ('channel = "bms/fault"\n', 'channel = "bms/state"\n', "signal[1].channel", "mapped twice"),
        ("scale = 0.01\n", "", "signal[3].unit", "is in %"),
        ("period_ms = 50", "period_ms = 0", "heartbeat.period_ms", "= 0 "),
        (
            'reset_signal = "ResetFault"',
            'reset_signal = "Reset"',
            "request.reset_signal",
            "not a signal of TST_Request",
        ),
        ('channel = "bms/contactor"\nopen', 'channel = "bms/relay"\nopen', "verify.channel", "not a mapped channel"),
        ('checksum = "Checksum"', 'checksum = "Counter"', "protected[0].messages[0]", "not one whole byte"),
        ('unit = "V"', 'unit = "mV"', "signal[4].unit", "mV"),
        ("timeout_ms = 300", "timeout = 300", "timeout_ms", "missing"),
        ("scale = 0.01\n", "scale = 0.0\n", "signal[3].scale", "makes every value the same"),
        ("range = [0.0, 5.0]", "range = [5.0, 0.0]", "signal[0].range", "contains no value"),
        ("numbers = [1, 24]", "numbers = [24, 1]", "signals[0].numbers", "not a range of numbers"),
        ("numbers = [1, 24]", "numbers = [1, 25]", "signals[0].message", '"BMS_Cells_7" is not a message'),
        ('"bms/cell_{n:02d}/voltage"', '"bms/cell_{k}/voltage"', "signals[0]", "neither {n} nor {m}"),
        ('"bms/cell_{n:02d}/voltage"', '"bms/cell_{n:x02}/voltage"', "signals[0]", "neither {n} nor {m}"),
        ("close = 2", "close = 4", "request.close", "does not fit into TST_Request.Contactor"),
        ("close = 2", "close = 1", "request", "the same value for two"),
        (
            "open = 1\n\n[verify]",
            "open = -1\n\n[verify]",
            "last_request.open",
            "does not fit into GRD_Request.Contactor",
        ),
        ("open = 0.0", "open = 0.5", "verify.open", "does not fit into BMS_Status.Contactor"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(tmp_path: Path, right: str, wrong: str, key: str, said: str) -> None:
    error = mistake(tmp_path, right, wrong)
    told = [str(one) for one in error.all]
    assert any(key in sentence and said in sentence for sentence in told), told
    assert error.line is not None


def test_a_missing_dbc_is_told_by_its_name(tmp_path: Path) -> None:
    assert "nowhere.dbc" in str(mistake(tmp_path, 'dbc = "pulse24.dbc"', 'dbc = "nowhere.dbc"'))


def test_bits_single_out_a_signal_among_others(mapped: DutMap) -> None:
    status = mapped.messages["BMS_Status"]
    mask, value = status.bits("SoC", 50.0)
    closed = status.encode({"SoC": 50.0, "State": 3, "Contactor": 1, "FaultCell": 24}, 9)
    assert int.from_bytes(closed, "little") & mask == value
    assert int.from_bytes(status.encode({"SoC": 50.1}, 9), "little") & mask != value


def test_bits_know_signed_signals(mapped: DutMap) -> None:
    pack = mapped.messages["BMS_Pack"]
    mask, value = pack.bits("PackCurrent", -12.34)
    assert int.from_bytes(pack.encode({"PackCurrent": -12.34, "PackVoltage": 88.0}, 1), "little") & mask == value
    assert mask.bit_count() == 16


def test_the_last_request_is_encoded_under_every_counter_and_verified_by_the_contactor(mapped: DutMap) -> None:
    (step,) = open_steps(mapped, 1.0)
    asking, status = mapped.messages["GRD_Request"], mapped.messages["BMS_Status"]
    told = [asking.decode(payload) for _, payload in step.frames]
    assert [frame["Counter"] for frame in told] == list(range(16))
    assert {frame["Contactor"] for frame in told} == {1}
    assert {identifier for identifier, _ in step.frames} == {0x210}
    assert (step.verify.identifier, step.verify.length) == (0x100, 8)
    assert step.verify.is_met(status.encode({"Contactor": 0, "State": 4, "FaultCell": 7}, 3))
    assert not step.verify.is_met(status.encode({"Contactor": 1}, 3))


def test_every_mistake_of_a_map_is_told_at_once(tmp_path: Path) -> None:
    text = (BENCHES / "pulse24.dut.toml").read_text(encoding="utf-8")
    for right, wrong in (
        ('signal = "SoC"', 'signal = "Soc"'),
        ('message = "BMS_Pack"', 'message = "BMS_Pak"'),
        ("close = 2", "close = 4"),
        ("numbers = [1, 24]", "numbers = [24, 1]"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    error = mistake(tmp_path, (BENCHES / "pulse24.dut.toml").read_text(encoding="utf-8"), text)
    told = "\n".join(map(str, error.all))
    for said in ("did you mean SoC?", "did you mean BMS_Pack?", "request.close = 4", "[24, 1] is not a range"):
        assert said in told
    assert all(one.where == str(tmp_path / "wrong.dut.toml") and one.line for one in error.all)
