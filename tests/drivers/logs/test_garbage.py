"""Any bytes give a log, or an error that a person can read; never another exception."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import PulseError
from drivers.logs.log import read_log
from tests.drivers.logs.synthetic import record, write_plain
from tests.drivers.logs.test_formats import write_feather, write_matlab, write_parquet

MARKS: Final = (
    b"PAR1",
    b"ARROW1\0\0",
    b"MATLAB 5.0 MAT-file",
    b"PK\x03\x04",
    b"MDF     4.10    ",
    b"NEWARE",
    b"\xff\xfe",
)
HEADS: Final = (
    "Time [s],Voltage [V],Current [A],Capacity [Ah],Temperature [degC]\n",
    "Test_Time(s);Voltage(V);Current(A)\n",
)
CELLS: Final = st.one_of(
    st.floats(width=32).map(str),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(
        ["", "1,5", "1.234,5", "NaN", "12:30:00", "2020-02-31", "31/12/20 25:00", "9999", "1e308", "-0", '"', "1e999"]
    ),
)


def read_bytes(content: bytes, suffix: str = ".csv") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"log{suffix}"
        path.write_bytes(content)
        try:
            log = read_log(path)
        except PulseError as error:
            log = error
    if isinstance(log, PulseError):
        assert str(path) in str(log)
    else:
        columns = (log.voltage_v, log.current_a, log.temperature_k, log.ah)
        assert (np.diff(log.time_s) > 0).all()
        assert all(len(column) == len(log) and np.isfinite(column).all() for column in columns if column is not None)
        assert len(log.row) == len(log) >= 2


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_a_log_or_an_error(content: bytes) -> None:
    read_bytes(content)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(MARKS), st.binary(max_size=300))
def test_the_mark_of_a_format_before_any_bytes_gives_an_error(mark: bytes, content: bytes) -> None:
    read_bytes(mark + content)


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="0123456789.,;:-+eE\"' \t\n\rNaVIt()[]/", max_size=300))
def test_text_that_looks_like_columns_gives_a_log_or_an_error(content: str) -> None:
    read_bytes(content.encode())


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(HEADS), st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=20))
def test_any_cells_under_a_known_header_give_a_log_or_an_error(head: str, rows: list[list[str]]) -> None:
    read_bytes((head + "\n".join((";" if ";" in head else ",").join(row) for row in rows)).encode())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([write_parquet, write_feather, write_matlab, None]), st.data())
def test_a_log_with_damaged_bytes_gives_a_log_or_an_error(write: object, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole"
        if callable(write):
            write(path)
        else:
            write_plain(path, record())
        raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    read_bytes(bytes(raw[: data.draw(st.integers(len(raw) // 2, len(raw)))]))
