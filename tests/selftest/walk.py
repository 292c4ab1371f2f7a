"""A selftest as a script starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def selftest(out: Path, *arguments: str, within_s: float = 170.0) -> tuple[int, dict[str, Any], str]:
    """Exit status, the JSON object, what was told on stderr."""
    command = [sys.executable, "main.py", "selftest", "--json", "--out", str(out), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=within_s)
    return done.returncode, json.loads(done.stdout), done.stderr


def failed(answer: dict[str, Any]) -> list[str]:
    """The steps that did not hold."""
    return [step["name"] for step in answer["steps"] if step["ok"] is False]


def not_judged(answer: dict[str, Any]) -> list[str]:
    """Why steps could not be judged here, by the machine's own figure."""
    return [f"{step['name']}: {step['reason']}" for step in answer["steps"] if step["ok"] is None]
