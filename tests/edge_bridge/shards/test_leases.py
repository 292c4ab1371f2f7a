"""Leases on a real server: one holder at a time, and nothing is written by one that has none."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from drivers.errors import LeaseLost, StoreFailed, Usage
from edge_bridge.fleet.shard_choice import ShardChoice, choose_groups, find_shard, parse_shard
from edge_bridge.fleet.shards import ACT_S, LOOK_S, RENEW_S, ShardHolder
from edge_bridge.fleet.store.leases import Lease, LeaseState, LeaseTable
from edge_bridge.fleet.store.postgres_store import PostgresStore
from edge_bridge.fleet.store.records import Batch
from edge_bridge.fleet.store.shard_store import ShardStore
from tests.contracts.test_store_contract import row
from tests.edge_bridge.fleet.pack import asked

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping

    from sqlalchemy import URL


@pytest.fixture
def store(url: URL) -> Generator[PostgresStore]:
    with closing(PostgresStore(url)) as made:
        yield made


@pytest.fixture
def one(url: URL, store: PostgresStore) -> Generator[LeaseTable]:
    del store  # it makes the tables
    with closing(LeaseTable(url, "one")) as table:
        table.prepare(3)
        yield table


@pytest.fixture
def two(url: URL, one: LeaseTable) -> Generator[LeaseTable]:
    del one
    with closing(LeaseTable(url, "two")) as table:
        table.prepare(3)
        yield table


def take(table: LeaseTable, shard: int) -> Lease:
    lease = table.take(table.read()[shard].lease)
    assert lease is not None
    return lease


def expire(store: PostgresStore, shard: int) -> None:
    """As if the time of the lease had passed."""
    with store._engine.begin() as connection:  # pyright: ignore[reportPrivateUsage]
        connection.exec_driver_sql(f"UPDATE lease SET until_ms = 1 WHERE shard = {shard}")  # noqa: S608  # a number


def test_a_held_shard_is_not_taken_and_an_expired_one_is_by_one_of_many(
    url: URL, store: PostgresStore, one: LeaseTable, two: LeaseTable
) -> None:
    first = take(one, 1)
    assert two.take(first) is None
    assert one.renew([1]) == {1}
    expire(store, 1)
    assert one.renew([1]) == set()
    seen, won = two.read()[1].lease, list[Lease | None]()
    tables = [LeaseTable(url, f"host-{number}") for number in range(5)]

    def try_to_take(table: LeaseTable) -> None:
        won.append(table.take(seen))

    threads = [threading.Thread(target=try_to_take, args=(table,)) for table in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for table in tables:
        table.close()
    assert [lease.term for lease in won if lease] == [first.term + 1]


def test_a_host_whose_lease_has_run_out_writes_nothing(
    url: URL, store: PostgresStore, one: LeaseTable, two: LeaseTable
) -> None:
    with closing(ShardStore(url, take(one, 0))) as late:
        assert late.commit(Batch([row(1)])).new == 1
        expire(store, 0)
        with pytest.raises(LeaseLost, match="run out"):
            late.commit(Batch([row(2)]))
        take(two, 0)
        for _ in range(2):  # the takeover has ended its session; on a new one it is refused again
            with pytest.raises(StoreFailed):
                late.commit(Batch([row(2)]))
    assert asked(store, "SELECT seq FROM row") == [(1,)]


def test_a_takeover_ends_the_open_transaction_of_a_host_that_sleeps(
    url: URL, store: PostgresStore, one: LeaseTable, two: LeaseTable
) -> None:
    lease = take(one, 0)
    with closing(ShardStore(url, lease)) as asleep, closing(asleep._engine.connect()) as connection:  # pyright: ignore[reportPrivateUsage]
        asleep._lock_nodes(connection, ["pack-1"])  # pyright: ignore[reportPrivateUsage]  # and it stops here
        expire(store, 0)
        with closing(ShardStore(url, take(two, 0))) as awake:
            assert awake.commit(Batch([row(1)])).new == 1
        with pytest.raises(psycopg.OperationalError):
            connection.connection.cursor().execute("SELECT 1")
        connection.invalidate()


def test_hosts_agree_on_the_number_of_shards(url: URL, store: PostgresStore, one: LeaseTable) -> None:
    take(one, 0)
    with closing(LeaseTable(url, "three")) as other:
        with pytest.raises(Usage, match="3 shards, not 4"):
            other.prepare(4)
        expire(store, 0)
        other.prepare(4)
        assert sorted(other.read()) == [0, 1, 2, 3]


@pytest.mark.parametrize("words", ["", "1", "0/3", "4/3", "1/0", "a/b", "1/3/5", "-1/3", "1/5000"])
def test_a_shard_that_is_none_is_refused(words: str) -> None:
    with pytest.raises(Usage, match="names no shard"):
        parse_shard(words)


def test_each_group_is_in_one_shard_and_that_never_changes() -> None:
    groups = [f"site-{number}" for number in range(100)]
    shares = [choose_groups(groups, shard, 3) for shard in range(3)]
    assert sorted(group for share in shares for group in share) == sorted(groups)
    assert find_shard("abc", 1000) == 0xBA7816BF8F01CFEA % 1000  # the published check value of SHA-256
    assert min(map(len, shares)) > 20


class SetLeases:
    """A table whose answers are set."""

    def __init__(self, **states: LeaseState) -> None:
        self.states = {int(name[1:]): state for name, state in states.items()}
        self.renews, self.fails, self.wanted = True, False, list[int]()

    def read(self) -> Mapping[int, LeaseState]:
        return self.states

    def renew(self, shards: Collection[int]) -> set[int]:
        if self.fails:
            raise StoreFailed("no answer")
        return {*shards} if self.renews else set()

    def take(self, seen: Lease) -> Lease | None:
        return Lease(seen.shard, "me", seen.term + 1)

    def want(self, shard: int) -> None:
        self.wanted.append(shard)

    def release(self, lease: Lease) -> None:
        self.states[lease.shard] = LeaseState(Lease(lease.shard, "", lease.term), 0, is_wanted=False)


def state(shard: int, holder: str, left_ms: int, *, is_wanted: bool = False) -> LeaseState:
    return LeaseState(Lease(shard, holder, 1 if holder else 0), left_ms, is_wanted)


def test_a_host_takes_its_own_shard_at_once_and_another_only_when_nobody_has_it() -> None:
    leases = SetLeases(s0=state(0, "", 5_000), s1=state(1, "", 5_000), s2=state(2, "other", 900))
    holder = ShardHolder(leases, ShardChoice(1, 3))
    assert [lease.shard for lease in holder.update(0.0)] == [1]
    leases.states |= {0: state(0, "", -1), 2: state(2, "other", -1)}
    assert [lease.shard for lease in holder.update(LOOK_S)] == [0, 2]
    assert leases.wanted == []


def test_a_host_asks_for_its_own_shard_and_gives_back_what_another_asks_for() -> None:
    leases = SetLeases(s0=state(0, "other", 900), s1=state(1, "dead", -1))
    holder = ShardHolder(leases, ShardChoice(0, 2))
    assert [lease.shard for lease in holder.update(0.0)] == [1]
    assert leases.wanted == [0]
    leases.states[1] = state(1, "me", 900, is_wanted=True)
    holder.update(LOOK_S)
    assert holder.find_wanted() == [1]
    holder.release(1)
    leases.states[1] = LeaseState(Lease(1, "", 2), -1, is_wanted=True)
    assert holder.update(2 * LOOK_S) == []  # it is for the one that asked
    assert not holder.held


@pytest.mark.parametrize("how", ["fails", "is refused", "is late"])
def test_a_host_stops_before_its_lease_ends_if_that_is_not_renewed(how: str) -> None:
    leases = SetLeases(s0=state(0, "", 5_000))
    holder = ShardHolder(leases, ShardChoice(0, 1))
    holder.update(0.0)
    leases.fails, leases.renews = how == "fails", how != "is refused"
    leases.states[0] = state(0, "me", 900)
    if how != "is late":
        holder.update(RENEW_S)
    assert holder.drop_expired(RENEW_S) == ([0] if how == "is refused" else [])
    assert holder.drop_expired(ACT_S) == ([] if how == "is refused" else [0])
    assert not holder.held
