"""Version 6: people: accounts, roles, sessions, API tokens."""

from __future__ import annotations

from typing import Final

from alembic import op

revision: Final = "0006"
down_revision: Final = "0005"


def upgrade() -> None:
    """Make the tables, the same in both databases but for the types."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    name, number = ("TEXT", "INTEGER") if is_sqlite else ('TEXT COLLATE "C"', "BIGINT")
    for statement in (
        f"""CREATE TABLE account (
    name {name} PRIMARY KEY, password TEXT NOT NULL, made_ms {number} NOT NULL, password_ms {number} NOT NULL,
    disabled_ms {number})""",
        f"""CREATE TABLE role_grant (
    account {name} NOT NULL, role {name} NOT NULL, site {name} NOT NULL, PRIMARY KEY (account, role, site))""",
        f"""CREATE TABLE session (
    hash {name} PRIMARY KEY, account {name} NOT NULL, made_ms {number} NOT NULL, used_ms {number} NOT NULL,
    address TEXT NOT NULL)""",
        "CREATE INDEX session_of ON session (account)",
        f"""CREATE TABLE api_token (
    id {name} PRIMARY KEY, hash {name} NOT NULL UNIQUE, account {name} NOT NULL, title TEXT NOT NULL,
    scopes TEXT NOT NULL, made_ms {number} NOT NULL, expires_ms {number} NOT NULL)""",
        "CREATE INDEX api_token_of ON api_token (account)",
    ):
        op.execute(statement)
