"""A real PostgreSQL server for tests: its own folder, a Unix socket in it, no port; ended by its process id."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from psycopg import sql

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

USER: Final = "postgres"  # of the server and, where the tests run as root, of its processes: it refuses to run as root
PLACES: Final = "/usr/lib/postgresql/*/bin"  # Debian's, outside the PATH


def find_programs() -> Path | None:
    """Return the folder with `initdb` and `postgres`, None where no server is installed."""
    found = [*sorted(Path("/").glob(PLACES[1:]), reverse=True), *map(Path, os.environ.get("PATH", "").split(":"))]
    return next((folder for folder in found if (folder / "initdb").is_file() and (folder / "postgres").is_file()), None)


@dataclass
class PostgresServer:
    """A server that commits to the disk as a real one does (`fsync` on)."""

    programs: Path
    folder: Path
    process: subprocess.Popen[Any] | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def make_database(self) -> str:
        """Return the URL of a new, empty schema: as good as a database of its own, and made in no time."""
        name = f"test_{next(self._numbers)}"
        with self._connect() as connection:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        return f"postgresql://{USER}@/postgres?host={self.folder}&options=-csearch_path%3D{name}"

    def init(self) -> None:
        words = ("-D", str(self.folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        subprocess.run([self.programs / "initdb", *words], **self._options(), check=True)

    def start(self) -> None:
        words = (
            "-D",
            str(self.folder / "data"),
            "-k",
            str(self.folder),
            "-c",
            "listen_addresses=",
            "-c",
            "shared_buffers=16MB",
        )
        self.process = subprocess.Popen([self.programs / "postgres", *words], **self._options())
        wait_until(self._answers, 30.0, "an answer of the server", every_s=0.05)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End the server, at once for SIGQUIT: then it recovers at its next start."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(timeout=30.0)
        self.process = None

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(host=str(self.folder), user=USER, dbname="postgres", autocommit=True, connect_timeout=5)

    def _options(self) -> dict[str, Any]:
        who: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        return {"cwd": self.folder, **who, **quiet}


def serve() -> Generator[PostgresServer]:
    """Serve until the generator is closed; skip the test where no server is installed."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pulse-pg-"))
    server = PostgresServer(programs, folder)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER, USER)
        server.init()
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.stop(signal.SIGQUIT)  # nobody needs its data any more
        shutil.rmtree(folder, ignore_errors=True)
