"""What the store on a PostgreSQL server promises beside the contract: many hosts, partitions, a server that fails."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from drivers.errors import StoreUnreachable, Usage
from edge_bridge.fleet.store.migrate import VERSION
from edge_bridge.fleet.store.open_store import open_store
from edge_bridge.fleet.store.partitions import DAYS_BACK
from edge_bridge.fleet.store.postgres_store import PostgresStore
from edge_bridge.fleet.store.records import Batch
from edge_bridge.fleet.store.tables import DAY_MS
from tests.contracts.test_store_contract import T_MS, figures, only, row
from tests.edge_bridge.fleet.pack import asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.fleet.row import StoredRow
    from edge_bridge.fleet.store.port import FleetStore
    from tests.postgres import PostgresServer


def in_threads(*actions: Callable[[], object]) -> None:
    """Run all at once; raise what one of them raised."""
    failures = list[BaseException]()

    def run(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001  # raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_two_hosts_that_start_at_once_make_one_database(postgres: str) -> None:
    def start() -> None:
        with closing(open_store(postgres)) as store:
            store.commit(Batch([row(1)]))

    in_threads(start, start, start)
    with closing(open_store(postgres)) as store:
        assert figures(store) == (1, 0, 0, 0)


def test_two_hosts_that_get_the_same_rows_store_them_once_and_count_them_once(postgres: str) -> None:
    rows = [row(seq, t_ms=T_MS + seq % 3 * DAY_MS) for seq in range(1, 200)]
    new = list[int]()

    def send(order: list[StoredRow]) -> Callable[[], None]:
        def run() -> None:
            with closing(open_store(postgres)) as store:
                for start in range(0, len(order), 10):
                    new.append(store.commit(Batch(order[start : start + 10])).new)

        return run

    in_threads(send(rows), send(rows[::-1]))
    with closing(open_store(postgres)) as store:
        assert sum(new) == store.read_totals().stored == len(rows)
        assert figures(store) == (len(rows), 0, 0, 0)


def find_today(store: FleetStore) -> int:
    ((days,),) = asked(store, "SELECT floor(extract(epoch FROM now()) / 86400)")
    return int(days)


def test_rows_lie_in_the_partition_of_their_day_and_others_apart(postgres: str) -> None:
    with closing(open_store(postgres)) as store:
        today = find_today(store)
        days = [today, today - 1, today - DAYS_BACK, today - DAYS_BACK - 2, today + 400, 0]
        store.commit(Batch([row(place, t_ms=day * DAY_MS) for place, day in enumerate(days, 1)]))
        found = asked(store, "SELECT tableoid::regclass::text, seq FROM row ORDER BY seq")
        assert [name == "row_other" for name, _ in found] == [False, False, False, True, True, True]
        assert len({name for name, _ in found}) == 4
        plan = asked(store, f"EXPLAIN SELECT * FROM row WHERE t_ms = {today * DAY_MS}")  # noqa: S608  # a figure
        read = " ".join(line for (line,) in plan)
        assert found[0][0] in read  # a query by time reads the day and the rows apart, no other day
        assert found[1][0] not in read


def test_rows_that_came_before_their_partition_move_into_it(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_store(postgres)) as store:
        today = find_today(store)
        late = row(1, t_ms=(today - 9) * DAY_MS)
        with monkeypatch.context() as patch:
            patch.setattr("edge_bridge.fleet.store.partitions.DAYS_BACK", 1)
            store.commit(Batch([late]))
        assert asked(store, "SELECT count(*) FROM row_other") == [(1,)]
    with closing(open_store(postgres)) as store:
        assert store.commit(Batch([late, replace(late, seq=2)])).new == 1
        assert asked(store, "SELECT count(*) FROM row_other") == [(0,)]
        assert figures(store) == (2, 0, 0, 0)


def test_a_long_query_keeps_no_row_from_being_stored(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_bridge.fleet.store.partitions.LOCK_WAIT", "50ms")
    with closing(open_store(postgres)) as store, psycopg.connect(postgres) as reader:
        store.commit(Batch([row(1)]))
        reader.execute("SELECT count(*) FROM row")  # its transaction holds every partition
        today = find_today(store)
        assert store.commit(Batch([row(2, t_ms=(today - 20) * DAY_MS)])).new == 1
        assert only(store).stored == 2


@pytest.mark.parametrize("step", ["_prepare", "_fill", "_insert_ordered", "_insert_rows"])
def test_a_fleet_goes_on_when_its_connection_was_cut(postgres: str, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    with closing(open_store(postgres)) as store, psycopg.connect(postgres, autocommit=True) as other:
        store.commit(Batch([row(1)]))
        take = getattr(PostgresStore, step)

        def cut(self: PostgresStore, *words: Any) -> Any:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
            return take(self, *words)

        with monkeypatch.context() as patch:
            patch.setattr(PostgresStore, step, cut)
            with pytest.raises(StoreUnreachable):
                store.commit(Batch([row(1), row(2)]))
        assert store.commit(Batch([row(1), row(2)])).new == 1
        assert (store.read_totals().stored, only(store).stored) == (2, 2)


def test_what_was_acknowledged_survives_a_kill_of_the_server(own_server: PostgresServer) -> None:
    with closing(open_store(own_server.make_database())) as store:
        store.commit(Batch([row(1)]))
        own_server.stop(signal.SIGQUIT)
        with pytest.raises(StoreUnreachable):
            store.commit(Batch([row(2)]))
        own_server.start()
        assert store.commit(Batch([row(1), row(2)])).new == 1
        assert (store.read_totals().stored, only(store).stored) == (2, 2)


def test_a_database_that_is_not_a_fleets_is_refused(server: PostgresServer, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute("CREATE TABLE notes (words text)")
        with pytest.raises(Usage, match="is the database of another program: it has a table notes"):
            open_store(postgres)
        assert other.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema").fetchone() == (1,)
    later = server.make_database()
    open_store(later).close()
    with psycopg.connect(later, autocommit=True) as other:
        other.execute("UPDATE pulsebms_version SET version_num = '0099'")
    with pytest.raises(Usage, match=f"has version 99, this program writes {VERSION}"):
        open_store(later)
