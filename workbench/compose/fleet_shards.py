"""One host of several, put together from the options of `fleet`."""

from __future__ import annotations

import re
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import Usage
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.shard_choice import parse_shard

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from sqlalchemy import URL

    from edge_bridge.fleet.meter import FleetMeter
    from edge_bridge.fleet.shard_choice import ShardChoice
    from edge_bridge.fleet.sharded_fleet import ShardedFleet
    from edge_bridge.fleet.tap import FleetTap


def choose_shard(shard: str, address: Path | URL, *, archive: Path | None, defect: str) -> ShardChoice | None:
    """Parse `I/N`, None if it is empty; raise `Usage` for that, and for what one host of several cannot do."""
    if not shard:
        return None
    choice = parse_shard(shard)
    if isinstance(address, Path) or defect:
        words = "shards need a PostgreSQL server, because an SQLite file has one writer"
        raise Usage(words, key="shard", value=shard, hint="add --store postgresql://USER@HOST/DATABASE")
    if archive is not None:
        words = "the hosts of shards have no archive, because its folder is on one machine"
        hint = "run fleet upkeep --archive DIR regularly on that machine"
        raise Usage(words, key="archive", value=str(archive), hint=hint)
    return choice


def open_shards(
    url: str,
    server: URL,
    choice: ShardChoice,
    *,
    groups: Iterable[str],
    host: str,
    admitted: Container[str] | None,
    tap: FleetTap | None,
    meter: FleetMeter | None,
    identity: Path | None,
) -> ShardedFleet:
    """Return the host, under a name that no other start has."""
    from edge_bridge.fleet.sharded_fleet import ShardedFleet  # noqa: PLC0415  # it needs the driver of PostgreSQL

    machine = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:20]
    return ShardedFleet(
        url,
        server,
        read_clocks,
        groups=groups,
        choice=choice,
        holder=f"{machine}-{secrets.token_hex(4)}",
        host=host,
        admitted=admitted,
        tap=tap,
        meter=meter,
        identity=identity,
    )
