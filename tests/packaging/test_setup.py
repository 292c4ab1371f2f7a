"""What `tools/setup.py` installs, and what it says where it may not."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.docs.markdown import blocks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def setup() -> Any:
    """The script as a module, without its last line, which runs it."""
    text = (ROOT / "tools" / "setup.py").read_text(encoding="utf-8")
    assert text.endswith("\nmain()\n")
    module = ModuleType("setup_script")
    module.__file__ = str(ROOT / "tools" / "setup.py")
    exec(compile(text.removesuffix("main()\n"), module.__file__, "exec"), module.__dict__)  # noqa: S102  # our own script
    return module


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="the script installs nothing on Windows")
def test_a_user_without_sudo_is_told_the_line_for_root(
    setup: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 1\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    setup.install(["libegl1", "libgl1"], "system libraries", needed=True)
    said = "missing system libraries; run as root:  apt-get install -y --no-install-recommends libegl1 libgl1"
    assert said in capsys.readouterr().err


def test_make_fleet_installs_the_servers_that_the_guide_names(setup: Any) -> None:
    page = ROOT / "docs" / "fleet-in-ten-minutes.md"
    line = next(
        line for block in blocks(page) for line in block.text.splitlines() if line.startswith("apt-get install")
    )
    assert set(setup.SERVERS.values()) == {"postgresql", "mosquitto"}
    assert set(setup.SERVERS.values()) < set(line.split())
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\nfleet: servers " in makefile
    assert "\nservers:\n\t@$(PYTHON) tools/setup.py --fleet\n" in makefile
