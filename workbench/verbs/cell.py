"""`cell export` and `cell import`: cells in the Battery Parameter eXchange format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from drivers.benchfile.bpx_file import parse_bpx
from drivers.benchfile.cell_file import find_cell, read_cell
from drivers.benchfile.cell_sections import Chemistry
from drivers.benchfile.cell_writer import write_cell
from drivers.errors import BenchFileError, Usage
from drivers.output_file import make_draft, refuse_outputs
from twin.cell_import import CellDeclaration as GivenLimits
from twin.cell_import import import_bpx

if TYPE_CHECKING:
    from workbench.report import Report

__all__ = ["GivenLimits", "export", "import_file"]
SODIUM = "Na-ion"


def export(report: Report, name: str, bpx: Path) -> bool:
    """Write the BPX file of a cell; raise `BenchFileError` where the cell or a part of it has no place in BPX."""
    from twin.bpx_export import NOT_CARRIED, export_bpx  # noqa: PLC0415  # numpy and PyBaMM
    from twin.cell_parameters import make_parameters  # noqa: PLC0415
    from twin.cell_physics import require_physics  # noqa: PLC0415

    cell = read_cell(find_cell(name, Path()))
    refuse_outputs([bpx], [cell.path])
    parameters = make_parameters(cell)
    text, notes = export_bpx(parameters, require_physics(parameters, "BPX"))
    with make_draft(bpx) as draft:
        draft.write_text(text, encoding="utf-8")
    report.line(f"wrote    {bpx}")
    report.line(f"left out {'; '.join(NOT_CARRIED)}")
    for note in notes:
        report.line(f"note     {note}")
    report.body.update(cell=cell.file.name, sha256=cell.sha256, file=str(bpx), left_out=list(NOT_CARRIED), notes=notes)
    return True


def import_file(report: Report, file: Path, out: Path, given: GivenLimits) -> bool:
    """Write a cell file and the BPX file beside it; raise `BenchFileError`, `Usage`."""
    known = [name for name in get_args(Chemistry) if name != SODIUM]
    if given.chemistry not in known:
        what, hint = f"--chemistry {given.chemistry!r} is not known", f"one of {', '.join(known)}"
        raise Usage(what, key="chemistry", value=given.chemistry, bound=known, hint=hint)
    copy = out.parent / file.name
    refuse_outputs([out], [file, copy])
    text = _read(file)
    if copy.resolve() != file.resolve() and copy.exists() and copy.read_text(encoding="utf-8") != text:
        raise Usage("exists already, with other contents", where=str(copy), hint="name another folder with --out")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("simulating pulse tests", total=1.0)
        cell = import_bpx(text, file.name, given, lambda done: progress.update(bar, completed=done))
    out.parent.mkdir(parents=True, exist_ok=True)
    with make_draft(copy) as draft:
        draft.write_text(text, encoding="utf-8")
    write_cell(cell, out)
    written = read_cell(out)
    report.line(f"wrote    {out}\nwrote    {copy}")
    holds_ah, left_out = cell.circuit.capacity_ah, parse_bpx(file, text).not_read
    report.line(
        f"capacity {holds_ah:.3f} Ah between the cut-offs by its equations, {cell.capacity_ah:g} Ah by its name"
    )
    report.line(f"left out {'; '.join(left_out) or 'nothing'}")
    names = [str(out), str(copy)]
    report.body.update(cell=cell.name, sha256=written.sha256, files=names, capacity_ah=holds_ah, left_out=left_out)
    return True


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BenchFileError(f"cannot be read: {reason}", where=str(file), hint="name a BPX file") from error
