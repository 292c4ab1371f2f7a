"""Upkeep of a store in a test, and what is in its tables and files then."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from edge_bridge.fleet.store.archive_file import pq
from edge_bridge.fleet.store.tables import DAY_MS
from edge_bridge.fleet.store.upkeep import Retention, Upkeep, UpkeepResult
from tests.contracts.test_store_contract import row
from tests.edge_bridge.fleet.pack import asked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.port import FleetStore

DAY = 1_790_000_000_000 // DAY_MS
START_MS = DAY * DAY_MS
LATER_MS = START_MS + 40 * DAY_MS


def keep(
    where: str, folder: Path | None = None, now_ms: int = LATER_MS, step: Callable[[str], object] = str
) -> UpkeepResult:
    with closing(Upkeep(where, Retention(raw_days=1 if folder else 30, folder=folder))) as upkeep:
        return upkeep.run(now_ms, step=step)


def at(seq: int, t_ms: int, **more: Any) -> StoredRow:
    return row(seq, t_ms=t_ms, voltage_v=float(seq), **more)


def archived_keys(folder: Path) -> list[tuple[str, str, int]]:
    tables = [pq.read_table(path, columns=["node", "boot", "seq"]) for path in sorted(folder.glob("*.parquet"))]
    return [tuple(one.values()) for table in tables for one in table.to_pylist()]


def all_keys(store: FleetStore, folder: Path) -> list[tuple[str, str, int]]:
    return sorted([*asked(store, "SELECT node, boot, seq FROM row"), *archived_keys(folder)])


def read_minutes(store: FleetStore) -> dict[tuple[str, int], tuple[int, float, float, float]]:
    names = "node, start_ms, count, voltage_v_low, voltage_v_sum, voltage_v_high"
    return {(node, start): tuple(more) for node, start, *more in asked(store, f"SELECT {names} FROM minute")}  # noqa: S608
