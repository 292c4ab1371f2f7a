"""Rows produced, stored, stored twice and missing: counted from the tables as sets, without use of an index."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import orjson
from sqlalchemy import text

from edge_bridge.metrics import SHA256
from edge_bridge.ranges import Range, count_numbers, subtract, unite

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_bridge.metrics import Scalar

MAX_SHOWN: Final = 20  # ranges of missing rows that are listed one by one

_TWICE: Final = """
SELECT node, sum(times - 1) FROM (SELECT {key}, count(*) AS times FROM row GROUP BY {group}) AS counted
GROUP BY node"""
_KEY_OF: Final = {  # in SQLite `+node` is no name of the key, whose index would hide a row that was stored twice
    "sqlite": {"key": "+node AS node", "group": "+node, +boot, +seq"},
    "postgresql": {"key": "node", "group": "node, boot, seq"},  # the transaction uses no index
}
_ISLANDS: Final = """
SELECT node, boot, min(seq), max(seq) FROM (
    SELECT node, boot, seq, seq - dense_rank() OVER (PARTITION BY node, boot ORDER BY seq) AS island FROM row
) AS numbered GROUP BY node, boot, island"""
_GAPS: Final = "SELECT node, boot, first, last FROM gap"
_ARCHIVED: Final = "SELECT node, boot, first, last FROM archived_span"
_BOOTS: Final = "SELECT node, boot, 1, highest FROM boot"
_NODES: Final = "SELECT node, online, status, last_ms FROM node"


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """Rows of one node. `produced = stored + named + missing`; `named` are rows that only a gap names."""

    node: str
    online: bool
    bundle: str | None
    last_ms: int | None
    produced: int
    stored: int
    named: int
    missing: int
    duplicates: int
    missing_rows: tuple[str, ...]  # `boot:first-last`, the first few

    def as_json(self) -> dict[str, Any]:
        names = ("node", "online", "bundle", "last_ms", "produced", "stored", "duplicates", "missing", "missing_rows")
        return {name: getattr(self, name) for name in names} | {"rows": self.stored, "named_in_gaps": self.named}


def parse_status(content: Any) -> dict[str, Scalar] | None:
    """Parse a status; return None for a damaged one, which must not read as one that was never reported."""
    status: Any
    try:
        status = orjson.loads(content)
    except orjson.JSONDecodeError:  # for instance `NaN`, which `json` writes and reads
        try:
            status = json.loads(content)
        except (ValueError, TypeError, RecursionError):
            return None
    return cast("dict[str, Scalar]", status) if isinstance(status, dict) else None


def summarise(connection: Connection) -> list[NodeSummary]:
    """Return a summary of each known node, and of each node whose rows are here or in the archive, by name."""
    words = _TWICE.format(**_KEY_OF[connection.dialect.name])
    twice = {str(node): int(times) for node, times in connection.execute(text(words))}
    stored, gaps = _read_by_boot(connection, _ISLANDS), _read_by_boot(connection, _GAPS)
    for (node, boot), ranges in _read_by_boot(connection, _ARCHIVED).items():
        here = stored[node, boot]
        both = count_numbers(here) + count_numbers(ranges) - count_numbers([*here, *ranges])
        twice[node] = twice.get(node, 0) + both
        here += ranges
    reported = _read_by_boot(connection, _BOOTS)
    found = list[NodeSummary]()
    boots = defaultdict[str, set[str]](set)
    for node, boot in (*stored, *gaps, *reported):
        boots[node].add(boot)
    known = {node: (online, status, last_ms) for node, online, status, last_ms in connection.execute(text(_NODES))}
    for node in sorted({*known, *boots}):
        online, status, last_ms = known.get(node, (False, None, None))
        produced = named = here = 0
        missing = list[tuple[str, Range]]()
        for boot in sorted(boots[node]):
            key = (node, boot)
            whole = unite([(1, max(last for _, last in (*stored[key], *gaps[key], *reported[key])))])
            here += count_numbers(stored[key])
            produced += count_numbers(whole)
            named += count_numbers(subtract(gaps[key], stored[key]))
            missing += [(boot, rows) for rows in subtract(whole, [*stored[key], *gaps[key]])]
        found.append(
            NodeSummary(
                node=node,
                online=bool(online),
                bundle=_find_bundle(status),
                last_ms=last_ms,
                produced=produced,
                stored=here,
                named=named,
                missing=size_of(missing),
                duplicates=twice.get(node, 0),
                missing_rows=tuple(f"{boot}:{first}-{last}" for boot, (first, last) in missing[:MAX_SHOWN]),
            )
        )
    return found


def size_of(missing: list[tuple[str, Range]]) -> int:
    """Return the number of rows in the ranges of all boots."""
    return sum(last - first + 1 for _, (first, last) in missing)


def _find_bundle(status: Any) -> str | None:
    bundle = (parse_status(status) or {}).get(SHA256)
    return bundle if isinstance(bundle, str) else None


def _read_by_boot(connection: Connection, select: str) -> defaultdict[tuple[str, str], list[Range]]:
    found = defaultdict[tuple[str, str], "list[Range]"](list)
    for node, boot, first, last in connection.execute(text(select)):
        found[node, boot].append((int(first), int(last)))
    return found
