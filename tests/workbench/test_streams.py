"""Consoles that are not UTF-8: lines are written with replacements, JSON in ASCII, and nothing ends a verb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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
