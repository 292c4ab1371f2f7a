"""How many rows a second the store commits, beside a bare binary COPY of the same values into one table."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, make_url

from edge_bridge.fleet.columns import COLUMNS
from edge_bridge.fleet.row import StoredRow
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.records import Batch
from edge_bridge.sparkplug.payload import DataType
from workbench.measure.fleet_load.packet_writer import name_boot, name_device
from workbench.measure.job import run_in_turns, time_calls

if TYPE_CHECKING:
    from drivers.snapshot import Floats

SALT: Final = 0xC0
_VALUES: Final = {DataType.DOUBLE: 1.25, DataType.INT64: 2, DataType.STRING: "allowed"}
_TYPES: Final = {DataType.DOUBLE: "float8", DataType.INT64: "int8", DataType.STRING: "text"}


class BareCopy:
    """Binary COPY into a table without a key; each call is a commit."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        self._types = ["text", "text", "int8", "int8", *(_TYPES[column.datatype] for column in COLUMNS)]
        names = ["node", "boot", "seq", "t_ms", *(column.name for column in COLUMNS)]
        declared = ", ".join(f"{name} {kind}" for name, kind in zip(names, self._types, strict=True))
        with self._engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE TABLE bare_copy ({declared})")

    def commit(self, rows: list[tuple[object, ...]]) -> None:
        with self._engine.begin() as connection:
            driver: Any = connection.connection
            with driver.cursor() as cursor, cursor.copy("COPY bare_copy FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(self._types)
                for row in rows:
                    copy.write_row(row)

    def close(self) -> None:
        self._engine.dispose()


def measure_commits(url: str, devices: int, rounds: int) -> tuple[Floats, Floats]:
    """Return the durations in s of commits of one row of each device: the store's, and those of the bare COPY."""
    values = tuple(_VALUES[column.datatype] for column in COLUMNS)
    nodes = [(name_device(place), name_boot(place, SALT)) for place in range(devices)]
    given = [0, 0]

    def make_keys(whose: int) -> list[tuple[str, str, int, int]]:
        given[whose] += 1
        t_ms = time.time_ns() // 1_000_000
        return [(node, boot, given[whose], t_ms) for node, boot in nodes]

    with closing(open_store(url)) as store, closing(BareCopy(url)) as bare:

        def commit() -> Floats:
            batch = Batch([StoredRow(*key, False, "", values, None) for key in make_keys(0)])  # noqa: FBT003  # a row by place
            return time_calls(lambda: store.commit(batch), 1)

        def copy() -> Floats:
            rows: list[tuple[object, ...]] = [(*key, *values) for key in make_keys(1)]
            return time_calls(lambda: bare.commit(rows), 1)

        commit()  # the first one makes partitions
        return run_in_turns(commit, copy, rounds)
