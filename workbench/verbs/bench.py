"""`bench copy`: a bench file with all files that it names, as a folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.benchfile.copy import copy_bench

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report


def copy(report: Report, file: Path, folder: Path) -> bool:
    """Copy the bench; raise `BenchFileError` for an error in the bench and `Usage` for a file that exists already."""
    paths = copy_bench(file, folder)
    report.body.update(bench=str(paths[0]), files=[str(path) for path in paths])
    for path in paths:
        report.line(f"wrote    {path}")
    report.line(f"connect  python main.py --bench {paths[0]}")
    return True
