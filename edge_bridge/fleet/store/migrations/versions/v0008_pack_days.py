"""Version 8: what each pack did on each day, summed up once from its minutes."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0008"
down_revision: Final = "0007"

_SUMS: Final = "energy_out_wh energy_in_wh charge_out_ah charge_in_ah cycles reported_ms trip_out_wh trip_in_wh"


def upgrade() -> None:
    """Make the tables; mark each day that has roll-ups, so that the next upkeep sums it up."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    name, whole, real = ("TEXT", "INTEGER", "REAL") if is_sqlite else ('TEXT COLLATE "C"', "BIGINT", "DOUBLE PRECISION")
    end = " WITHOUT ROWID" if is_sqlite else ""
    sums = ", ".join(f"{column} {real} NOT NULL" for column in _SUMS.split())
    op.execute(
        f"CREATE TABLE pack_day (day {whole} NOT NULL, node {name} NOT NULL, {sums}, soh {real}, "
        f"last_ms {whole} NOT NULL, PRIMARY KEY (day, node)){end}"
    )
    op.execute(f"CREATE TABLE stale_day (day {whole} NOT NULL, node {name} NOT NULL, PRIMARY KEY (day, node)){end}")
    op.execute("INSERT INTO stale_day (day, node) SELECT DISTINCT start_ms / 86400000, node FROM hour")
