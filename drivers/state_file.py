"""Small files that must survive a power cut: written whole or not at all, read as missing, damaged or a value.

A damaged file never counts as a missing one: it means that a value was stored and is lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from drivers.private_files import make_private_folder, open_private
from drivers.regular_file import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

T = TypeVar("T")
Fields: TypeAlias = "dict[str, Any]"
LARGEST: Final = 16 << 20  # bytes
DRAFT: Final = ".part"


@dataclass(frozen=True, slots=True)
class MissingFile:
    """There is no file at the path."""


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """There is a file, but not what was written; `sentence` names the file and the reason."""

    sentence: str


def read_state(path: Path, parse: Callable[[Fields], T]) -> T | MissingFile | DamagedFile:
    """Read the JSON object at `path` with `parse`, which may raise `ValueError`, `TypeError` or `KeyError`.

    Never raise: anything else in the file's place (a folder, zeros, half an object, no permission) is `DamagedFile`.
    """
    try:
        return parse(_fields(read_regular(path, LARGEST)))
    except FileNotFoundError:
        if not path.is_symlink():
            return MissingFile()
        return _damaged(path, "it is a link to a missing file")
    except KeyError as error:
        return _damaged(path, f"it lacks {error}")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        return _damaged(path, getattr(error, "strerror", None) or str(error))
    except RecursionError:
        return _damaged(path, "it is nested too deeply")


def write_state(path: Path, fields: Mapping[str, object]) -> None:
    """Write `fields` as a JSON object to `path`; raise `OSError` and keep the old file if that fails."""
    write_bytes(path, json.dumps(dict(fields), allow_nan=False).encode(), private=True)


def draft_of(path: Path) -> Path:
    """Return the name under which this thread first writes `path`: others may write it at the same time."""
    return path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}{DRAFT}")


def write_bytes(path: Path, data: bytes, *, durable: bool = True, private: bool = False) -> None:
    """Write `data` to a draft and rename it to `path`; raise `OSError` and keep the old file on failure.

    A reader sees the old file or the new one, never a part. `durable`: the new file also survives a power cut.
    `private`: for the owner alone, like a folder that has to be made for it.
    """
    if private:
        make_private_folder(path.parent)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_of(path)
    try:
        with open_private(draft, "wb") if private else draft.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:  # a Ctrl-C, too, leaves no draft
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove the file so that a power cut does not bring it back; put a folder aside. Raise `OSError`."""
    if path.is_dir() and not path.is_symlink():
        put_aside(path)
        return
    path.unlink(missing_ok=True)
    sync_folder(path.parent)


def put_aside(path: Path) -> Path:
    """Rename a damaged file, so that it can be examined; return its new path. Raise `OSError`."""
    number = 1
    while (aside := path.with_name(f"{path.name}.broken-{number}")).exists():
        number += 1
    path.rename(aside)
    sync_folder(path.parent)
    return aside


def sync_folder(folder: Path) -> None:
    """Sync the folder, so that a new name survives a power cut too; some systems cannot."""
    with contextlib.suppress(OSError):
        place = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)


def read_text(fields: Fields, name: str) -> str:
    """Return a text that is not empty, for `parse`; raise `KeyError`, `TypeError`."""
    value = fields[name]
    if not isinstance(value, str) or not value.strip():
        raise TypeError(f"its {name} is not text")
    return value


def read_whole(fields: Fields, name: str, least: int = 0) -> int:
    """Return a whole number of at least `least`, for `parse`; raise `KeyError`, `TypeError`, `ValueError`."""
    value = fields[name]
    if type(value) is not int:
        raise TypeError(f"its {name} is not a whole number")
    if value < least:
        raise ValueError(f"its {name} is {value}, less than {least}")
    return value


def _fields(data: bytes) -> Fields:
    """Parse one JSON object; raise `ValueError` or `TypeError` for anything else."""
    if not data:
        raise ValueError("it is empty")
    if not data.strip(b"\0"):
        raise ValueError(f"it contains only zero bytes ({len(data)})")
    value: Any = json.loads(data.decode("utf-8"))
    if not isinstance(value, dict):
        raise TypeError("it is not a JSON object")
    return cast("Fields", value)


def _damaged(path: Path, why: str) -> DamagedFile:
    return DamagedFile(f"{path.name} cannot be read: {why}")
