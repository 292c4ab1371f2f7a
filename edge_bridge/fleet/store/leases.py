"""Leases of shards in PostgreSQL: each has one holder at a time, by compare-and-set on the clock of the database.

A commit of a shard checks its lease under a shared lock, a takeover changes it under the exclusive one: so whoever was
stopped longer than its lease can write no more. What it has left open on the server is ended by the takeover.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from drivers.errors import Usage
from edge_bridge.fleet.store.postgres_server import CONNECT_TIMEOUT_S
from edge_bridge.fleet.store.sql_store import make_failure

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping

    from sqlalchemy import URL, Connection

LEASE_MS: Final = 6_000
WANTED_MS: Final = 3_000  # so long after its own host asked for a shard another one gives it back
_SHARD_LOCK: Final = 0x5044  # the first key of the advisory locks of shards
_SETTINGS: Final = "-c lock_timeout=2s -c statement_timeout=2s"
_NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_READ: Final = text(f"SELECT shard, holder, until_ms - {_NOW}, term, {_NOW} - wanted_ms FROM lease ORDER BY shard")  # noqa: S608  # our own words, here and below
_RENEW: Final = text(f"""
UPDATE lease SET until_ms = {_NOW} + :lease WHERE holder = :holder AND shard = ANY(:shards) AND until_ms > {_NOW}
RETURNING shard""")  # noqa: S608
_TAKE: Final = text(f"""
UPDATE lease SET holder = :holder, until_ms = {_NOW} + :lease, term = term + 1, wanted_ms = 0
WHERE shard = :shard AND term = :term AND (holder = '' OR until_ms < {_NOW}) RETURNING term""")  # noqa: S608
_RELEASE: Final = text(f"""
UPDATE lease SET holder = '', until_ms = {_NOW} WHERE shard = :shard AND holder = :holder AND term = :term""")  # noqa: S608
_WANT: Final = text(f"UPDATE lease SET wanted_ms = {_NOW} WHERE shard = :shard")  # noqa: S608
_MAKE: Final = text(
    f"INSERT INTO lease SELECT shard, '', {_NOW} + :lease, 0, 0 FROM generate_series(0, :count - 1) shard"  # noqa: S608
)
_COUNT: Final = text(f"SELECT count(*), coalesce(max(until_ms) FILTER (WHERE holder <> ''), 0) - {_NOW} FROM lease")  # noqa: S608
_END_SESSIONS: Final = text("""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = :name AND pid <> pg_backend_pid()""")
_LOCK_ALONE: Final = text("SELECT pg_advisory_xact_lock(:first, :shard)")
_LOCK_SHARED: Final = text("SELECT pg_advisory_xact_lock_shared(:first, :shard)")
_IS_HELD: Final = text(f"""
SELECT 1 FROM lease WHERE shard = :shard AND holder = :holder AND term = :term AND until_ms > {_NOW}""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Lease:
    """A shard that `holder` has; `term` increases by 1 with each holder."""

    shard: int
    holder: str
    term: int

    @property
    def session(self) -> str:
        """Return the name under which the holder writes this shard, for whoever takes it over."""
        return f"pulsebms {self.holder} {self.shard}"


@dataclass(frozen=True, slots=True)
class LeaseState:
    """A row of the table: the lease, what is left of it, and whether the host that prefers the shard waits for it."""

    lease: Lease
    left_ms: int
    is_wanted: bool

    @property
    def is_free(self) -> bool:
        return self.left_ms < 0 or (not self.lease.holder and self.lease.term > 0)


class LeaseTable:
    """The leases as one host sees and changes them; every method raises `StoreFailed`."""

    def __init__(self, url: URL, holder: str) -> None:
        """`holder` is unique among all hosts and starts."""
        self._where, self._holder = url.render_as_string(hide_password=True), holder
        options = " ".join([*[str(value) for value in [url.query.get("options")] if value], _SETTINGS])
        connect = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": f"pulsebms {holder}", "options": options}
        driver = url.set(drivername="postgresql+psycopg")
        self._engine = create_engine(driver, pool_size=1, max_overflow=0, pool_pre_ping=True, connect_args=connect)

    def prepare(self, shards: int) -> None:
        """Make the leases of so many shards; raise `Usage` if running hosts share the groups among another number."""
        with self._begin() as connection:
            connection.execute(text("LOCK TABLE lease IN EXCLUSIVE MODE"))
            count, left_ms = connection.execute(_COUNT).one()
            if count == shards:
                return
            if left_ms > 0:
                words = f"the hosts that run share their groups among {count} shards, not {shards}"
                raise Usage(words, where=self._where, key="shard", value=shards, bound=count, hint="stop them first")
            connection.execute(text("DELETE FROM lease"))
            connection.execute(_MAKE, {"lease": LEASE_MS, "count": shards})

    def read(self) -> dict[int, LeaseState]:
        """Read the leases by shard."""
        with self._begin() as connection:
            rows = connection.execute(_READ).all()
        return {
            shard: LeaseState(Lease(shard, holder, term), left_ms, waited_ms < WANTED_MS)
            for shard, holder, left_ms, term, waited_ms in rows
        }

    def renew(self, shards: Collection[int]) -> set[int]:
        """Renew leases that have not run out; return those that are held."""
        asked = {"lease": LEASE_MS, "holder": self._holder, "shards": list(shards)}
        with self._begin() as connection:
            return {shard for (shard,) in connection.execute(_RENEW, asked)}

    def take(self, seen: Lease) -> Lease | None:
        """Take a free shard, and end the sessions of its holder before; return None if another host was faster."""
        asked = {"lease": LEASE_MS, "holder": self._holder, "shard": seen.shard, "term": seen.term}
        if seen.holder:
            with self._begin() as connection:
                connection.execute(_END_SESSIONS, {"name": seen.session})
        with self._begin() as connection:
            connection.execute(_LOCK_ALONE, {"first": _SHARD_LOCK, "shard": seen.shard})
            term = connection.execute(_TAKE, asked).scalar()
        return None if term is None else Lease(seen.shard, self._holder, int(term))

    def want(self, shard: int) -> None:
        """Ask whoever holds a shard in place of its own host to give it back."""
        with self._begin() as connection:
            connection.execute(_WANT, {"shard": shard})

    def release(self, lease: Lease) -> None:
        """Give a shard free, so that another host takes it at once."""
        with self._begin() as connection:
            connection.execute(_RELEASE, _as_values(lease))

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _begin(self) -> Generator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise make_failure(self._where, error) from error


def check_lease(connection: Connection, lease: Lease) -> bool:
    """Return whether the lease is held, which stays so until the transaction ends."""
    connection.execute(_LOCK_SHARED, {"first": _SHARD_LOCK, "shard": lease.shard})
    return connection.execute(_IS_HELD, _as_values(lease)).scalar() is not None


def _as_values(lease: Lease) -> Mapping[str, int | str]:
    return {"shard": lease.shard, "holder": lease.holder, "term": lease.term}
