"""`doctor --report`: one file for support, with versions, the lines of `doctor`, and events and logs of the newest run.

Never keys and never samples: only files of known names go in, and none that contains a private key.
"""

from __future__ import annotations

import json
import os
import platform
import stat
import sys
import zipfile
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import PulseError, Usage
from drivers.output_file import make_draft
from drivers.version import VERSION
from workbench.report import describe_machine
from workbench.run_folders import find_newest
from workbench.verbs import doctor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.report import Report

RUN: Final = "run.json"  # `drivers.runlog.folder` needs the extra bench, which may be what is missing
OF_A_RUN: Final = (RUN, "events.jsonl", "guard.jsonl", "guard.log", "emulated/bench.json", "emulated/*.log")
MAX_FILES: Final = 40
MAX_BYTES: Final = 256 * 1024  # of each file, its end: ten megabytes in all before compression
SECRET: Final = b"PRIVATE KEY"


def main(report: Report, bench: Path, runs: Path, file: Path) -> bool:
    """Run `doctor`, also on a bench file with mistakes, and write the file. Raise `Usage` if it exists already."""
    if os.path.lexists(file):
        raise Usage("exists already", where=str(file), key="report", hint="name another file")
    error = ""
    try:
        return doctor.main(report, bench)
    except PulseError as found:
        error = f"error: {found}"
        raise
    finally:
        lines = [*report.recent, error] if error else [*report.recent]
        write(file, lines, bench, find_newest(runs, RUN))
        report.body["report"] = str(file)
        report.line(f"wrote {file}: send it to the person who helps you; it contains no keys and no samples")


def write(file: Path, lines: list[str], bench: Path, run: Path) -> None:
    """Write the file, whole or not at all. Raise `OSError`."""
    members = {"doctor.txt": "\n".join(lines).encode("utf-8", "replace"), "versions.json": _describe_versions()}
    for name, path in _find_files(bench, run):
        data = _read_end(path)
        if data is not None and SECRET not in data:
            members[name] = data
    with make_draft(file) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _find_files(bench: Path, run: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name in the archive and the path of the bench file, and of events and logs of the run."""
    yield f"bench-file/{bench.name}", bench
    if not (run / RUN).is_file():
        return
    found = [path for pattern in OF_A_RUN for path in sorted(run.glob(pattern))]
    for path in found[:MAX_FILES]:
        yield f"run/{path.relative_to(run).as_posix()}", path


def _read_end(path: Path) -> bytes | None:
    """Return the last bytes of a regular file; None for anything else and for what cannot be read."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - MAX_BYTES))
            return file.read(MAX_BYTES)
    except OSError:
        return None


def _describe_versions() -> bytes:
    installed = {str(found.name): found.version for found in metadata.distributions()}
    about: dict[str, Any] = {
        "pulsebms": VERSION,
        **describe_machine(),
        "system": platform.platform(),
        "executable": sys.executable,
        "packages": dict(sorted(installed.items(), key=lambda pair: pair[0].lower())),
    }
    return json.dumps(about, indent=1).encode()
