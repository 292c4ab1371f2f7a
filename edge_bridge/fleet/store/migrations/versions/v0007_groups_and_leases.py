"""Version 7: a node has a group; hosts share the groups by leases of shards."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0007"
down_revision: Final = "0006"

_LEASE: Final = """CREATE TABLE lease (
    shard BIGINT PRIMARY KEY, holder TEXT NOT NULL, until_ms BIGINT NOT NULL, term BIGINT NOT NULL,
    wanted_ms BIGINT NOT NULL)"""


def upgrade() -> None:
    """Add the group, which the next birth of each node fills, and the leases, which only a server has."""
    op.execute("ALTER TABLE node ADD COLUMN group_id TEXT NOT NULL DEFAULT ''")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_LEASE)
