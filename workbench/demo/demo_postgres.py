"""A PostgreSQL server of the demo: its own folder, a Unix socket in it, no port; ended by its process."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import psutil

from drivers.clock import monotonic
from drivers.errors import StoreFailed
from workbench.demo.postgres_watch import DATA, watch_folder

if TYPE_CHECKING:
    from collections.abc import Generator

USER: Final = "postgres"  # of the server; and of its processes if root starts it, because it refuses to run as root
PLACES: Final = "usr/lib/postgresql/*/bin"  # Debian's, outside the PATH
START_S, STOP_S = 30.0, 20.0
LOOK_S: Final = 0.05
FULL: Final = os.strerror(errno.ENOSPC)


def find_server() -> Path | None:
    """Return the folder with `initdb` and `postgres` of the newest version, None where no server is installed."""
    in_path = [Path(found).parent for found in [shutil.which("initdb")] if found]
    folders = [*sorted(Path("/").glob(PLACES), key=_read_version, reverse=True), *in_path]
    return next((one for one in folders if (one / "initdb").is_file() and (one / "postgres").is_file()), None)


class OwnPostgres:
    """A server whose files lie in `folder`, which must have a short path: that of a Unix socket is limited."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """Make a new and empty database; raise `StoreFailed`."""
        self._programs, self._folder = programs, folder
        self._options = _choose_user(folder)
        self._process: subprocess.Popen[Any] | None = None
        words = ["-D", str(folder / DATA), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"]
        _run([str(programs / "initdb"), *words], self._options)

    @property
    def url(self) -> str:
        return f"postgresql://{USER}@/postgres?host={self._folder}"

    @property
    def pid(self) -> int:
        """The process of the server, 0 while none runs."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it, after a crash too, and wait until it accepts connections; raise `StoreFailed`."""
        words = ["-D", str(self._folder / DATA), "-k", str(self._folder), "-c", "listen_addresses="]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = _launch([str(self._programs / "postgres"), *words], self._options, log)
        _wait(self._process, self._folder)

    def stop(self) -> None:
        """End it in order; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Send SIGKILL to all its processes, as a crash of the machine would."""
        process, self._process = self._process, None
        if process is None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait()
        psutil.wait_procs(children, STOP_S)


@contextmanager
def serve_postgres(programs: Path) -> Generator[str]:
    """Serve a new and empty database until the block ends; yield its URL. Raise `StoreFailed`.

    The folder lies in the folder for temporary files: a path of a Unix socket must be short.
    """
    with open_postgres(programs) as server:
        yield server.url


@contextmanager
def open_postgres(programs: Path) -> Generator[OwnPostgres]:
    """Yield a server that runs, which may be killed and started again. Raise `StoreFailed`."""
    with (
        tempfile.TemporaryDirectory(prefix="pulsebms-pg-", ignore_cleanup_errors=True) as name,
        watch_folder(Path(name)),
    ):
        server = OwnPostgres(programs, Path(name))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _choose_user(folder: Path) -> dict[str, Any]:
    if os.geteuid():
        return {"cwd": folder}
    shutil.chown(folder, USER, USER)
    return {"cwd": folder, "user": USER, "group": USER, "extra_groups": []}


def _run(command: list[str], options: dict[str, Any]) -> None:
    process = _launch(command, options, subprocess.PIPE)
    _, told = process.communicate()
    if process.returncode:
        lines = told.decode("utf-8", "replace").strip().splitlines() or [f"ended with status {process.returncode}"]
        line = next((one for one in lines if FULL in one), lines[-1])
        hint = "free some space in the folder for temporary files, or start the demo with --sqlite"
        raise StoreFailed(f"the database cannot be made: {Path(command[0]).name}: {line}", key="store", hint=hint)


def _launch(command: list[str], options: dict[str, Any], output: int | IO[bytes]) -> subprocess.Popen[Any]:
    return subprocess.Popen(  # noqa: S603  # PostgreSQL's own program
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C is for the demo, which ends it in order
        **options,
    )


def _wait(process: subprocess.Popen[Any], folder: Path) -> None:
    """Wait until the server accepts connections: it writes `ready` into its pid file."""
    state, until_s = folder / DATA / "postmaster.pid", monotonic() + START_S
    while monotonic() < until_s and process.poll() is None:
        lines = state.read_text(encoding="ascii").split() if state.exists() else []
        if lines[:1] == [str(process.pid)] and lines[-1:] == ["ready"]:  # not those of a server that was killed
            return
        time.sleep(LOOK_S)
    words = (folder / "postgres.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise StoreFailed(f"PostgreSQL does not start: {words[-1] if words else 'no answer'}", key="store")


def _read_version(folder: Path) -> int:
    version = folder.parent.name
    return int(version) if version.isdecimal() else 0
