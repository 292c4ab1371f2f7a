"""A fresh environment of each extra, from the registry and the pins, in which a verb of that extra runs."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERBS = {  # of each extra what it is for, and the exit status
    "": (("bundle", "key", "me", "--out", "keys", "--json"), 0),
    "bench": (("run", "--duration", "2", "--json"), 0),
    "window": (("window",), 0),  # with no display: pictures
    "edge": (("edge", "--trust", "keys", "--broker", "mqtt://127.0.0.1:9", "--duration", "2", "--json"), 1),
    "fleet": (("fleet", "--broker", "local", "--db", "rows.sqlite", "--duration", "2", "--json"), 0),
    "docs": (("--version",), 0),
    "dev": (("doctor", "--json"), 0),
}

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800.0)]


@pytest.mark.parametrize("extra", VERBS)
def test_a_fresh_environment_of_an_extra_serves_its_verb(extra: str, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    install = [programs / "python", "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt"]
    subprocess.run([*install, f"{ROOT}[{extra}]" if extra else ROOT], check=True, capture_output=True)
    words, status = VERBS[extra]
    done = subprocess.run(
        [programs / "pulsebms", *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300.0
    )
    assert done.returncode == status, done.stdout + done.stderr
    if "--json" in words:
        assert json.loads(done.stdout)["command"] == " ".join(words[: 2 if words[0] == "bundle" else 1])
