"""Scan of the folders: runs that a bundle can be built from, certificates, keys, bundles."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile import read_bench
from drivers.errors import PulseError
from drivers.runlog.folder import load
from drivers.runlog.index import RunIndex
from edge_bridge.bundle import keys
from workbench.certificates.certificate import NAME
from workbench.certificates.decoder import read_certificate
from workbench.window.bundle_page.model import (
    BUNDLES,
    KEYS,
    BundleEntry,
    BundleFolders,
    CertificateEntry,
    FolderContents,
    RunEntry,
)
from workbench.window.certify_page.certifier import FOLDER
from workbench.window.certify_page.model import NOT_PASSED
from workbench.window.failures import make_sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NO_BENCH: Final = "Choose the bench file that the run was recorded with."
MOST: Final = 200  # of each kind, the newest
_WAITS: Final = {
    "recording": "It is still being recorded; stop the run first.",
    "killed": "Its process was killed before it sealed the run; open it once on the Runs page, which seals it.",
    "damaged": "It is damaged.",
}


def scan_folders(places: BundleFolders, verify: Callable[[Path, Path], BundleEntry]) -> FolderContents:
    """List everything newest first; skip what cannot be read or state why. `verify` verifies a bundle."""
    text, name, reason = _bench(places.bench)
    return FolderContents(
        runs=tuple(_runs(places.root, text, "" if places.bench is None else places.bench.name)),
        certificates=tuple(_certificates(places)),
        bundles=tuple(verify(file, places.trust) for file in _newest(places.root / BUNDLES, "*.bundle")),
        private_keys=tuple(_newest(places.root / KEYS, f"*{keys.PRIVATE_SUFFIX}")),
        trusted=_trusted(places.trust),
        bench_name=name,
        bench_trouble=reason,
    )


def _bench(path: Path | None) -> tuple[str | None, str, str]:
    """Return text and name of the bench file, or why it cannot be used."""
    if path is None:
        return None, "", NO_BENCH
    try:
        bench = read_bench(path)
    except (PulseError, OSError) as error:
        return None, "", make_sentence(f"the bench file cannot be used: {error}")
    return bench.document.text, bench.bench.name, ""


def _runs(root: Path, text: str | None, file: str) -> Iterator[RunEntry]:
    for row in RunIndex(root).rows()[:MOST]:
        folder = root / row.name
        why_not = _WAITS.get(row.state, "") or _why_other_bench(folder, text, file)
        started = datetime.fromisoformat(row.started).astimezone() if row.started else None
        shown = started.strftime("%Y-%m-%d %H:%M") if started else ""
        yield RunEntry(row.name, folder, shown, row.duration_s, row.evidence or "", row.bench or "", why_not)


def _why_other_bench(folder: Path, text: str | None, file: str) -> str:
    if text is None:
        return NO_BENCH
    try:
        bench: Any = load(folder).meta.get("bench") or {}
    except PulseError as error:
        return make_sentence(f"it cannot be read: {error}")
    if bench.get("text") != text:
        name = bench.get("file", "another bench file")
        which = f"an earlier version of {name}" if name == file else f"{name}, not with {file}"
        return f"It was recorded with {which}; choose that file."
    return ""


def _certificates(places: BundleFolders) -> Iterator[CertificateEntry]:
    """Yield the certificates of the current content of the bench file."""
    try:
        own = None if places.bench is None else hashlib.sha256(places.bench.read_bytes()).hexdigest()
    except OSError:
        return
    homes = [home for home in _newest(places.root / FOLDER, "*/") if (home / NAME).is_file()]
    for home in (*places.more, *(home for home in homes if home not in places.more)):
        try:
            made = read_certificate(home)
        except PulseError:
            continue  # the Certify page reports what is wrong with it
        if made.bench_sha256 == own:
            why_not = "" if made.passed else NOT_PASSED
            yield CertificateEntry(home, made.suite, made.made, made.evidence, made.counts, why_not)


def _trusted(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(key.name for key in keys.read_trusted(folder).values()))
    except PulseError:
        return ()


def _newest(folder: Path, pattern: str) -> list[Path]:
    def born_s(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:  # removed in the meantime
            return 0.0

    return sorted(folder.glob(pattern), key=lambda path: (born_s(path), path.name), reverse=True)[:MOST]
