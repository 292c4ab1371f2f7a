"""Locks, so that one workbench uses an instrument: a file per resolved address, held with flock while a process lives.

The kernel holds the lock, not the file's existence: a process that dies releases it, however it dies. A guard that
receives `for_guard` shares the lock, and so holds the bench after its engine has died.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import re
import socket
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import reduction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from drivers.errors import BenchHeld
from drivers.processes import is_alive

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOLDER: Final = "PULSEBMS_LOCKS"  # an environment variable that names another folder
NAME: Final = "pulsebms-locks"
OLD_S: Final = 3600.0  # a lock file that is not held and was not taken for so long is removed
GUARD_S: Final = 5.0  # how long the guard of a dead engine may take to release the lock
LOOK_S: Final = 0.1  # between two attempts to take a lock
_AT: Final = 1 << 30  # where Windows locks a byte: after the text, which others must read
_MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds an address: a process by number and name, its user, the bench, since when (UTC, ISO 8601)."""

    process: int
    name: str
    user: str
    bench: str
    started: str

    @property
    def sentence(self) -> str:
        gone = "" if is_alive(self.process) else ", which has ended but whose guard still holds the lock"
        who = f"process {self.process} ({self.name}) of user {self.user}{gone}"
        return f"{who}, with bench {self.bench}, since {self.started}"


def this_process(bench: str) -> Holder:
    """Return this process as a holder of `bench`."""
    with contextlib.suppress(Exception):  # a container may know no name for its user
        return Holder(os.getpid(), _program(), getpass.getuser(), bench, _now())
    return Holder(os.getpid(), _program(), str(getattr(os, "getuid", lambda: "?")()), bench, _now())


def resolve(address: str) -> tuple[str, ...]:
    """Return every numeric `host:port` of a `host:port`; the address itself if no name service knows it."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return (address.lower(),)
    return tuple(sorted({f"{place[4][0]}:{port}" for place in found}))


def can_address(interface: str, channel: str) -> str:
    """Return the address of a CAN adapter."""
    return f"can {interface} {channel}".lower()


def holder(address: str) -> str:
    """Return a sentence on who holds `address` now, empty if nobody does; keep no lock."""
    path = _path(_folder(), address)
    if not path.exists():
        return ""
    try:
        lock = _open(path)
    except BenchHeld as held:
        return held.sentence
    if lock is None:
        return _is_held(path, address).sentence
    os.close(lock)
    return ""


def find_holders() -> tuple[Holder, ...]:
    """Return the live processes that hold an address on this machine, each once; keep no lock."""
    found: dict[int, Holder] = {}
    for path in _folder().glob("*.lock"):
        with contextlib.suppress(OSError, BenchHeld):
            lock = _open(path)
            if lock is not None:
                os.close(lock)
            elif (holds := _read(path)) is not None and is_alive(holds.process):
                found[holds.process] = holds
    return tuple(found.values())


class BenchLock:
    """The locks of one session."""

    def __init__(self, files: dict[str, int]) -> None:
        """Take the open `files` by address; call `take` to make a lock."""
        self._files = files

    @classmethod
    def take(
        cls,
        addresses: Iterable[str],
        bench: str,
        *,
        guard_s: float = GUARD_S,
        wait: Callable[[float], object] = time.sleep,
    ) -> Self:
        """Lock every address or none; raise `BenchHeld` with the holder of the first that is held.

        If the engine that holds a lock has died, its guard still holds it and is about to verify off: wait at most
        `guard_s` for that.
        """
        folder = _folder()
        _sweep(folder)
        lock = cls({})
        waited_s = 0.0
        try:
            for address in dict.fromkeys(addresses):
                path = _path(folder, address)
                while (file := _open(path, make=True)) is None:
                    if waited_s >= guard_s or not _is_left_behind(path):
                        raise _is_held(path, address)  # noqa: TRY301  # the locks taken so far are released below
                    wait(LOOK_S)
                    waited_s += LOOK_S
                lock._files[address] = file
                _write(file, this_process(bench))
        except BaseException:
            lock.release()
            raise
        return lock

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(self._files)

    def release(self) -> None:
        """Release the locks; a guard that shares them still holds them."""
        while self._files:
            os.close(self._files.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def for_guard(self) -> SharedLock:
        """Return the locks for the guard's process, which receives them at its start."""
        return SharedLock(self._files)


class SharedLock:
    """The engine's locks, sent to its guard. POSIX shares the open file; on Windows the guard must lock again."""

    def __init__(self, files: dict[str, int]) -> None:
        self._files = files

    def __reduce__(self) -> tuple[Any, ...]:
        if fcntl is None:
            return _again, (tuple(self._files),)
        return _shared, ({address: reduction.DupFd(file) for address, file in self._files.items()},)

    def hold(self) -> None:
        """Hold the locks alone, once the engine is gone; do nothing for a shared lock."""
        for address, file in self._files.items():
            if file < 0 and (taken := _open(_path(_folder(), address), make=True)) is not None:
                self._files[address] = taken

    def release(self) -> None:
        while self._files:
            file = self._files.popitem()[1]
            if file >= 0:
                os.close(file)


def _shared(files: dict[str, Any]) -> SharedLock:
    return SharedLock({address: file.detach() for address, file in files.items()})


def _again(addresses: tuple[str, ...]) -> SharedLock:
    return SharedLock(dict.fromkeys(addresses, -1))


def _folder() -> Path:
    """Make and return the lock folder, the same for every user of this machine."""
    named = os.environ.get(FOLDER)
    shared = Path("/tmp")  # noqa: S108  # a user's own folder would hide what other users hold
    folder = Path(named) if named else (shared if shared.is_dir() else Path(tempfile.gettempdir())) / NAME
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # it belongs to another user, who has done so
        folder.chmod(0o1777)
    return folder


def _path(folder: Path, address: str) -> Path:
    plain = re.sub(r"[^A-Za-z0-9.]+", "_", address)[:60]
    return folder / f"{plain}-{hashlib.sha256(address.encode()).hexdigest()[:8]}.lock"


def _open(path: Path, *, make: bool = False) -> int | None:
    """Open and lock the file; return None if another process holds it. Raise `BenchHeld` if it cannot be opened."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        try:
            file = _open_lock_file(path, flags, make=make)
        except OSError as error:
            what = f"lock file cannot be opened: {error.strerror or error}"
            raise BenchHeld(what, where=str(path), hint="remove it when no session uses the bench") from error
        try:
            _lock(file)
        except OSError:
            os.close(file)
            return None
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        os.close(file)  # removed meanwhile: the locked file has no name any more
        if not make:
            return None


def _open_lock_file(path: Path, flags: int, *, make: bool) -> int:
    """Open first, then create: a shared folder may refuse to create a file that another user has made."""
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        if not make:
            raise
    try:
        file = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return os.open(path, flags)
    with contextlib.suppress(OSError, AttributeError):
        os.fchmod(file, 0o666)
    return file


def _lock(file: int) -> None:
    """Lock the file; raise `OSError` if another process holds it."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  # only Windows has it

        os.lseek(file, _AT, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)


def _write(file: int, holds: Holder) -> None:
    with contextlib.suppress(OSError):  # a full disk: the lock holds, but does not name its holder
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, json.dumps(asdict(holds)).encode())


def _read(path: Path) -> Holder | None:
    """Return the holder written in the file; None if it cannot be read."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        with path.open("rb") as file:
            stored: Any = json.loads(file.read(_MOST))
        holds = Holder(**stored)
        if type(holds.process) is int:
            return holds
    return None


def _is_held(path: Path, address: str) -> BenchHeld:
    holds = _read(path)
    by = "an unknown process" if holds is None else holds.sentence
    hint = "disconnect there, or wait until its guard has verified that the outputs are off"
    return BenchHeld(f"is held by {by}", where=address, key="address", value=address, hint=hint)


def _is_left_behind(path: Path) -> bool:
    holds = _read(path)
    return holds is not None and not is_alive(holds.process)


def _sweep(folder: Path) -> None:
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError, BenchHeld):
            age_s = time.time() - path.stat().st_mtime  # noqa: TID251  # as files are dated
            if age_s > OLD_S and (file := _open(path)) is not None:
                path.unlink()
                os.close(file)


def _program() -> str:
    return Path(sys.argv[0]).name or "python" if sys.argv else "python"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
