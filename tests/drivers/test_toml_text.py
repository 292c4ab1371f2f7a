"""TOML of unknown origin: one sentence within a second, whichever reader gets it."""

from __future__ import annotations

import os
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from drivers.benchfile import read_bench
from drivers.benchfile.device_sheet import read_sheet
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchFileError
from drivers.toml_text import MAX_DEPTH, MAX_ENTRIES, MAX_KEY, MAX_PARTS, TomlBoundsError, check_bounds, parse_toml
from fixtures.bms import thresholds
from tests.machine import QUICK_S, Speed
from twin import cell_table

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).resolve().parents[2]
SECOND: Final = 1.0
HOSTILE: Final = {
    "open brackets": "a = " + "[" * 100_000,
    "closed brackets": "a = " + "[" * 5_000 + "]" * 5_000,
    "braces": "a = " + "{b=" * 3_000 + "1" + "}" * 3_000,
    "tables": "".join(f"[t{number}]\n" for number in range(100_000)),
    "tables of an array": "[[limit]]\n" * 40_000,
    "keys": "".join(f"k{number} = 1\n" for number in range(40_000)),
    "keys in a line": "t = {" + ",".join(f"k{number}=1" for number in range(30_000)) + "}",
    "values": "a = [" + "1," * 200_000 + "]",
    "empty lines": "\n" * 500_000,
    "huge key": "a" * 400_000 + " = 1\n",
    "huge quoted key": '"' + "a" * 400_000 + '" = 1\n',
    "key of many parts": ".".join(["a"] * 100_000) + " = 1\n",
    "table of many parts": "[" + ".".join(["a"] * 100_000) + "]\n",
    "huge file": "# " + "x" * 5_000_000,
    "behind a string": 'a = """\\""""\n' + "[x]\n" * 20_000,
    "behind a long string": 't = {a = """x"""" , ' + ",".join(f"k{number}=1" for number in range(20_000)) + "}",
    "behind a comment": "# \\\n" + "[x]\n" * 20_000,
    "behind a literal string": "a = 'x\\'\n" + "[x]\n" * 20_000,
}
READERS: Final[dict[str, Callable[[Path], Any]]] = {
    "bench file": read_bench,
    "device map": read_dut_map,
    "device profile": read_sheet,
    "cell table": cell_table.load,
    "thresholds": thresholds.load,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence_within_a_second(tmp_path: Path, name: str, reader: str) -> None:
    path = tmp_path / "hostile.toml"
    path.write_text(HOSTILE[name])
    begun_s = time.process_time()
    with pytest.raises((BenchFileError, ValueError, OSError)) as caught:
        READERS[reader](path)
    assert time.process_time() - begun_s < SECOND
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.timed
@pytest.mark.parametrize("text", ["[t{}]\n", "k{} = 1\n", "[[limit]]\n# {}\n"])
def test_a_file_just_within_the_bounds_is_judged_within_a_second(tmp_path: Path, text: str) -> None:
    path = tmp_path / "large.toml"
    path.write_text("".join(text.format(number) for number in range(MAX_ENTRIES)))
    with Speed() as speed:
        begun_s = time.process_time()
        with pytest.raises(BenchFileError):
            read_bench(path)
        took_s = time.process_time() - begun_s
    assert took_s < 2 * SECOND * max(1.0, speed.python_s / QUICK_S)


@pytest.mark.parametrize(
    "path", [*ROOT.glob("fixtures/**/*.toml"), *ROOT.glob("drivers/**/*.toml"), ROOT / "pyproject.toml"]
)
def test_shipped_files_are_far_within_the_bounds(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert parse_toml(text) == tomllib.loads(text)
    assert 5 * len(text) < 1 << 19


@pytest.mark.parametrize(
    "text",
    [
        'a = """x"""\nb = 1',
        'a = """x""""\nb = 1',
        'a = """x"""""\nb = 1',
        "a = '''x''''\nb = 1",
        'a = "x\\\\"\nb = 1',
        'a = "x\\""\nb = 1',
        "a = 'x\\'\nb = 1",
        'a = ""\nb = 1',
        'a = "[[[" # [[[ = = =\nb = 1',
        'a = """\n[[[\n"""\nb = 1',
        '"k = [" = 1\nb = 1',
    ],
)
def test_strings_and_comments_hide_what_is_in_them_and_nothing_else(text: str) -> None:
    tomllib.loads(text)
    check_bounds(text)
    for hidden, error in (("\nx = " + "[" * (MAX_DEPTH + 1), "levels"), ("\n" + "k" * (MAX_KEY + 1) + "=1", "key of")):
        with pytest.raises(TomlBoundsError, match=error):
            check_bounds(text + hidden)


def test_each_bound_names_its_line() -> None:
    for text, line in (
        ("a = 1\nb = " + "[" * (MAX_DEPTH + 1), 2),
        ("\n" + "k" * (MAX_KEY + 1) + " = 1", 2),
        ("\n" * (MAX_PARTS + 1), MAX_PARTS + 1),
    ):
        with pytest.raises(TomlBoundsError) as caught:
            check_bounds(text)
        assert caught.value.line == line


def test_a_pipe_in_place_of_a_bench_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(BenchFileError, match="regular file"):
        read_bench(tmp_path / "pipe.toml")
