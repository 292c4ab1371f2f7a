"""What `make` offers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


MAKE = shutil.which("make") or ""


@pytest.mark.skipif(not MAKE, reason="no make here")
def test_make_alone_prints_every_target_and_makes_none() -> None:
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    said = subprocess.run([MAKE], cwd=ROOT, env=alone, capture_output=True, text=True, check=True, timeout=30.0).stdout
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    targets = next(line.split()[1:] for line in lines if line.startswith(".PHONY:"))
    assert [line.split()[1] for line in said.splitlines()] == targets
    assert all(len(line.split()) > 3 for line in said.splitlines())
