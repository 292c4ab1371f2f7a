"""The reader of price tables: formats of files and times, units, whole days, and mistakes with row and column."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pyarrow import parquet

from control.tasks.price_table import PriceTable, read_price_table
from drivers.errors import BenchFileError
from tests.control.tasks.price_tables import day_of, write_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def hours(day: str, *, first: int = 0, last: int = 24) -> list[str]:
    return [f"{day} {hour:02d}:00" for hour in range(first, last)]


def read(tmp_path: Path, text: str, **more: str) -> PriceTable:
    path = tmp_path / "t.csv"
    path.write_text(text)
    return read_price_table(path, **more)


def write(times: list[str], header: str = "time,price [EUR/kWh]", separator: str = ",") -> str:
    rows = [f"{time}{separator}{number}" for number, time in enumerate(times)]
    return "\n".join([header.replace(",", separator), *rows])


STAMPS: list[Callable[[datetime], str]] = [
    datetime.isoformat,
    lambda time: f"{time:%Y-%m-%d %H:%M}+01:00",
    lambda time: f"{time:%Y-%m-%dT%H:%MZ}",
    lambda time: f"{time:%d%b%Y %H:%M:%S}".lower(),
    lambda time: f"{time:%d.%m.%Y %H:%M} - 31.12.2022 24:00",
    lambda time: f"{time:%Y/%m/%d %H:%M}",
]


@pytest.mark.parametrize("stamp", STAMPS)
def test_a_time_is_read_in_each_form_that_markets_publish(stamp: Callable[[datetime], str], tmp_path: Path) -> None:
    table = read_price_table(write_table(tmp_path / "t.csv", 3, stamp=stamp))
    assert [date.fromordinal(int(day)) for day in table.days] == [day_of(0), day_of(1), day_of(2)]
    assert table.hourly.ravel() == pytest.approx(1e-3 * np.arange(72))
    assert table.skipped == ()


def test_dates_with_slashes_are_read_as_the_whole_column_tells_and_never_guessed(tmp_path: Path) -> None:
    days = {"month first": ("01/12/2022", "01/13/2022"), "day first": ("12/01/2022", "13/01/2022")}
    for first, second in days.values():
        table = read(tmp_path, write(hours(first) + hours(second)))
        assert table.days.tolist() == [date(2022, 1, day).toordinal() for day in (12, 13)]
    with pytest.raises(BenchFileError, match="cannot be told apart"):
        read(tmp_path, write(hours("13/12/2022") + hours("12/13/2022")))


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Hour", [str(hour) for hour in range(24)]),
        ("Hour", [str(hour + 1) for hour in range(24)]),
        ("Hour Ending", [f"{hour + 1:02d}:00" for hour in range(24)]),
        ("Product", [f"{hour:02d}:00 - {hour + 1:02d}:00" for hour in range(24)]),
    ],
)
def test_a_date_and_an_hour_make_a_time_whichever_end_names_the_hour(
    name: str, cells: list[str], tmp_path: Path
) -> None:
    rows = [f"2022-01-0{day};{cell};{hour},5" for day in (1, 2) for hour, cell in enumerate(cells)]
    table = read(tmp_path, "\n".join([f"Date;{name};Price (EUR/MWh)", *rows]))
    assert table.hourly[1] == pytest.approx(1e-3 * (np.arange(24) + 0.5)), "decimal commas beside semicolons"


def test_hours_that_do_not_tell_their_end_are_refused(tmp_path: Path) -> None:
    rows = [f"2022-01-01,{hour},1" for hour in range(1, 24)]
    with pytest.raises(BenchFileError, match="by its begin or by its end") as caught:
        read(tmp_path, "\n".join(["Date,Hour,Price (EUR/MWh)", *rows]))
    assert caught.value.key == "Hour"


def test_quarters_are_read_beside_hours(tmp_path: Path) -> None:
    table = read_price_table(write_table(tmp_path / "t.csv", 2, per_hour=4))
    assert table.eur_kwh.ravel() == pytest.approx(1e-3 * np.arange(192))
    quarters = [f"2022-01-02 {hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 15, 30, 45)]
    assert read(tmp_path, write(hours("2022-01-01") + quarters)).eur_kwh.shape == (2, 96)


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    path = write_table(tmp_path / "t.csv")
    before, (head, *rows) = read_price_table(path), path.read_text().splitlines()
    path.write_text("\n".join([head, *reversed(rows)]))
    assert read_price_table(path).sha256 == before.sha256


def test_days_on_which_summer_time_begins_or_ends_are_skipped_and_counted(tmp_path: Path) -> None:
    spring = hours("2022-03-27", last=2) + hours("2022-03-27", first=3)
    autumn = hours("2022-10-30", last=3) + hours("2022-10-30", first=2)
    for text in (
        write(hours("2022-03-26") + spring + hours("2022-03-28")),
        write(hours("2022-03-26") + hours("2022-03-27") + hours("2022-03-28")).replace("02:00,26", "02:00,"),
        write(hours("2022-10-29") + autumn + hours("2022-10-31")),
    ):
        table = read(tmp_path, text)
        assert (len(table.days), len(table.skipped)) == (2, 1)
        with pytest.raises(BenchFileError, match="2 whole days in a row"):
            table.find_starts(2)
    offsets = [f"2022-10-30T02:00{offset}" for offset in ("+02:00", "+01:00")]
    aware = [f"2022-10-29T{hour:02d}:00+02:00" for hour in range(24)]
    aware += [f"2022-10-30T{hour:02d}:00+0{2 if hour < 2 else 1}:00" for hour in range(24) if hour != 2] + offsets
    assert (read(tmp_path, write(aware)).days.size, len(read(tmp_path, write(aware)).skipped)) == (1, 1)


def test_days_that_are_missing_altogether_count_as_skipped(tmp_path: Path) -> None:
    table = read(tmp_path, write(hours("2022-01-01") + hours("2022-01-05") + hours("2022-01-06")))
    assert len(table.skipped) == 3
    assert table.find_starts(2).tolist() == [1]


GOOD = write(hours("2022-01-01"))


@pytest.mark.parametrize(
    ("text", "row", "column", "words"),
    [
        (GOOD.replace(",7\n", ",x7\n"), 9, "price [EUR/kWh]", 'holds "x7", which is no number'),
        (GOOD.replace(",7\n", ",nan\n"), 9, "price [EUR/kWh]", "which is no number"),
        (GOOD.replace(",7\n", ",1_7\n"), 9, "price [EUR/kWh]", "which is no number"),
        (GOOD.replace("07:00", "seven"), 9, "time", 'holds "2022-01-01 seven", which is no time'),
        (GOOD.replace("2022-01-01 00:00", "soon"), 2, "time", 'holds "soon", which is no time'),
        (GOOD.replace("07:00", "07:20"), 9, "time", "neither a full hour nor a quarter"),
        (GOOD.replace("07:00", "06:00"), 9, "time", "2022-01-01 06:00 twice, first in row 8"),
        (GOOD.replace(",7\n", ",7,1\n"), 9, None, "has 3 cells, the header 2"),
        (GOOD.replace("07:00", "07:00Z").replace("06:00", "07:00Z"), 9, "time", "07:00 twice"),
        ("time,price (EUR/MWh)\n", None, None, "is empty"),
        ("", None, None, "is empty"),
        ("\n,,\n", None, None, "is empty"),
        (write(hours("2022-01-01", last=23)), None, None, "no whole day: 2022-01-01 has 23 prices"),
        ("a,b (EUR/MWh)\n1,2\n", 2, None, "has no column of times"),
        ("time\n2022-01-01 00:00\n", None, None, "no column beside that of the times"),
        ("date,price (EUR/MWh)\n2022-01-01,2\n", 2, "date", "dates without a time"),
        (
            GOOD.replace("EUR/kWh", "BGN/MWh"),
            None,
            "price [BGN/MWh]",
            "is in BGN/MWh, and the costs",
        ),
        (GOOD.replace(" [EUR/kWh]", ""), None, "price", "does not say the unit"),
    ],
)
def test_a_mistake_is_named_with_file_row_and_column(
    text: str, row: int | None, column: str | None, words: str, tmp_path: Path
) -> None:
    with pytest.raises(BenchFileError, match=r"t\.csv") as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
    assert (caught.value.line, caught.value.key) == (row, column)
    assert caught.value.hint


def test_a_night_hour_that_occurs_twice_is_a_mistake_on_other_days_than_sundays(tmp_path: Path) -> None:
    twice = hours("2022-10-29", last=3) + hours("2022-10-29", first=2)
    with pytest.raises(BenchFileError, match="02:00 twice"):
        read(tmp_path, write(twice))
    with pytest.raises(BenchFileError, match="twice"):
        read(tmp_path, write(hours("2022-10-30") * 2))


def test_a_unit_is_declared_once_or_twice_alike(tmp_path: Path) -> None:
    bare = GOOD.replace(" [EUR/kWh]", "")
    assert read(tmp_path, bare, unit="EUR/MWh").eur_kwh.max() == pytest.approx(0.023)
    assert read(tmp_path, GOOD, unit="EUR/kWh").eur_kwh.max() == pytest.approx(23.0)
    with pytest.raises(BenchFileError, match="is in EUR/kWh, not in EUR/MWh"):
        read(tmp_path, GOOD, unit="EUR/MWh")
    with pytest.raises(BenchFileError, match='cannot be in "MWh"; use EUR/kWh or EUR/MWh'):
        read(tmp_path, bare, unit="MWh")


def test_a_column_is_named_where_several_may_be_meant(tmp_path: Path) -> None:
    rows = [f"{time},{number},{2 * number}" for number, time in enumerate(hours("2022-01-01"))]
    text = "\n".join(["time,Price (EUR),Price (BGN)", *rows])
    with pytest.raises(BenchFileError, match=r"name the column: Price \(EUR\), Price \(BGN\)"):
        read(tmp_path, text, unit="EUR/MWh")
    assert read(tmp_path, text, unit="EUR/MWh", column="Price (EUR)").eur_kwh.max() == pytest.approx(0.023)
    with pytest.raises(BenchFileError, match='no column "Price"'):
        read(tmp_path, text, unit="EUR/MWh", column="Price")


def write_ercot(path: Path, **more: list[Any]) -> Path:
    """Write two places below each other, as ERCOT does."""
    places = ["HB_A", "HB_B"]
    rows = [(day, hour, place) for day in (14, 15) for hour in range(24) for place in places]
    columns: dict[str, list[Any]] = {
        "Delivery Date": [f"01/{day}/2022" for day, _, _ in rows],
        "Hour Ending": [f"{hour + 1:02d}:00" for _, hour, _ in rows],
        "Settlement Point": [place for _, _, place in rows],
        "Settlement Point Price": [float(hour + 100 * places.index(place)) for _, hour, place in rows],
    }
    table: Any = pa
    writer: Any = parquet
    writer.write_table(table.table(columns | more), path)
    return path


def test_a_place_is_picked_from_a_parquet_table_of_several(tmp_path: Path) -> None:
    path = write_ercot(tmp_path / "t.parquet")
    table = read_price_table(path, "EUR/MWh", "HB_B")
    assert table.hourly[0] == pytest.approx(1e-3 * (100 + np.arange(24)))
    with pytest.raises(BenchFileError, match=r"00:00 twice, first in row 1; .* the place of the prices") as caught:
        read_price_table(path, "EUR/MWh")
    assert caught.value.line == 2
    with pytest.raises(BenchFileError, match='no column "HB_C"'):
        read_price_table(path, "EUR/MWh", "HB_C")


def test_times_of_a_parquet_table_may_be_times(tmp_path: Path) -> None:
    times = [datetime(2022, 1, 1, hour) for hour in range(24)]  # noqa: DTZ001  # a table without a time zone
    tables: Any = pa
    writer: Any = parquet
    writer.write_table(tables.table({"t": times, "price (EUR/kWh)": [1.0] * 24}), tmp_path / "t.parquet")
    assert read_price_table(tmp_path / "t.parquet").days.tolist() == [day_of(0).toordinal()]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"PK\x03\x04 a zip file", "is a spreadsheet.*save the sheet of the prices as CSV"),
        (b"\xd0\xcf\x11\xe0 an OLE file", "is a spreadsheet"),
        (b"PAR1 broken", "is not a Parquet table"),
        (b"time,price\n\xff\xfe1", "is not UTF-8 text"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_sentence(raw: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "t.bin").write_bytes(raw)
    with pytest.raises(BenchFileError, match=words):
        read_price_table(tmp_path / "t.bin")
    with pytest.raises(BenchFileError, match="cannot be read"):
        read_price_table(tmp_path / "none.csv")


@settings(max_examples=40, deadline=None)
@given(some.text(alphabet="0123456789-:.,;/ TZtimeprice\n+", max_size=80), some.integers(0, 400), some.integers(0, 40))
def test_whatever_is_written_into_a_table_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, at: int, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    path.write_text(GOOD[:at] + text + GOOD[at + cut :])
    try:
        table = read_price_table(path)
    except BenchFileError:
        return
    assert np.isfinite(table.eur_kwh).all()
    assert table.eur_kwh.shape == (len(table.days), 96)
