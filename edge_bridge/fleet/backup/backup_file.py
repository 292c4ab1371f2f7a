"""The backup file: a ZIP with the content of the database and, last, the manifest."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from drivers.errors import RunLogError, Usage
from drivers.private_files import open_private
from edge_bridge.fleet.backup.manifest import MAX_BYTES, BackupManifest, parse_manifest
from edge_bridge.fleet.backup.work_folder import open_work_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

CONTENT, MANIFEST = "content", "manifest.json"
PIECE_BYTES: Final = 1 << 20
QUICK: Final = 1  # the level of compression
_DAMAGES: Final = (zipfile.BadZipFile, zlib.error, EOFError, LookupError, OSError, RuntimeError, ValueError)


@dataclass
class ContentWriter:
    """Writes the content, and counts and hashes what it writes."""

    file: IO[bytes]
    size: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return str(self._hash.hexdigest())

    def write(self, piece: bytes) -> None:
        self.file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)


def write_backup(
    path: Path, write_content: Callable[[ContentWriter], Callable[[int, str], BackupManifest]], *, compress: bool
) -> BackupManifest:
    """Write a backup under a temporary name, read it again, then give it its name.

    `write_content` returns the function that makes the manifest from the size and the hash of the content.
    Raise `RunLogError` for a disk that is full: there is no file under the final name then, or the one of before.
    """
    with explain_disk(path), open_work_folder(path) as folder:
        draft = folder / "draft"
        with open_private(draft, "wb") as file:
            manifest = _write(file, write_content, compress=compress)
            file.flush()
            os.fsync(file.fileno())
        check_backup(draft)
        draft.replace(os.path.realpath(path))
    sync_folder(path)
    return manifest


@contextmanager
def explain_disk(path: Path) -> Generator[None]:
    """Raise `RunLogError` that names `path` in place of an `OSError`."""
    try:
        yield
    except OSError as error:
        words = f"cannot be written: {error.strerror or error}"
        hint = "free some space, or name another folder"
        raise RunLogError(words, where=str(path), key="file", value=str(path), hint=hint) from error


def check_backup(path: Path) -> BackupManifest:
    """Read a whole backup; return its manifest, or raise `Usage` for a file that is damaged or no backup."""
    with open_content(path) as (manifest, content):
        found, size = hashlib.sha256(), 0
        try:
            while piece := content.read(PIECE_BYTES):
                found.update(piece)
                size += len(piece)
        except _DAMAGES as error:
            raise _refuse(path, "is damaged: its content cannot be read") from error
        if (found.hexdigest(), size) != (manifest.sha256, manifest.size):
            raise _refuse(path, "is damaged: its content does not have the SHA-256 of its manifest")
    return manifest


@contextmanager
def open_content(path: Path) -> Generator[tuple[BackupManifest, IO[bytes]]]:
    """Open a backup; yield its manifest and its content. Raise `Usage` for a file that is no backup."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise _refuse(path, f"cannot be read: {error.strerror or error}") from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGES as error:
            raise _refuse(path, "is not a backup of a fleet, or its end is missing") from error
        try:
            with archive.open(MANIFEST) as member:
                manifest = parse_manifest(member.read(MAX_BYTES))
            content = archive.open(CONTENT)
        except _DAMAGES as error:
            raise _refuse(path, "is damaged, or not a backup of a fleet") from error
        with content:
            if manifest is None:
                raise _refuse(path, "has a manifest that this program cannot read")
            yield manifest, content


def _write(
    file: IO[bytes],
    write_content: Callable[[ContentWriter], Callable[[int, str], BackupManifest]],
    *,
    compress: bool,
) -> BackupManifest:
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", kind, compresslevel=QUICK) as archive:
        with archive.open(CONTENT, "w", force_zip64=True) as entry:
            writer = ContentWriter(entry)
            make_manifest = write_content(writer)
        manifest = make_manifest(writer.size, writer.sha256)
        archive.writestr(MANIFEST, manifest.encode(), zipfile.ZIP_STORED)
    return manifest


def sync_folder(path: Path) -> None:
    """Make the new name durable; Windows has no such call."""
    if os.name == "nt":
        return
    folder = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _refuse(path: Path, words: str) -> Usage:
    return Usage(words, where=str(path), key="file", value=str(path), hint="name another backup")
