"""A line that is not TOML: what is wrong with it, where, and how to correct it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.benchfile import read_bench
from drivers.benchfile.device_sheet import read_sheet
from drivers.benchfile.document import Document
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchFileError
from twin import cell_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPACE, THIN, WIDTHLESS = "\u00a0", "\u202f", "\u200b"

WRONG = [
    (r'map = "benches\pulse.toml"', 1, "a backslash in double quotes", "with / or in single quotes"),
    (r'map = "C:\Users\me\map.toml"', 1, "a backslash in double quotes", "with / or in single quotes"),
    ("cells = 24\nsoc0 = 1\ncells = 12", 3, "cells occurs twice, first in line 1", "delete one of them"),
    ("[pack]\na = 1\n[bench]\n[pack]\nb = 1", 4, "pack occurs twice, first in line 1", "delete one of them"),
    ("p = { a = 1, a = 2 }", 1, "p.a occurs twice, first in line 1", "delete one of them"),
    ("[[l]]\na = 1\n[[l]]\na = 1\na = 2", 5, "l[1].a occurs twice, first in line 4", "delete one of them"),
    ("soc0 = 0,62", 1, "a decimal comma in 0,62", "write 0.62:"),
    ("\nsoc0 = -1.234,5 # V", 2, "a decimal comma in -1.234,5", "write -1234.5:"),
    ("protect = { voltage_v = 5,2, current_a = 5.0 }", 1, "a decimal comma in 5,2", "write 5.2:"),
    ("bench = [0,5, 05,0]", 1, "a comma between the digits of a number", "write decimal points"),
    ("name = \u201chil24\u201d", 1, "a typographic quote, \u201c", 'straight quotes: "text"'),
    ("name = \u201ehil24\u201c", 1, "a typographic quote, \u201e", 'straight quotes: "text"'),
    ("name = \u2018hil24\u2019", 1, "a typographic quote, \u2018", 'straight quotes: "text"'),
    (f"cells{SPACE}= 24", 1, "no-break space (U+00A0)", "replace it by a plain space"),
    (f"cells = 24{THIN}", 1, "narrow no-break space (U+202F)", "replace it by a plain space"),
    (f"{WIDTHLESS}cells = 24", 1, "zero width space (U+200B)", "replace it by a plain space"),
    ("low = \u22125", 1, 'the character "\u2212" (minus sign) outside of quotes', "plain ASCII"),
    ("name = hil24", 1, "text without quotes: hil24", 'write "hil24"'),
    (r"map = C:\map.toml", 1, r"text without quotes: C:\map.toml", r"write 'C:\map.toml'"),
    ("attended = True", 1, "the word True", "true or false, in small letters"),
    ("attended = yes", 1, "the word yes", "true or false, in small letters"),
    ("cells: 24", 1, "a colon behind the key", "write ="),
    ("cells = # none", 1, "no value behind =", "write a value"),
    ('name = "hil24', 1, "a quote that is not closed", "close it in the same line"),
    ("soc0 = .5", 1, "a point without a digit on both sides", "write 0.5"),
    ("soc0 = 5.", 1, "a point without a digit on both sides", "write 5.0"),
    ("cells = 024", 1, "a number that begins with 0", "write 24"),
    ("voltage_v = 5 V", 1, "V behind the number 5", "write the number alone"),
    ("a = 1\nbench = [1.0,\n2.0\n[next]\nb = 1", 2, "[ without ]", "add ]"),
    ("protect = { voltage_v = 5.2", 1, "{ without }", "add }"),
]


@pytest.mark.parametrize(("text", "line", "cause", "hint"), WRONG)
def test_the_cause_is_named_with_its_line(tmp_path: Path, text: str, line: int, cause: str, hint: str) -> None:
    with pytest.raises(BenchFileError) as caught:
        Document.parse(tmp_path / "any.toml", text)
    error = caught.value
    assert (error.where, error.line) == (str(tmp_path / "any.toml"), line)
    assert cause in error.what
    assert hint in error.hint


@pytest.mark.parametrize(
    "text",
    [
        f'name = "\u201chil\u201d 24,5{SPACE}"  # \u201c24,5\u201d',
        r"map = 'C:\Users\map.toml'",
        "bench = [0, 5]",
        "a = 1\n[b]\na = 1",
    ],
)
def test_the_same_characters_where_they_are_allowed_are_read(tmp_path: Path, text: str) -> None:
    assert Document.parse(tmp_path / "any.toml", text).values


def read_lane_table(path: Path) -> object:
    return cell_table.load(path)


@pytest.mark.parametrize("reader", [read_bench, read_dut_map, read_sheet, read_lane_table])
def test_every_file_that_a_user_writes_is_read_at_one_place(tmp_path: Path, reader: Callable[[Path], object]) -> None:
    path = tmp_path / "any.toml"
    path.write_text("a = 1\nb = 0,62\n", encoding="utf-8")
    with pytest.raises(BenchFileError, match=r"any\.toml:2 is not TOML: a decimal comma in 0,62; write 0\.62"):
        reader(path)


SHEET = """[cell_overvoltage]
unit = "V"
limit = 4.2
recover = 4.1
debounce_ms = 100
[heartbeat]
timeout_ms = 100
fault = "LOST"
[undertemperature]
limit = -20
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("debounce_ms", "debounc_ms", "debounce_ms is missing; add debounce_ms, or correct debounc_ms in line 5"),
        ("[heartbeat]", "[heartbeet]", ":6 heartbeet is not known; did you mean heartbeat?"),
        ("fault =", "falt =", ":8 heartbeat.falt is not known; did you mean fault?"),
    ],
)
def test_a_misspelt_key_of_the_device_profile_is_named(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(SHEET, encoding="utf-8")
    assert read_sheet(path).heartbeat is not None
    path.write_text(SHEET.replace(right, wrong), encoding="utf-8")
    with pytest.raises(BenchFileError) as caught:
        read_sheet(path)
    assert said in str(caught.value)
