"""Rows produced, stored, stored twice and missing: counted from the tables as sets, without use of an index."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edge_bridge.ranges import Range, count_numbers, subtract, unite

if TYPE_CHECKING:
    import sqlite3

MAX_SHOWN: Final = 20  # ranges of missing rows that are listed one by one

# `+node` and the like: the key's own index would hide a row that was stored twice in spite of it.
_TWICE: Final = """
SELECT node, sum(times - 1) FROM (SELECT +node AS node, count(*) AS times FROM row GROUP BY +node, +boot, +seq)
GROUP BY node"""
_ISLANDS: Final = """
SELECT node, boot, min(seq), max(seq) FROM (
    SELECT node, boot, seq, seq - dense_rank() OVER (PARTITION BY node, boot ORDER BY seq) AS island FROM row)
GROUP BY node, boot, island"""

_BUNDLE: Final = """CASE WHEN json_valid(status) THEN json_extract(status, '$."Bundle/Sha256"') END"""
_NODES: Final = f"SELECT node, online, {_BUNDLE}, last_ms FROM node"  # noqa: S608  # our own words


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


def summarise(database: sqlite3.Connection) -> list[NodeSummary]:
    """Return a summary of each known node, and of each node whose rows are here, by name."""
    twice = dict[str, int](database.execute(_TWICE))
    stored, gaps = _read_by_boot(database, _ISLANDS), _read_by_boot(database, "SELECT node, boot, first, last FROM gap")
    reported = _read_by_boot(database, "SELECT node, boot, 1, highest FROM boot")
    found = list[NodeSummary]()
    boots = defaultdict[str, set[str]](set)
    for node, boot in (*stored, *gaps, *reported):
        boots[node].add(boot)
    known = {node: (online, bundle, last_ms) for node, online, bundle, last_ms in database.execute(_NODES)}
    for node in sorted({*known, *boots}):
        online, bundle, last_ms = known.get(node, (False, None, None))
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
                bundle=bundle,
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


def _read_by_boot(database: sqlite3.Connection, select: str) -> defaultdict[tuple[str, str], list[Range]]:
    found = defaultdict[tuple[str, str], "list[Range]"](list)
    for node, boot, first, last in database.execute(select):
        found[node, boot].append((first, last))
    return found
