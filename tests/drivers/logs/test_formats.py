"""Each format is known by its content; one that is not read is named; columns may be given."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import scipy.io

from drivers.errors import LogError, PackageMissing, Usage
from drivers.logs.choose import parse_columns
from drivers.logs.formats import UNREAD
from drivers.logs.log import CellLog, read_log
from drivers.runlog.mdf4 import Mdf4Group, Mdf4Series, write_mdf4
from tests.drivers.logs.synthetic import record, write_plain, write_rows, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ARROW: Any = pa  # carries no types
PARQUET: Any = pyarrow.parquet
FEATHER: Any = pyarrow.feather
SCIPY_IO: Any = scipy.io
LOG = record()
COLUMNS: dict[str, Any] = {
    "Time [s]": LOG.t_s,
    "Voltage [V]": LOG.voltage_v.astype(np.float32),
    "Current [A]": LOG.charge_a,
    "Temperature [degC]": LOG.temperature_c,
    "Remark": ["none"] * 240,
}


def write_parquet(path: Path) -> None:
    PARQUET.write_table(ARROW.table(COLUMNS), path)


def write_feather(path: Path) -> None:
    FEATHER.write_feather(ARROW.table(COLUMNS), str(path), compression="uncompressed")


def write_matlab(path: Path) -> None:
    vectors = {"time": LOG.t_s[:, None], "VT": LOG.voltage_v[:, None], "Current": LOG.charge_a[:, None], "Cp": 1.2}
    SCIPY_IO.savemat(path, {"tests": vectors, "curve": np.arange(2000.0)})


def write_mdf(path: Path) -> None:
    none = np.zeros(240, dtype=bool)
    pairs = [("Voltage", "V", LOG.voltage_v), ("Current", "A", LOG.charge_a)]
    group = Mdf4Group("cell", LOG.t_s, tuple(Mdf4Series(name, unit, values, none) for name, unit, values in pairs))
    slow = Mdf4Series("Temperature", "degC", LOG.temperature_c[::10], none[::10])
    draft = path.with_suffix(".mf4")
    write_mdf4(draft, [group, Mdf4Group("slow", LOG.t_s[::10], (slow,))], "2026-01-01T00:00:00+00:00")
    draft.rename(path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "Parquet": write_parquet,
    "Arrow": write_feather,
    "MATLAB": write_matlab,
    "MDF": write_mdf,
}


def assert_holds(read: CellLog) -> None:
    np.testing.assert_allclose(read.time_s, LOG.t_s, atol=1e-9)
    np.testing.assert_allclose(read.voltage_v, LOG.voltage_v, atol=1e-6)
    np.testing.assert_allclose(read.current_a, LOG.current_a, atol=1e-6)


@pytest.mark.parametrize("kind", WRITERS)
def test_format_is_known_by_its_content(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"  # the suffix says nothing
    WRITERS[kind](path)
    read = read_log(path)
    assert read.kind == kind
    assert_holds(read)
    assert read.row.tolist() == list(range(1, 241))
    assert kind == "MATLAB" or read.temperature_k is not None


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("left", [0.3, 0.9])
def test_a_binary_file_that_is_cut_off_is_refused(kind: str, left: float, tmp_path: Path) -> None:
    path = tmp_path / "log.bin"
    WRITERS[kind](path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(left * len(raw))])
    with pytest.raises(LogError, match=r"log\.bin "):
        read_log(path)


def test_an_mdf_channel_of_another_group_holds_its_value(tmp_path: Path) -> None:
    path = tmp_path / "log.mf4"
    write_mdf(path)
    temperature = read_log(path).temperature_k
    assert temperature is not None
    np.testing.assert_allclose(temperature, 273.15 + np.repeat(LOG.temperature_c[::10], 10))


def rows_of_excel() -> list[list[Any]]:
    rows = zip(LOG.t_s.tolist(), LOG.voltage_v.tolist(), LOG.charge_a.tolist(), strict=True)
    return [["Test_Time(s)", "Voltage(V)", "Current(A)"], *map(list, rows)]


def test_a_workbook_is_read_from_the_sheet_with_the_log(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="python-calamine is not installed yet: run make setup")
    sheets = {"Info": [["Test", "cell 7"], ["Channel", 8.0]], "Channel_1-008": rows_of_excel()}
    read = read_log(write_xlsx(tmp_path / "log.xlsx", sheets))
    assert_holds(read)
    assert read.row[0] == 2


def test_sheets_that_continue_one_another_are_joined(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="python-calamine is not installed yet: run make setup")
    head, *rows = rows_of_excel()
    sheets = {"Channel_1-008_1": [head, *rows[:100]], "Channel_1-008_2": [head, *rows[100:]]}
    read = read_log(write_xlsx(tmp_path / "log.xlsx", sheets))
    assert_holds(read)
    assert read.row[100] == 103  # 101 rows of the first sheet, one header of the second


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="python-calamine is not installed yet: run make setup")
    path = write_xlsx(tmp_path / "log.xlsx", {"log": rows_of_excel()})
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(LogError, match="is no Excel or OpenDocument workbook"):
        read_log(path)


@pytest.mark.parametrize("place_mark_unread", UNREAD, ids=lambda unread: unread[2].name)
def test_a_format_that_is_not_read_is_named(place_mark_unread: Any, tmp_path: Path) -> None:
    place, mark, unread = place_mark_unread
    path = tmp_path / "log.dat"
    path.write_bytes(b"\x01" * place + mark + bytes(500))
    with pytest.raises(LogError) as caught:
        read_log(path)
    assert f"is {unread.name}: that format is not read" in str(caught.value)


def test_binary_content_of_no_known_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(LogError, match="is binary, "):
        read_log(path)


def test_text_without_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "README.txt"
    path.write_text("This is a text about a cell.\nIt holds no numbers, or one: 7.\n", "utf-8")
    with pytest.raises(LogError, match="holds no columns of numbers in its first 2 lines"):
        read_log(path)


@pytest.mark.parametrize(("mark", "module"), [(b"BIO-LOGIC MODULAR FILE\x1a", "galvani"), (b"NEWARE", "NewareNDA")])
def test_a_binary_of_a_cycler_names_its_extra(
    mark: bytes, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "log.bin"
    path.write_bytes(mark + bytes(100))
    with pytest.raises(PackageMissing, match=rf"log\.bin needs the package {module}.*pulsebms\[logs\]"):
        read_log(path)


def test_records_of_galvani_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(zip(LOG.t_s, LOG.voltage_v, 1000 * LOG.charge_a, strict=True))
    data = np.array(rows, dtype=[("time/s", "f8"), ("Ewe/V", "f4"), ("I/mA", "f8")])
    monkeypatch.setitem(sys.modules, "galvani", types.ModuleType("galvani"))
    reader: Any = types.ModuleType("galvani.BioLogic")

    def read_mpr(path: str) -> types.SimpleNamespace:
        return types.SimpleNamespace(data=data)

    reader.MPRfile = read_mpr
    monkeypatch.setitem(sys.modules, "galvani.BioLogic", reader)
    path = tmp_path / "log.mpr"
    path.write_bytes(b"BIO-LOGIC MODULAR FILE\x1a")
    read = read_log(path)
    assert_holds(read)
    assert read.vendor == "BioLogic"


def test_an_error_inside_a_reader_becomes_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(path: str) -> None:
        raise ValueError("version 99")

    reader: Any = types.ModuleType("NewareNDA")
    reader.read = read
    monkeypatch.setitem(sys.modules, "NewareNDA", reader)
    path = tmp_path / "log.nda"
    path.write_bytes(b"NEWARE")
    with pytest.raises(LogError, match=r"is not a Neware \.nda or \.ndax file that can be read: version 99"):
        read_log(path)


def test_columns_are_given_by_header_or_by_place(tmp_path: Path) -> None:
    rows = [["a", "b", "c"], *zip(LOG.t_s.tolist(), LOG.voltage_v.tolist(), LOG.charge_a.tolist(), strict=True)]
    path = write_rows(tmp_path / "log.csv", rows)
    with pytest.raises(LogError, match=r"no column that is known to hold the voltage; it has a, b, c"):
        read_log(path)
    assert_holds(read_log(path, columns={"time": "a", "voltage": "B", "current": "3"}))


def test_a_file_without_header_is_read_by_places(tmp_path: Path) -> None:
    rows = list(zip(["No"] * 240, LOG.t_s.tolist(), LOG.voltage_v.tolist(), LOG.charge_a.tolist(), strict=True))
    path = write_rows(tmp_path / "log.csv", rows)
    with pytest.raises(LogError, match=r"has no header; its first row is 1 \(No\), 2 \(0.000000\)") as caught:
        read_log(path)
    assert "by their places from 1" in caught.value.hint
    read = read_log(path, columns={"time": "2", "voltage": "3", "current": "4"})
    assert_holds(read)
    assert read.row[0] == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"voltage": "Volt"}, "has no column 'Volt' for the voltage; it has Time"),
        ({"volts": "Voltage [V]"}, "holds no volts"),
        ({"time": "9"}, "has no column '9' for the time"),
        ({"time": "-5s"}, "has no column '-5s' for the time"),
    ],
)
def test_a_column_that_is_not_there_is_named(columns: dict[str, str], words: str, tmp_path: Path) -> None:
    path = write_plain(tmp_path / "log.csv", LOG)
    with pytest.raises(LogError) as caught:
        read_log(path, columns=columns)
    assert words in str(caught.value)


def test_the_option_for_columns_is_parsed() -> None:
    assert parse_columns("time=Time [s],voltage=U, cell 1,current=3") == {
        "time": "Time [s]",
        "voltage": "U, cell 1",
        "current": "3",
    }


@pytest.mark.parametrize("text", ["", "time", "time=", "volts=U", "time=a,time=b"])
def test_an_option_for_columns_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(Usage, match="does not say which column is which"):
        parse_columns(text)


def test_a_parquet_file_of_text_and_lists_is_read_or_refused(tmp_path: Path) -> None:
    words = ARROW.array(["3.7", "3.8", "3.9"]).dictionary_encode()
    columns = {"Time [s]": [0, 1, None], "Voltage [V]": words, "Current [A]": [[1.0], [2.0], [3.0]]}
    path = tmp_path / "log.parquet"
    PARQUET.write_table(ARROW.table(columns), path)
    with pytest.raises(LogError, match="has no numbers in column 'Current"):
        read_log(path)
    PARQUET.write_table(ARROW.table(columns | {"Current [A]": [1, -1, 0]}), path)
    read = read_log(path, sign="charge")
    assert read.voltage_v.tolist() == [3.7, 3.8]
    assert read.counts["left_out"] == 1
