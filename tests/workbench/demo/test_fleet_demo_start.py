"""The start of the demo: what refuses it, and what ends it before it is up."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.prometheus import find_free_port
from tests.waiting import wait_until
from tests.workbench.own_cli import run_here
from workbench.demo.fleet_demo import DemoOrder, FleetDemo

ROOT = Path(__file__).parents[3]


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_here("fleet", "demo", "--dir", tmp_path / "demo", "--api", port)
    assert done.returncode == 2
    assert f"http://127.0.0.1:{port} cannot be opened: Address already in use" in done.stderr
    assert "bundle " not in done.stderr
    assert not (tmp_path / "demo" / "logs").exists()


def test_a_second_demo_in_the_same_folder_is_refused_and_the_first_keeps_its_logs(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "host.json").write_text("of the first")
    with FleetDemo(DemoOrder(tmp_path, edges=0, nodes=1, api=0), lambda _: None):
        done = run_here("fleet", "demo", "--dir", tmp_path, "--edges", "0", "--api", find_free_port())
    assert done.returncode == 2
    assert "is in use by another demo; end it, or name another folder with --dir" in done.stderr
    assert (tmp_path / "logs" / "host.json").read_text() == "of the first"


@pytest.mark.live
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only POSIX has a terminal that hangs up")
@pytest.mark.parametrize("number", ["SIGINT", "SIGHUP"])
@pytest.mark.parametrize(("edges", "line"), [("0", "broker "), ("1", "bundle ")])
def test_ctrl_c_and_a_closed_terminal_end_the_start_and_leave_nothing(
    number: str, edges: str, line: str, tmp_path: Path
) -> None:
    words = ["fleet", "demo", "--dir", tmp_path / "demo", "--edges", edges, "--nodes", "2", "--json"]
    command = [sys.executable, ROOT / "main.py", *words, "--api", str(find_free_port())]
    told = tmp_path / "stderr.txt"
    with told.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT)
    own = psutil.Process(process.pid)
    try:
        wait_until(lambda: line in told.read_text() or process.poll() is not None, what=f"the line {line!r}")
        children = wait_until(lambda: own.children(recursive=True), what="a part")
        process.send_signal(getattr(signal, number))
        out, _ = process.communicate(timeout=60.0)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, json.loads(out)["error"]["code"]) == (130, "interrupted"), told.read_text()
    assert "ready " not in told.read_text()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
