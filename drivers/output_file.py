"""Files that a user names: never onto what is read, whole or not at all, through links and devices."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from drivers.errors import OutputClosed, RunLogError, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

STDOUT: Final = Path("-")


class Progress(Protocol):
    """Receives the fraction done, returns whether to continue."""

    def __call__(self, done: float, /) -> bool: ...


def refuse_outputs(outputs: Sequence[Path], recorded: Sequence[Path]) -> None:
    """Raise `Usage` where an output is a folder, is named twice, or is one of `recorded`, the files of runs."""
    for number, output in enumerate(outputs):
        if output == STDOUT:
            continue
        if output.is_dir():
            raise _usage(output, "is a folder", "name a file")
        if any(_is_same(output, file) for file in recorded):
            raise _usage(output, "belongs to a recorded run, which would be destroyed", "name another file")
        if any(_is_same(output, other) for other in outputs[:number]) and not is_special(output):
            raise _usage(output, "is named for two outputs", "give each its own file")


def is_special(path: Path) -> bool:
    """Return whether `path` is stdout, a device or a pipe: what is written there cannot be replaced at the end."""
    if path == STDOUT:
        return True
    with suppress(OSError):
        return not stat.S_ISREG(path.stat().st_mode)
    return False


def write_stream(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write to stdout, a device, a pipe or a file; a file is replaced only once it is complete.

    Raise `OSError` for a file, and what `report_stream` raises for stdout.
    """
    if path == STDOUT:
        with report_stream("stdout"):
            write(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    if is_special(path):
        with path.open("wb") as device:
            write(device)
        return
    with make_draft(path) as draft, draft.open("wb") as file:
        write(file)


@contextmanager
def report_stream(name: str) -> Generator[None]:
    """Write to the standard stream `name` in this block; raise `OutputClosed`, or `RunLogError` for a full disk."""
    try:
        yield
    except BrokenPipeError:
        raise OutputClosed("is closed", where=name) from None
    except OSError as error:
        raise RunLogError(f"cannot be written: {error.strerror}", where=name, hint="free some space") from error


@contextmanager
def make_draft(path: Path, suffix: str = "") -> Generator[Path]:
    """Yield the name to write under; at the end it replaces the file that `path` names, also through a link.

    Whatever fails, the file is as it was and no draft is left. Raise `OSError`.
    """
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part{suffix}")
    try:
        yield draft
        draft.replace(target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _is_same(one: Path, other: Path) -> bool:
    """Return whether both name one file, also by another spelling, a link, or before it exists."""
    with suppress(OSError):
        return one.samefile(other)
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def _usage(path: Path, what: str, hint: str) -> Usage:
    return Usage(what, where=str(path), key="output", value=str(path), hint=hint)
