from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.benchfile import Bench, read_bench
from drivers.errors import BenchFileError
from drivers.snapshot import Channel, ChannelTable

if TYPE_CHECKING:
    from collections.abc import Callable

HIL24 = Path(__file__).parents[2] / "fixtures" / "benches" / "hil24.toml"
GOOD = HIL24.read_text(encoding="utf-8")
LINES = GOOD.splitlines()
# a limit with one pair of bounds and a lane without settings are whole
OPTIONAL = ("dbc_sha256", "settings =", "device =")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bench's folder with the files that the bench file names."""
    home = tmp_path_factory.mktemp("benches")
    for name in ("duty.csv", "pulse24.dut.toml"):
        (home / name).touch()
    return home


@pytest.fixture(scope="module")
def read(folder: Path) -> Callable[[str], Bench]:
    def read_text(text: str) -> Bench:
        (folder / "bench.toml").write_text(text, encoding="utf-8")
        return read_bench(folder / "bench.toml")

    return read_text


def line_of(begins: str, nth: int = 0) -> int:
    return [number for number, line in enumerate(LINES, 1) if line.startswith(begins)][nth]


def with_line(number: int, text: str) -> str:
    return "\n".join([*LINES[: number - 1], text, *LINES[number:]])


def table(*more: Channel) -> ChannelTable:
    cells = [f"cell_{number:02d}" for number in range(1, 25)]
    return ChannelTable(
        (
            *(Channel(f"{cell}/voltage", "V") for cell in cells),
            *(Channel(f"{cell}/current", "A") for cell in cells),
            Channel("supply/voltage", "V"),
            Channel("supply/current", "A"),
            *(Channel(f"bms/temperature_{number}", "K") for number in range(1, 9)),
            Channel("bms/cell_01/voltage", "V"),
            Channel("io/estop", "1"),
            *more,
        )
    )


def test_the_emulated_bench_reads_as_it_stands(read: Callable[[str], Bench]) -> None:
    bench = read(GOOD)
    assert (bench.bench.name, bench.bench.mode, bench.bench.rate_hz) == ("hil24", "hil", 100)
    assert [step.step for step in bench.safe] == ["supply off", "contactors open"]
    assert [lane.name for lane in bench.lanes("twin")] == ["SPMe pack", "ECM pack", "DFN, cell 1"]
    assert bench.active("controller").module == "control.profile"


def test_the_shipped_bench_file_is_whole() -> None:
    assert read_bench(HIL24).path == HIL24


def test_times_and_temperatures_are_given_in_si(read: Callable[[str], Bench]) -> None:
    bench = read(GOOD)
    assert bench.pack.ambient_k == pytest.approx(298.15)
    assert bench.supply.period_s == pytest.approx(0.040)
    assert bench.gate.late_ms.seconds == {"cell_simulator": 0.04, "supply": 0.16, "io_box": 0.4, "dut": 0.3}
    assert bench.guard.silent_s == pytest.approx(0.12)
    assert bench.safe[1].within_s == pytest.approx(1.0)


def test_files_named_in_the_bench_are_found_beside_it(read: Callable[[str], Bench], folder: Path) -> None:
    bench = read(GOOD)
    assert bench.dut_map == folder / "pulse24.dut.toml"
    assert bench.active("controller").settings["file"] == str(folder.resolve() / "duty.csv")


def test_a_bench_survives_the_way_to_another_process(read: Callable[[str], Bench]) -> None:
    bench = read(GOOD)
    assert pickle.loads(pickle.dumps(bench)).path == bench.path  # noqa: S301  # our own bytes


ROW = 'channels = "cell_*/voltage"'


def test_limits_lie_over_the_columns_in_si_with_their_lines(read: Callable[[str], Bench]) -> None:
    channels = table()
    limits = read(GOOD).limits(channels)
    cell, warm, sensed = channels.indices(["cell_07/voltage", "bms/temperature_3", "bms/cell_01/voltage"])
    assert (limits.low[cell], limits.high[cell]) == (0.5, 5.0)
    assert (limits.device_low[cell], limits.device_high[cell]) == (2.8, 4.25)
    assert limits.where[cell] == f"bench.toml:{line_of('bench = [0.50')}"
    assert limits.device_where[cell] == f"bench.toml:{line_of(ROW) - 1}"
    assert limits.high[warm] == pytest.approx(343.15)
    assert limits.device_low[warm] == pytest.approx(253.15)
    assert (limits.low[sensed], limits.high[sensed], limits.where[sensed]) == (-np.inf, np.inf, "")


def test_a_pattern_that_matches_no_channel_is_refused_with_its_line(read: Callable[[str], Bench]) -> None:
    bench = read(f'{GOOD}\n[[limit]]\nchannels = "bms/temprature_*"\nunit = "degC"\ndevice = [-20.0, 55.0]\n')
    with pytest.raises(BenchFileError, match="matches no channel") as caught:
        bench.limits(table())
    assert caught.value.line == len(LINES) + 3


def test_a_limit_in_another_unit_than_its_channel_is_refused(read: Callable[[str], Bench]) -> None:
    bench = read(f'{GOOD}\n[[limit]]\nchannels = "supply/power"\nunit = "degC"\ndevice = [-20.0, 55.0]\n')
    with pytest.raises(BenchFileError, match=r'unit = "degC" does not fit supply/power in W') as caught:
        bench.limits(table(Channel("supply/power", "W")))
    assert caught.value.line == len(LINES) + 4


def test_an_output_whose_limit_lacks_bench_bounds_is_named_at_that_limit(read: Callable[[str], Bench]) -> None:
    with pytest.raises(BenchFileError, match="has no bench limit for cell_01/current; add bench") as caught:
        read(with_line(line_of("bench = [-4.0"), ""))
    assert caught.value.line == line_of('channels = "cell_*/current"') - 1


def test_a_channel_bounded_twice_is_refused(read: Callable[[str], Bench]) -> None:
    again = '[[limit]]\nchannels = "cell_01/*"\nunit = "V"\nbench = [0.1, 4.9]\n'
    bench = read(f"{GOOD}\n{again}")
    with pytest.raises(BenchFileError, match="bounds cell_01/voltage again"):
        bench.limits(table())


MISTAKES = [
    # line, its replacement, what the sentence says
    ("bench = [0.50", "bench = [0.50, 4.10]", r"limit\[0\].bench\[1\] = 4.1 V is below the device limit 4.25 V"),
    ("bench = [0.50", "bench = [2.9, 5.0]", r"limit\[0\].bench\[0\] = 2.9 V is above the device limit 2.8 V"),
    ("bench = [0.50", "bench = [0.5, 5.2]", r"5.2 V is not within cell_simulator.protect.voltage_v = 5.2 V"),
    ("bench = [-4.0", "bench = [-6.0, 4.0]", r"-6.0 A is not within cell_simulator.protect.current_a = 5.0 A"),
    ("bench = [-80.0", "bench = [-80.0, 180.0]", r"180.0 A is not within supply.protect.current_a = 100.0 A"),
    ("device = [-1.0", "device = [1.0, -1.0]", r"limit\[1\].device = \[1.0, -1.0\] A is empty"),
    ("device = [-1.0", "device = [-1.0, nan]", r"limit\[1\].device\[1\] = nan is not a finite number"),
    ("device = [-1.0", "device = [-1.0]", r"limit\[1\].device\[1\] is missing"),
    ("device = [-1.0", 'device = "1 A"', r'limit\[1\].device = "1 A" should be an array'),
    ('unit = "degC"', 'unit = "degF"', r'limit\[4\].unit = "degF" should be'),
    ("rate_hz", "rate_hz = 100000", r"bench.rate_hz = 100000 should be at most 1000"),
    ("rate_hz", "rate_hz = 100.5", r"bench.rate_hz = 100.5 should be a whole number"),
    ("rate_hz", "rate_hz = true", r"bench.rate_hz = true should be a whole number"),
    ("attended", "attended = 1", r"bench.attended = 1 should be true or false"),
    ("mode", 'mode = "hill"', r"bench.mode = \"hill\" should be 'hil' or 'pack'"),
    ("closure", 'closure = "terminals"', r"its loop delay"),
    ("soc0 =", "soc0 = 62", r"pack.soc0 = 62 should be at most 1"),
    ("soc0 =", "cell_ah = inf", r"pack.cell_ah = inf is not a finite number"),
    ("charge_v", "charge_v = 25.0", r"supply.charge_v = 25.0 V would trip supply.protect.voltage_v = 20.0 V"),
    ("discharge_v", "discharge_v = -3.0", r"supply.discharge_v = -3.0 should be at least 0"),
    ("protect = { voltage_v = 5.2", "protect = { voltage_v = 5.2 }", r"cell_simulator.protect.current_a is missing"),
    ("late_ms", "late_ms = { cell_simulator = 9, supply = 160, io_box = 400, dut = 300 }", r"not above cell_simulator"),
    ("lost_ms", "lost_ms = { cell_simulator = 250, supply = 150, io_box = 1500 }", r"= 150 ms is not above late_ms"),
    ("silent_ms", "silent_ms = 15", r"guard.silent_ms = 15 ms is shorter than two turns of the loop \(20 ms\)"),
    ("map", 'map = "absent.toml"', r'dut.map = "absent.toml" is not a file'),
    ("settings = { file", 'settings = { file = "away.csv" }', r'settings.file = "away.csv" is not a file'),
    ("settings = { cell", "settings = { cell = nan }", r"settings.cell = nan is not a finite number"),
    ('name = "ECM', 'name = "SPMe pack"', r'= "SPMe pack" is already the name of the lane at line'),
    ('name = "ECM', 'name = "ECM/pack"', r'lane\[1\].name = "ECM/pack" should be a name in one line, without a slash'),
    ('role = "controller"', 'role = "driver"', r'lane\[5\].role = "driver" should be'),
    ("hold_ms", "hold_m = 10", r"did you mean hold_ms\?"),
    ("hold_ms", "hold_ms = 501", r"gate.hold_ms = 501 should be at most 500"),
    ("hold_ms", "hold_ticks = 1000", r"gate.hold_ticks = 1000 turns are 10000 ms at 100 Hz, more than 500 ms"),
    ("hold_ms", "hold_ticks = -1", r"gate.hold_ticks = -1 should be at least 0"),
    ("hold_ms", 'hold_ticks = "10"', r"gate.hold_ticks is not known"),
    ("ramp_a_s", "ramp_a_s = 39.9", r"gate.ramp_a_s = 39.9 A/s takes 2.005\d* s from the bench limit 80 A to zero"),
    ("silent_ms", "silent_ms = 501", r"guard.silent_ms = 501 should be at most 500"),
    ("client_silent_s", "client_silent_s = 5.5", r"guard.client_silent_s = 5.5 should be at most 5"),
    ("rate_hz", "rate_hz = 3", r"bench.rate_hz = 3 should be at least 4"),
    (
        "lost_ms",
        "lost_ms = { cell_simulator = 250, supply = 500, io_box = 2001 }",
        r"io_box = 2001 should be at most 2000",
    ),
    ("late_ms", "late_ms = { cell_simulator = 40, supply = 160, io_box = 400, dut = 10001 }", r"dut = 10001 should be"),
    ("within_ms = 200", "within_ms = 2001", r'safe\[0\].within_ms = 2001 ms is more than 2000 ms for "supply off"'),
    ("within_ms = 1000", "within_ms = 10001", r"safe\[1\].within_ms = 10001 should be at most 10000"),
    ("thermistors", "thermistor = 8", r"did you mean thermistors\?"),
    ('module = "twin.dfn"', 'modul = "twin.dfn"', r"did you mean module\?"),
    ("period_ms = 40", "period_ms = ", r"is not TOML: no value behind ="),
    ("rate_hz", "attended = false", r"is not TOML: bench\.attended occurs twice, first in line 8"),
]


@pytest.mark.parametrize(("begins", "instead", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_folder_and_line(
    folder: Path, read: Callable[[str], Bench], begins: str, instead: str, said: str
) -> None:
    line = line_of(begins)
    with pytest.raises(BenchFileError) as caught:
        read(with_line(line, instead))
    assert re.search(said, "\n".join(sentences(caught.value)))
    assert line in {int(lines[1]) for sentence in sentences(caught.value) if (lines := re.search(r":(\d+) ", sentence))}
    assert str(caught.value).startswith(f"{folder / 'bench.toml'}:{caught.value.line} ")
    assert caught.value.where == str(folder / "bench.toml")


def sentences(error: BenchFileError) -> list[str]:
    return [str(one) for one in error.all]


@pytest.mark.parametrize("number", [n for n, line in enumerate(LINES, 1) if re.match(r"[a-z0-9_]+ =", line)])
def test_a_deleted_key_is_missed_in_its_own_table(read: Callable[[str], Bench], number: int) -> None:
    if LINES[number - 1].startswith(OPTIONAL):
        assert read(with_line(number, "")).bench.name == "hil24"
        return
    header = max(n for n in range(1, number) if LINES[n - 1].startswith("["))
    with pytest.raises(BenchFileError) as caught:
        read(with_line(number, ""))
    key = LINES[number - 1].split(" ")[0]
    if key in {"active", "bench"}:
        assert re.search("has 0 active|has no bench limit|sets no bounds", str(caught.value))
    else:
        assert caught.value.line == header
        assert str(caught.value.key).endswith(f".{key}")


@pytest.mark.parametrize("section", ["bench", "pack", "cell_simulator", "supply", "io_box", "dut", "gate", "guard"])
def test_a_misspelt_section_is_named(read: Callable[[str], Bench], section: str) -> None:
    line = line_of(f"[{section}]")
    with pytest.raises(BenchFileError) as caught:
        read(with_line(line, f"[{section}s]"))
    said = "\n".join(sentences(caught.value))
    assert f"{section} is missing" in said
    assert f":{line} {section}s is not known; did you mean {section}?" in said


def test_all_mistakes_are_reported_the_first_in_the_file_first(read: Callable[[str], Bench]) -> None:
    with pytest.raises(BenchFileError, match=r"pack\.cells") as caught:
        read(GOOD.replace("cells = 24", "cells = 240").replace("hold_ms = 100", "hold_ms = -1"))
    assert "gate.hold_ms = -1" in sentences(caught.value)[-1]


def test_an_output_without_a_bench_limit_is_refused(read: Callable[[str], Bench]) -> None:
    with pytest.raises(BenchFileError, match="has no bench limit for cell_01/voltage"):
        read(GOOD.replace('channels = "cell_*/voltage"', 'channels = "bms/cell_*/voltage"'))


def test_the_safe_sequence_never_drops_the_cells_first(read: Callable[[str], Bench]) -> None:
    with pytest.raises(BenchFileError, match=r"safe.* declares cells off, contactors open"):
        read(GOOD.replace('step = "supply off"', 'step = "cells off"'))


def test_two_active_lanes_of_one_role_are_refused(read: Callable[[str], Bench]) -> None:
    with pytest.raises(BenchFileError, match="has 2 active twin lanes") as caught:
        read(GOOD.replace('module = "twin.ecm"', 'module = "twin.ecm"\nactive = true'))
    assert caught.value.line == line_of('module = "twin.ecm"') + 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[bench", b"= 3", b"a = 1\n[a]\nb = 2", b"\x00"])
def test_a_file_that_is_no_bench_is_refused_in_words(folder: Path, content: bytes) -> None:
    (folder / "other.toml").write_bytes(content)
    with pytest.raises(BenchFileError, match=r"other\.toml"):
        read_bench(folder / "other.toml")


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match="cannot be read: No such file"):
        read_bench(tmp_path / "absent.toml")


VALUES = st.one_of(
    st.sampled_from(
        ["nan", "-inf", "[]", "{}", '""', "true", '"x"', "[1, 2, 3]", "1979-05-27", "{ a = 1 }", "-1", "1e9"]
    ),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**9), 10**9).map(str),
)


def refusal(read: Callable[[str], Bench], text: str) -> BenchFileError | None:
    try:
        read(text)
    except BenchFileError as error:
        return error
    return None


@given(number=st.integers(1, len(LINES)), value=VALUES)
def test_any_value_anywhere_is_taken_or_refused_with_a_line(
    read: Callable[[str], Bench], number: int, value: str
) -> None:
    key = LINES[number - 1].split(" = ")[0]
    error = refusal(read, with_line(number, f"{key} = {value}"))
    assert error is None or 1 <= (error.line or 0) <= len(LINES)


@given(number=st.integers(1, len(LINES)), cut=st.integers(0, 40))
def test_a_line_cut_short_is_taken_or_refused_with_a_line(read: Callable[[str], Bench], number: int, cut: int) -> None:
    error = refusal(read, with_line(number, LINES[number - 1][:cut]))
    assert error is None or 1 <= (error.line or 0) <= len(LINES)
