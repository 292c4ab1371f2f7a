"""Write a service report: HTML that works offline, or PDF by Typst."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from drivers.errors import PackageMissing, RunLogError, Usage
from drivers.output_file import write_stream
from workbench.extras import missing_package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.modelling.service_report import ServiceReport

HTML, PDF = ".html", ".pdf"
WHO: Final = "a report in PDF"


def check_formats(paths: Sequence[Path]) -> None:
    """Raise `Usage` for a suffix that is not written, `PackageMissing` for PDF without Typst."""
    for path in paths:
        if path.suffix.lower() not in {HTML, PDF}:
            hint = f"name it .html or .pdf, for instance {path.stem}.html"
            raise Usage("is no format of a report", where=str(path), key="report", value=path.suffix, hint=hint)
        if path.suffix.lower() == PDF:
            _import_typst()


def write_report(path: Path, report: ServiceReport) -> None:
    """Write the report whole or not at all; raise what `check_formats` raises, `RunLogError` for a full disk."""
    check_formats([path])
    data = make_pdf(report) if path.suffix.lower() == PDF else make_html(report).encode()

    def write(file: BinaryIO) -> None:
        file.write(data)

    try:
        write_stream(path, write)
    except OSError as error:
        hint = "choose another place, or free some space"
        raise RunLogError(f"cannot be written: {error.strerror}", where=str(path), hint=hint) from error


def make_html(report: ServiceReport) -> str:
    """Return the report as one self-contained page."""
    return _load_template().render(report=report)


def make_pdf(report: ServiceReport) -> bytes:
    """Return the report as PDF; raise `PackageMissing` without Typst."""
    from workbench.modelling.service_typst import make_typst  # noqa: PLC0415  # a report in HTML needs none

    made: bytes = _import_typst().compile(make_typst(report).encode())
    return made


def _import_typst() -> Any:
    try:
        return import_module("typst")  # an extra
    except ImportError as error:
        raise missing_package(error, WHO) or PackageMissing(f"{WHO} cannot load Typst: {error}") from error


@cache
def _load_template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # slow, and few reports need it

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("service_report.html.j2")
