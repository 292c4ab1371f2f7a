"""Consoles that are not UTF-8: lines are written with replacements, JSON in ASCII, and nothing ends a verb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from drivers.errors import OutputClosed
from drivers.output_file import STDOUT, write_stream
from workbench.streams import drop_unwritten

ROOT = Path(__file__).resolve().parents[2]
NAME = "läufe 5 Ω 高.toml"


def run_verb(*arguments: str, encoding: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "main.py", *arguments], cwd=ROOT, env=environment, capture_output=True, check=False, timeout=60
    )


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_json_reads_back_whatever_the_console_can_encode(encoding: str) -> None:
    done = run_verb("doctor", "--bench", NAME, "--json", encoding=encoding)
    assert done.returncode == 2
    assert json.loads(done.stdout.decode(encoding))["error"]["where"] == NAME
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_lines_are_written_with_replacements(encoding: str) -> None:
    done = run_verb("export", NAME, "--csv", "x.csv", encoding=encoding)
    assert done.returncode == 2
    assert b"?.toml" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_name_of_bytes_that_are_no_text_is_reported(tmp_path: Path) -> None:
    name = os.fsdecode(bytes(tmp_path) + b"/\xff\xfe.toml")
    done = run_verb("doctor", "--bench", name, "--json", encoding="utf-8")
    assert json.loads(done.stdout)["error"]["code"] == "bench_file"


READERLESS = [
    ("doctor",),
    ("doctor", "--json"),
    ("--help",),
    ("--version",),
    ("run", "--nonsense"),
    ("export", "nowhere", "--csv", "-"),
]


def pipe_to_nobody(*arguments: str, stderr: int) -> subprocess.CompletedProcess[bytes]:
    """A verb whose stdout nobody reads, as after `| head -1`."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        return subprocess.run(
            [sys.executable, "main.py", *arguments],
            cwd=ROOT,
            stdout=write_end,
            stderr=write_end if stderr == subprocess.STDOUT else stderr,
            check=False,
            timeout=60,
        )
    finally:
        os.close(write_end)


posix = pytest.mark.skipif(os.name != "posix", reason="pipes and /dev/full are POSIX")


@posix
@pytest.mark.parametrize("words", READERLESS)
def test_a_verb_whose_reader_has_ended_ends_quietly(words: tuple[str, ...]) -> None:
    assert pipe_to_nobody(*words, stderr=subprocess.STDOUT).returncode == 141


@posix
def test_nothing_is_said_on_stderr_where_stdout_is_closed() -> None:
    done = pipe_to_nobody("doctor", stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, b"")


@posix
@pytest.mark.parametrize("words", [("doctor",), ("doctor", "--json"), ("--help",), ("--version",)])
def test_a_full_stdout_is_one_sentence(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "main.py", *words], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60
        )
    assert done.returncode == 2
    errors = [line for line in done.stderr.splitlines() if line.startswith(b"error")]
    assert errors == [b"error: stdout cannot be written: No space left on device; free some space"]
    assert b"Traceback" not in done.stderr


def write_row(file: BinaryIO) -> None:
    file.write(b"row")


def test_an_export_to_a_reader_that_has_ended_is_no_full_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        with pytest.raises(OutputClosed):
            write_stream(STDOUT, write_row)
        drop_unwritten()
