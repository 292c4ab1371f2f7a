"""The store of one shard: nothing is committed by a host whose lease has run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.errors import LeaseLost
from edge_bridge.fleet.store.leases import check_lease
from edge_bridge.fleet.store.postgres_store import PostgresStore

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import URL, Connection

    from edge_bridge.fleet.store.leases import Lease


class ShardStore(PostgresStore):
    """A `PostgresStore` whose `commit` raises `LeaseLost` unless the lease is held until its transaction ends."""

    def __init__(self, url: URL, lease: Lease) -> None:
        self._lease = lease
        super().__init__(url, session=lease.session)

    def _lock_nodes(self, connection: Connection, nodes: Collection[str]) -> None:
        if not check_lease(connection, self._lease):
            what = f"the lease of shard {self._lease.shard} has run out"
            raise LeaseLost(what, where=self._where, key="shard", value=self._lease.shard, hint="another host goes on")
        super()._lock_nodes(connection, nodes)
