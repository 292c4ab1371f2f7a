"""What the tables hold, counted by a query of its own, beside what the devices made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, make_url, text

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNT: Final = text("""
SELECT boot, count(*) AS stored, sum(copies - 1) AS twice, max(seq) AS newest
FROM (SELECT boot, seq, count(*) AS copies FROM row GROUP BY node, boot, seq) AS key GROUP BY boot""")


@dataclass(frozen=True, slots=True)
class RowBalance:
    """Rows that devices made and that are in no table, and rows that are there more than once."""

    made: int
    lost: int
    twice: int


def make_schema(url: str, name: str) -> str:
    """Make an empty schema in the database; return the URL of a fleet in it."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    engine.dispose()
    return f"{url}&options=-csearch_path%3D{name}"


def count_rows(url: str, produced: Mapping[str, int]) -> RowBalance:
    """Count; `produced` are the rows of each boot. A row that no device made counts as one stored twice."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        found = {row.boot: (row.stored, int(row.twice), row.newest) for row in connection.execute(_COUNT)}
    engine.dispose()
    lost = twice = 0
    for boot, made in produced.items():
        stored, more, newest = found.pop(boot, (0, 0, 0))
        lost += made - stored
        twice += more + max(0, newest - made)
    return RowBalance(sum(produced.values()), lost, twice + sum(stored for stored, _, _ in found.values()))
