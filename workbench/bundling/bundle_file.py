"""Bundle files on disk: read with a size limit, written completely or not at all, never over another file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import Usage
from drivers.regular_file import open_regular
from drivers.state_file import write_bytes
from edge_bridge.bundle.archive import MAX_BYTES
from workbench.bundling.steps import ignore_progress

if TYPE_CHECKING:
    from workbench.bundling.build import BuiltBundle, BundleOrder
    from workbench.bundling.steps import Steps


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A bundle and the path of its file."""

    path: Path
    built: BuiltBundle


def build_file(order: BundleOrder, path: Path | None, steps: Steps = ignore_progress) -> BuiltFile:
    """Build one bundle and write it; without a `path`, to `NAME-SERIAL.bundle` in the working folder.

    Raise `Usage` where the file exists already, and what `build` raises.
    """
    from workbench.bundling.build import build  # noqa: PLC0415  # only building needs what reads a run

    if path is not None:
        _refuse_existing(path)
    built = build(order, steps)
    about = built.verified.bundle.manifest
    file = Path(f"{about.name}-{about.serial}.bundle") if path is None else path
    write_file(file, built.data)
    return BuiltFile(file, built)


def read_file(path: Path) -> bytes:
    """Return the file's bytes, at most one more than a bundle may have; raise `Usage` when it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Usage(f"cannot be read: {error.strerror}", where=str(path), hint="name a bundle file") from error


def write_file(path: Path, data: bytes) -> None:
    """Write the whole file or nothing, even on a full disk or a kill. Raise `Usage` where it exists, `OSError`."""
    _refuse_existing(path)
    write_bytes(path, data)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        hint = "name another file, or remove it first"
        raise Usage("is there already", where=str(path), key="out", value=str(path), hint=hint)
