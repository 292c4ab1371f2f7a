"""The version of a fleet's database, and the migrations to this program's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, text

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION: Final = 8
VERSION_TABLE: Final = "pulsebms_version"  # its name says whose database this is
_FOLDER: Final = Path(__file__).with_name("migrations")


def read_version(connection: Connection) -> int:
    """Return the version that the database's own table names, 0 without one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return 0
    return int(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or 0)  # noqa: S608  # our own name


def migrate(connection: Connection) -> None:
    """Bring the database to `VERSION`, within the transaction and under the lock of the caller."""
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415  # a current database needs none of it
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    scripts = ScriptDirectory(str(_FOLDER))

    def find_steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs(f"{VERSION:04}", revision)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as alembic's own command calls it

    with EnvironmentContext(_config(), scripts, fn=find_steps) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()


def _config() -> Any:
    from alembic.config import Config  # noqa: PLC0415

    return Config()
