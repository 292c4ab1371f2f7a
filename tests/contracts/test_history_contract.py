"""What every reader of a fleet's past promises, on an SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.errors import Usage
from edge_bridge.fleet.store.history import History
from edge_bridge.fleet.store.records import Batch
from tests.contracts.test_store_contract import row

if TYPE_CHECKING:
    from collections.abc import Generator

    from edge_bridge.fleet.store.port import FleetStore

DAY_MS = 86_400_000
START_MS = 1_790_000_000_000 // DAY_MS * DAY_MS


@pytest.fixture
def history(where: str, store: FleetStore) -> Generator[History]:
    with closing(History(where)) as made:
        yield made


def test_a_history_is_summarised_in_buckets_and_shows_gaps(store: FleetStore, history: History) -> None:
    rows = [row(seq, t_ms=START_MS + 1000 * seq, voltage_v=float(seq)) for seq in range(100)]
    rows += [row(seq, t_ms=START_MS + 1000 * seq, voltage_v=float(seq)) for seq in range(400, 500)]
    store.commit(Batch([*rows, replace(row(9999, t_ms=START_MS + 250_000), clock="future")]))
    found = history.read("pack-1", ["voltage_v", "soc"], START_MS, START_MS + 500_000, 50)
    volts = found.columns["voltage_v"]
    assert found.step_ms == 10_000
    assert list(found.t_ms) == [START_MS + 10_000 * n for n in (*range(10), 10, *range(40, 50))]
    assert (volts.low[1], volts.mean[1], volts.high[1], volts.count[1]) == (10.0, 14.5, 19.0, 10)
    assert np.isnan(volts.mean[10])
    assert (volts.count[10], volts.count.sum(), found.columns["soc"].count.sum()) == (0, 200, 0)


def test_a_fine_history_gives_each_row_and_no_false_gap(store: FleetStore, history: History) -> None:
    store.commit(Batch([row(seq, t_ms=START_MS + 1000 * seq) for seq in range(1, 61)]))
    found = history.read("pack-1", ["voltage_v"], START_MS, START_MS + 61_000, 2_000)
    assert (len(found.t_ms), set(found.columns["voltage_v"].count)) == (60, {1})


def test_another_node_and_another_time_have_no_history(store: FleetStore, history: History) -> None:
    store.commit(Batch([row(1)]))
    assert not len(history.read("pack-2", ["soc"], 0, 2 * START_MS, 10).t_ms)
    assert not len(history.read("pack-1", ["soc"], 0, START_MS, 10).t_ms)


@pytest.mark.parametrize(
    ("columns", "bounds", "points"),
    [
        (["gate_reason"], (1, 2), 10),
        (["node; DROP TABLE row"], (1, 2), 10),
        ([], (1, 2), 10),
        (["soc"], (2, 2), 10),
        (["soc"], (-1, 2), 10),
        (["soc"], (1, 2), 0),
        (["soc"], (1, 2), 1 << 40),
    ],
)
def test_impossible_questions_are_refused(
    history: History, columns: list[str], bounds: tuple[int, int], points: int
) -> None:
    with pytest.raises(Usage):
        history.read("pack-1", columns, *bounds, points)


def test_a_reader_neither_waits_for_the_writer_nor_stops_it(store: FleetStore, history: History) -> None:
    store.commit(Batch([row(1)]))
    with history.engine.connect() as reading:
        assert reading.exec_driver_sql("SELECT count(*) FROM row").scalar() == 1
        assert store.commit(Batch([row(2)])).new == 1
        with pytest.raises(Exception, match=r"(?i)read-?only"):
            reading.exec_driver_sql("DELETE FROM row")
