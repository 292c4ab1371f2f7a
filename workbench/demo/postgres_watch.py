"""End the PostgreSQL server of a process that was killed and delete its folder: `python -m ... FOLDER`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from workbench.own_command import make_own_environment

if TYPE_CHECKING:
    from collections.abc import Generator

DATA: Final = "data"
STOP_S: Final = 10.0


@contextmanager
def watch_folder(folder: Path) -> Generator[None]:
    """Watch from a process of its own: it acts if this one is killed before the block ends."""
    command = [sys.executable, "-P", "-m", __name__, str(folder)]
    watch = subprocess.Popen(  # noqa: S603  # ourselves
        command,
        stdin=subprocess.PIPE,  # it ends with this process
        stdout=subprocess.DEVNULL,
        env=make_own_environment(),
        start_new_session=True,  # Ctrl-C is for the demo
    )
    try:
        yield
    finally:
        watch.kill()  # before it sees the end of the pipe: the block has ended the server
        watch.communicate()


def main(folder: Path) -> None:
    """Wait for the end of stdin; then end the programs that run on the data of `folder`, and delete it."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    programs = [process for process in psutil.process_iter() if _uses(process, str(folder / DATA))]
    for program in programs:
        with suppress(psutil.NoSuchProcess):
            program.send_signal(signal.SIGINT)
    _, left = psutil.wait_procs(programs, STOP_S)
    for program in left:
        with suppress(psutil.NoSuchProcess):
            program.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _uses(process: psutil.Process, data: str) -> bool:
    """Return whether the process has the folder as an argument, as `initdb` and `postgres` do."""
    try:
        return data in process.cmdline()
    except psutil.Error:
        return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
