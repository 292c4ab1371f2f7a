"""Version 2: rows with health, in an SQLite file; a file of version 1 gets the columns that it lacks."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = None

_REALS: Final = "current_a voltage_v soc soc_std cell_min_v cell_max_v temperature_max_k"
_HEALTH: Final = "soh soh_std soh_min resistance_growth resistance_growth_std"
_TABLES: Final = (
    f"""CREATE TABLE row (
    node TEXT NOT NULL, boot TEXT NOT NULL, seq INTEGER NOT NULL,
    t_ms INTEGER NOT NULL, historical INTEGER NOT NULL, clock TEXT NOT NULL,
    gap_boot TEXT, gap_first INTEGER, gap_last INTEGER,
    {", ".join(f"{name} REAL" for name in _REALS.split())}, bms_state INTEGER, bms_fault INTEGER,
    gate_verdict TEXT, gate_reason TEXT, {", ".join(f"{name} REAL" for name in _HEALTH.split())},
    PRIMARY KEY (node, boot, seq)) WITHOUT ROWID""",
    """CREATE TABLE boot (
    node TEXT NOT NULL, boot TEXT NOT NULL,
    highest INTEGER NOT NULL, stored INTEGER NOT NULL, named INTEGER NOT NULL,
    PRIMARY KEY (node, boot)) WITHOUT ROWID""",
    "CREATE TABLE gap (node TEXT NOT NULL, boot TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL)",
    "CREATE INDEX gap_of ON gap (node, boot, last)",
    """CREATE TABLE node (
    node TEXT PRIMARY KEY, online INTEGER NOT NULL, last_ms INTEGER, status TEXT NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE birth (node TEXT NOT NULL, t_ms INTEGER NOT NULL, bd_seq INTEGER NOT NULL, bundle TEXT)",
    """CREATE TABLE counter (
    kind TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (kind, reason)) WITHOUT ROWID""",
)


def upgrade() -> None:
    """Make the tables in a new SQLite file; there was no other database at this version."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    inspector = sa.inspect(connection)
    if not inspector.has_table("row"):
        for statement in _TABLES:
            op.execute(statement)
        return
    known = {column["name"] for column in inspector.get_columns("row")}
    for name in _HEALTH.split():
        if name not in known:
            op.execute(f"ALTER TABLE row ADD COLUMN {name} REAL")
