"""PostgreSQL's own programs for backups: which ones this machine has, and how they reach the server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drivers.errors import BenchError, Usage

if TYPE_CHECKING:
    from sqlalchemy import URL

PLACES: Final = "usr/lib/postgresql/*/bin"  # Debian's, outside the PATH
NAMES: Final = ("pg_dump", "pg_restore", "psql")
_VERSION: Final = re.compile(r"\s(\d+)[.\d]*(?:\w*)(?:\s|$)")
_VARIABLES: Final = {  # that libpq reads, by the words of a URL: a command line would show them to everybody
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "passfile": "PGPASSFILE",
    "host": "PGHOST",
    "port": "PGPORT",
}


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The folder with `pg_dump`, `pg_restore` and `psql`, and their major version."""

    folder: Path
    major: int

    def command(self, name: str, *words: str) -> list[str]:
        return [str(self.folder / name), *words]


def find_programs(at_least: int, root: Path = Path("/")) -> PostgresPrograms:
    """Return the newest programs; raise `BenchError` if none has the major version `at_least`."""
    in_path = [Path(found).parent for found in [shutil.which("pg_dump")] if found]
    folders = [folder for folder in [*root.glob(PLACES), *in_path] if all((folder / name).exists() for name in NAMES)]
    found = [PostgresPrograms(folder, major) for folder in folders if (major := _read_major(folder))]
    newest = max(found, key=lambda programs: programs.major, default=None)
    if newest is not None and newest.major >= at_least:
        return newest
    which = f"only those of version {newest.major}" if newest else "none of them"
    raise BenchError(
        f"backups need pg_dump, pg_restore and psql of PostgreSQL {at_least} or newer, this machine has {which}",
        key="programs",
        value=newest.major if newest else None,
        bound=at_least,
        hint=f"install them, for instance: apt install postgresql-client-{at_least}",
    )


def make_environment(url: URL) -> dict[str, str]:
    """Return the environment in which the programs reach the server of a URL; raise `Usage` for an unknown option."""
    given = {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    given["PGDATABASE"] = url.database
    for name, value in url.query.items():
        if name not in _VARIABLES:
            hint = f"known options: {', '.join(_VARIABLES)}"
            raise Usage(f"backups do not know the option {name} of the URL", key="store", value=name, hint=hint)
        given[_VARIABLES[name]] = value if isinstance(value, str) else ",".join(value)
    environment = {**os.environ, "PGAPPNAME": "pulsebms backup", "PGCONNECT_TIMEOUT": "5"}
    return environment | {name: str(value) for name, value in given.items() if value is not None}


def _read_major(folder: Path) -> int:
    try:
        command = [str(folder / NAMES[0]), "--version"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10.0).stdout  # noqa: S603  # PostgreSQL's own program
    except (OSError, subprocess.SubprocessError):
        return 0
    found = _VERSION.search(told)
    return int(found.group(1)) if found else 0
