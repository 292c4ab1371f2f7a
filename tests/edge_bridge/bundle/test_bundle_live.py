"""A bundle from a real, short session of the emulated bench."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge_bridge.bundle import keys

ROOT = Path(__file__).resolve().parents[3]

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


def pulse(*arguments: object) -> dict[str, object]:
    words = [sys.executable, "main.py", *map(str, arguments), "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_session_becomes_a_bundle_that_an_edge_would_believe(tmp_path: Path) -> None:
    run = pulse("run", "--duration", 4, "--out", tmp_path / "runs")["run"]
    private, _ = keys.make_key(tmp_path / "keys", "release")
    out = tmp_path / "pack.bundle"
    built = pulse("bundle", "build", run, "--key", private, "--out", out)
    assert built["class"] == "SIM"
    seen = pulse("bundle", "verify", out, "--trust", tmp_path / "keys", "--replay")
    assert seen["sha256"] == built["sha256"]
    assert seen["reason"] == ""
