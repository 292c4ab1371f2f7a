"""`fleet backup` and `fleet restore`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from edge_bridge.fleet.backup.run_backup import make_backup, restore_backup
from workbench.report import print_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_bridge.fleet.backup.manifest import BackupManifest
    from workbench.report import Report

LINE_S: Final = 0.5  # between two lines of progress
_MB: Final = 1e6


def back_up(report: Report, store: Path | str, file: Path) -> bool:
    """Back up the database into `file`; raise `PulseError`."""
    manifest = make_backup(store, file, datetime.now(UTC), _report_progress("backup"), report.line)
    report.body.update(file=str(file), **_describe(manifest))
    report.line(f"{file} contains {manifest.rows} rows, {manifest.size / _MB:.1f} MB, checked")
    report.line("the archive of older rows (Parquet) is not part of it: copy its folder too")
    return True


def restore(report: Report, file: Path, store: Path | str, *, replace: bool) -> bool:
    """Restore the database from `file`; raise `PulseError`."""
    manifest = restore_backup(file, store, replace=replace, report=_report_progress("restore"))
    report.body.update(file=str(file), **_describe(manifest))
    report.line(f"{manifest.rows} rows of {manifest.time} came back; the packs send again what they still have")
    return True


def _describe(manifest: BackupManifest) -> dict[str, object]:
    return manifest.model_dump(by_alias=True, exclude={"file_schema"})


def _report_progress(what: str) -> Callable[[int, int], None]:
    printed_s = monotonic()

    def report(done: int, total: int) -> None:
        nonlocal printed_s
        if monotonic() - printed_s >= LINE_S:
            printed_s = monotonic()
            share = f"{100.0 * done / total:.0f} %" if total else f"{done / _MB:.0f} MB"
            print_line(f"{what}: {share}", to_stderr=True)

    return report
