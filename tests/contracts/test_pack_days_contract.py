"""What each pack did on each day, on either database: summed up by upkeep, read by one question."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import insert

from edge_bridge.fleet.analytics_job import FleetAnalytics, SpanAnalytics
from edge_bridge.fleet.columns import COLUMN_NAMES
from edge_bridge.fleet.day_sums import sum_packs, sum_site_days
from edge_bridge.fleet.store.history import History
from edge_bridge.fleet.store.open_store import parse_address
from edge_bridge.fleet.store.pack_days import DAYS_AT_ONCE
from edge_bridge.fleet.store.records import Batch
from edge_bridge.fleet.store.upkeep_engine import UpkeepEngine
from edge_bridge.fleet.store.upkeep_tables import DAY_SUMS, PACK_DAY, STALE_HOUR
from tests.contracts.test_store_contract import row
from tests.contracts.upkeep_cases import DAY, START_MS, keep
from tests.edge_bridge.fleet.pack import asked
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.port import FleetStore

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
PACKS: Final = 10_000
DAYS: Final = 30


@pytest.fixture
def history(where: str, store: FleetStore) -> Generator[History]:
    del store
    with closing(History(where)) as made:
        yield made


def make_row(minute: int, **values: float) -> StoredRow:
    known = {"current_a": 10.0, "voltage_v": 80.0, "soc": 0.5, "soh": 0.9}
    filled = tuple((known | values).get(name) for name in COLUMN_NAMES)
    return replace(row(minute + 1, t_ms=START_MS + minute * MINUTE_MS), values=filled)


def read_days(store: FleetStore) -> dict[tuple[int, str], tuple[Any, ...]]:
    names = "day, node, energy_out_wh, charge_out_ah, reported_ms, soh, last_ms"
    return {(day, node): tuple(more) for day, node, *more in asked(store, f"SELECT {names} FROM pack_day")}  # noqa: S608


def test_a_day_is_summed_up_from_its_minutes(store: FleetStore, where: str) -> None:
    store.commit(Batch([make_row(minute) for minute in range(61)]))
    keep(where)
    assert read_days(store) == {
        (DAY, "pack-1"): (
            *(pytest.approx(800.0), pytest.approx(10.0), 3_600_000.0, pytest.approx(0.9)),
            START_MS + 61 * MINUTE_MS,
        )
    }
    assert asked(store, "SELECT * FROM stale_day") == []


def test_a_late_row_corrects_its_day_and_the_next_one_ends_the_last_interval(store: FleetStore, where: str) -> None:
    store.commit(Batch([make_row(minute) for minute in range(1380, 1440) if minute != 1400]))
    keep(where)
    assert read_days(store)[DAY, "pack-1"][2] == 59 * MINUTE_MS
    store.commit(Batch([make_row(1400, current_a=20.0)]))
    keep(where)
    late = read_days(store)[DAY, "pack-1"]
    assert late[0] == pytest.approx(80.0 * (58 * 10 + 20) / 60)  # 20 A for a minute, as the middle of two lines
    before = late[2]
    store.commit(Batch([make_row(1440)]))
    keep(where)
    found = read_days(store)
    assert (before, found[DAY, "pack-1"][2]) == (59 * MINUTE_MS, 60 * MINUTE_MS)
    assert found[DAY + 1, "pack-1"][2] == 0.0


def test_many_days_are_summed_up_in_small_transactions(store: FleetStore, where: str) -> None:
    days = 3 * DAYS_AT_ONCE
    store.commit(Batch([row(day + 1, t_ms=START_MS - day * DAY_MS) for day in range(days)]))
    keep(where)
    assert len(read_days(store)) == days


def test_late_rows_of_an_archived_day_change_its_sums(store: FleetStore, where: str, tmp_path: Path) -> None:
    store.commit(Batch([make_row(minute) for minute in range(0, 61, 2)]))
    keep(where, tmp_path / "archive")
    store.commit(Batch([make_row(minute, soh=0.7) for minute in range(1, 61, 2)]))
    keep(where, tmp_path / "archive")
    keep(where, tmp_path / "archive")
    assert read_days(store)[DAY, "pack-1"][3] == pytest.approx((31 * 0.9 + 30 * 0.7) / 61)


def test_a_forgotten_pack_has_no_days(store: FleetStore, where: str) -> None:
    store.commit(Batch([make_row(minute) for minute in range(3)]))
    keep(where)
    store.forget("pack-1", delete_rows=True)
    assert read_days(store) == {}


def read_span(history: History, now_ms: int, days: int = 1) -> SpanAnalytics:
    with closing(FleetAnalytics(history, lambda: now_ms)) as analytics:
        span = analytics.read(days)
        wait_until(lambda: span.is_done, what="the analytics")
        return span


def test_rows_that_are_not_summed_up_yet_are_read_and_take_nothing_away(
    store: FleetStore, where: str, history: History
) -> None:
    store.commit(Batch([make_row(minute) for minute in range(61)]))
    whole = read_span(history, START_MS + 7_200_000)
    assert whole.table.sums["energy_out_wh"].tolist() == pytest.approx([800.0])
    keep(where)
    store.commit(Batch([replace(make_row(minute), node="pack-2") for minute in range(31)]))
    span = read_span(history, START_MS + 7_200_000)
    assert span.table.nodes == ("pack-1", "pack-2")
    assert span.table.sums["energy_out_wh"].tolist() == pytest.approx([800.0, 400.0])
    assert (span.failed, span.days_waiting, span.until_ms) == (set(), 0, START_MS + 7_200_000)


def fill_days(where: str) -> None:
    """Write a month of ten thousand packs that upkeep summed up, and this hour's mark of each."""
    sums = dict.fromkeys(DAY_SUMS, 1.0) | {"trip_out_wh": 95.0, "trip_in_wh": 100.0, "soh": 0.9}
    engine = UpkeepEngine(parse_address(where))
    with closing(engine), engine.begin() as connection:
        for day in range(DAY - DAYS + 1, DAY + 1):
            lines = [{"day": day, "node": f"pack-{n:05}", "last_ms": (day + 1) * DAY_MS, **sums} for n in range(PACKS)]
            connection.execute(insert(PACK_DAY), lines)
        hour = (START_MS + DAY_MS) // 3_600_000 - 1
        connection.execute(insert(STALE_HOUR), [{"node": f"pack-{n:05}", "hour": hour} for n in range(PACKS)])


@pytest.mark.slow
def test_a_month_of_ten_thousand_packs_is_read_in_seconds(where: str, history: History, record_property: Any) -> None:
    fill_days(where)
    began_s = time.perf_counter()
    span = read_span(history, START_MS + DAY_MS - 1, DAYS)
    read_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    sums = sum_packs(span.table, span.table.nodes, DAYS * DAY_MS)
    days = list(sum_site_days(span.table, lambda node: node[-1], span.until_ms))
    sum_s = time.perf_counter() - began_s
    record_property("read_s", read_s)
    record_property("sum_s", sum_s)
    print(f"{PACKS} packs x {DAYS} days: read in {read_s:.2f} s, summed up in {sum_s:.2f} s")  # noqa: T201  # measured
    assert (len(span.table.day), len(days), sums.efficiency[0]) == (PACKS * DAYS, 10 * DAYS, pytest.approx(0.95))
    assert sum(day["packs"] for day in days) == PACKS * DAYS
