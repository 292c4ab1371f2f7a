"""The guides of the fleet: their commands run as they stand, but for ports and the place of the database."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_bridge.fleet.store.open_store import open_store
from tests.docs.markdown import ROOT, blocks
from tests.prometheus import find_free_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

DOCS = ROOT / "docs"
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="the blocks are for a POSIX shell")


def read_lines(page: str) -> list[str]:
    return [line for block in blocks(DOCS / page) if block.language == "sh" for line in block.text.splitlines()]


def start(line: str, folder: Path) -> subprocess.Popen[str]:
    """Start a line as a person pastes it, in an activated environment; the two streams are one."""
    if not (folder / "main.py").exists():
        (folder / "main.py").symlink_to(ROOT / "main.py")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        [BASH or "", "-c", f"exec {line}"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if "main.py" in line else subprocess.DEVNULL,
        text=True,
    )


def run(line: str, folder: Path) -> str:
    process = start(line, folder)
    said, _ = process.communicate(timeout=100.0)
    assert process.returncode == 0, said
    return said


@pytest.fixture
def port(tmp_path: Path) -> Generator[int]:
    """The port of the fleet that the page on sites starts, with the file of sites that it shows."""
    port = find_free_port()
    shown = next(block.text for block in blocks(DOCS / "fleet-sites.md") if block.language == "toml")
    (tmp_path / "fleet.toml").write_text(shown, encoding="utf-8")
    line = next(line for line in read_lines("fleet-sites.md") if "main.py fleet" in line)
    fleet = start(f"{line.replace('8080', str(port))} > fleet.log", tmp_path)
    log = tmp_path / "fleet.log"
    try:
        wait_until(lambda: fleet.poll() is not None or (log.exists() and "api  " in log.read_text()), 100.0, "the API")
        assert fleet.poll() is None, log.read_text()
        yield port
    finally:
        fleet.send_signal(signal.SIGINT)
        fleet.communicate(timeout=60.0)


@pytest.mark.live
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (Debian: apt install curl)")
def test_a_site_is_added_by_the_three_lines_of_the_guide(port: int, tmp_path: Path) -> None:
    put, get, change = (
        line.replace("8080", str(port)) for line in read_lines("fleet-sites.md") if line.startswith("curl")
    )
    assert json.loads(run(put, tmp_path))["place"] == "Hall 4"
    etag = re.search(r'^etag: "(\w+)"', run(get, tmp_path), re.MULTILINE | re.IGNORECASE)
    assert etag is not None
    assert json.loads(run(change.replace("ETAG", etag[1]), tmp_path))["place"] == "Hall 5"
    assert json.loads(run(change.replace("ETAG", etag[1]), tmp_path))["status"] == 412
    written = (tmp_path / "fleet.toml").read_text(encoding="utf-8")
    assert 'name = "south"\nplace = "Hall 5"\ndevices = ["pack-3"]' in written
    assert 'name = "north"' in written


def test_the_backup_of_the_guide_is_restored_by_the_next_line(tmp_path: Path) -> None:
    backup, restore = (
        line.replace("postgresql://fleet@db/fleet", "sqlite:///fleet.sqlite")
        for line in read_lines("fleet-operation.md")
        if re.search(r"fleet (backup|restore) ", line)
    )
    open_store(tmp_path / "fleet.sqlite").close()
    assert "checked" in run(backup, tmp_path)
    (tmp_path / "fleet.sqlite").unlink()
    assert "came back" in run(restore, tmp_path)
    assert (tmp_path / "fleet.sqlite").is_file()
