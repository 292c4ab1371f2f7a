"""A Python without the packages: one sentence that says how to get them, and exit status 3."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_python_without_packages_says_how_to_enter_the_environment() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "main.py", "doctor"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 3
    assert "make setup" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
