"""The tables of people as SQLAlchemy sees them; the migrations make them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

_tables: Final = MetaData()
ACCOUNT: Final = Table(
    "account",
    _tables,
    Column("name", Text, primary_key=True),
    Column("password", Text),  # Argon2id, with its parameters and salt
    Column("made_ms", BigInteger),
    Column("password_ms", BigInteger),  # when the password was set
    Column("disabled_ms", BigInteger),  # null: may sign in
)
ROLE_GRANT: Final = Table(
    "role_grant",
    _tables,
    Column("account", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("site", Text, primary_key=True),
)
SESSION: Final = Table(
    "session",
    _tables,
    Column("hash", Text, primary_key=True),  # of the secret in the cookie
    Column("account", Text),
    Column("made_ms", BigInteger),
    Column("used_ms", BigInteger),
    Column("address", Text),
)
API_TOKEN: Final = Table(
    "api_token",
    _tables,
    Column("id", Text, primary_key=True),
    Column("hash", Text),  # of the secret
    Column("account", Text),
    Column("title", Text),
    Column("scopes", Text),  # grants as JSON: [[role, site], ...]
    Column("made_ms", BigInteger),
    Column("expires_ms", BigInteger),
)
