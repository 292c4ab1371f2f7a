"""`TESTS.toml`: which tests a laboratory made of a cell, and which of them a fit must not see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  # a dataclass shows it
from typing import Annotated, Literal

from pydantic import Field

from drivers.benchfile.cell_section import CellSection, Positive
from drivers.benchfile.cell_sections import Chemistry  # noqa: TC001  # pydantic reads it
from drivers.benchfile.document import Document
from drivers.benchfile.validation import raise_first, validate
from drivers.logs.choose import parse_columns

Kind = Literal["ocv", "pulse", "drive", "capacity"]


class ListedCell(CellSection):
    """`[cell]`: its name, and what the data sheet says where the tests do not show it."""

    name: Annotated[str, Field(min_length=1)]
    chemistry: Chemistry
    voltage_v: tuple[Positive, Positive] | None = None
    temperature_degc: tuple[float, float] | None = None
    charge_c: Positive | None = None
    discharge_c: Positive | None = None


class ListedTest(CellSection):
    """`[[test]]`: a log; `columns` and `sign` as the options of the same names; a `held` test is only scored."""

    kind: Kind
    file: Annotated[str, Field(min_length=1)]
    temperature_degc: float | None = None
    held: bool = False
    columns: str = ""
    sign: Literal["", "charge", "discharge"] = ""


class LabTests(CellSection):
    """The whole list."""

    cell: ListedCell
    test: Annotated[list[ListedTest], Field(min_length=1)]


@dataclass(frozen=True)
class LabTest:
    """A listed test with its log's path."""

    listed: ListedTest
    path: Path

    @property
    def columns(self) -> dict[str, str]:
        return parse_columns(self.listed.columns) if self.listed.columns else {}


@dataclass(frozen=True)
class TestList:
    """A checked list."""

    __test__ = False  # no test of pytest's

    path: Path
    cell: ListedCell
    tests: tuple[LabTest, ...]


def read_test_list(path: Path) -> TestList:
    """Read and check a list; its paths are relative to it. Raise `BenchFileError` that names the line."""
    document = Document.read(path)
    listed = validate(document, LabTests)
    tests = tuple(LabTest(test, path.parent / test.file) for test in listed.test)
    raise_first(
        document.mistake(
            ("test", place, "file"),
            f"= {test.listed.file!r} is not a file",
            value=test.listed.file,
            bound="a log",
            hint=f"paths are relative to {path.parent}",
        )
        for place, test in enumerate(tests)
        if not test.path.exists()
    )
    if all(test.listed.held or test.listed.kind != "ocv" for test in tests):
        what, hint = "has no ocv test that the fit may see", "list a slow discharge, C/20 or slower, at 25 degC"
        raise document.mistake(("test",), what, bound='one test of kind "ocv"', hint=hint)
    return TestList(path, listed.cell, tests)
