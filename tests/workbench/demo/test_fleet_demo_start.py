"""The start of the demo: what refuses it, and what ends it before it is up."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from edge_bridge.fleet.store.open_store import open_store
from tests.prometheus import find_free_port
from tests.waiting import wait_until
from tests.workbench.own_cli import run_here
from workbench.demo.demo_error import make_demo_error
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


def start_demo(folder: Path, port: int, *words: str) -> subprocess.Popen[bytes]:
    """Start a demo; what it says is in `stderr.txt` beside its folder."""
    command = [sys.executable, ROOT / "main.py", "fleet", "demo", "--dir", folder, "--api", str(port), "--json", *words]
    with (folder.parent / "stderr.txt").open("wb") as errors:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT)


def wait_for_demo(process: subprocess.Popen[bytes], told: Path, line: str) -> None:
    wait_until(lambda: line in told.read_text() or process.poll() is not None, 110.0, f"the line {line!r}")
    assert line in told.read_text(), told.read_text()


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed parent cannot end mosquitto")
@pytest.mark.parametrize(("edges", "line"), [("0", "ready "), ("1", "bundle ")])
def test_a_demo_that_is_killed_leaves_no_process_and_no_database(edges: str, line: str, tmp_path: Path) -> None:
    port, told = find_free_port(), tmp_path / "stderr.txt"
    words = ("--edges", edges, "--nodes", "3")
    process = start_demo(tmp_path / "demo", port, *words)
    own = psutil.Process(process.pid)
    try:
        wait_for_demo(process, told, line)
        children = wait_until(lambda: own.children(recursive=True), what="a part")
        folders = {Path(word).parent for child in children for word in child.cmdline() if word.endswith("/data")}
    finally:
        process.kill()
        process.communicate()
    try:
        wait_until(lambda: not [one for one in children if is_alive(one)], 60.0, "the end of all parts")
    finally:
        for child in filter(is_alive, children):
            child.kill()
    assert not [folder for folder in folders if folder.exists()]
    if edges == "0":
        assert len(children) >= 4
        again = start_demo(tmp_path / "demo", port, *words, "--duration", "1")
        out, _ = again.communicate(timeout=110.0)
        assert (again.returncode, json.loads(out)["ok"]) == (0, True), told.read_text()


@pytest.mark.live
@pytest.mark.slow
def test_a_kept_database_with_accounts_serves_a_later_demo(tmp_path: Path) -> None:
    folder, told = tmp_path / "demo", tmp_path / "stderr.txt"
    folder.mkdir()
    file = folder / "fleet.sqlite"
    open_store(file).close()
    words = ["fleet", "account", "add", "anna", "--role", "administrator", "--db", str(file)]
    subprocess.run([sys.executable, ROOT / "main.py", *words], input=b"a horse in a blue boat\n", cwd=ROOT, check=True)
    process = start_demo(folder, find_free_port(), *("--edges", "0", "--nodes", "2", "--sqlite", "--duration", "1"))
    out, _ = process.communicate(timeout=110.0)
    assert (process.returncode, json.loads(out)["ok"]) == (0, True), told.read_text()
    assert f"sign in: the database in {folder} has accounts" in told.read_text()


def test_an_error_on_a_full_disk_names_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_demo_error("the host ended", tmp_path, "read its log").what == "the host ended"

    def find_little(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=4096)

    monkeypatch.setattr(shutil, "disk_usage", find_little)
    error = make_demo_error("the host ended", tmp_path, "read its log")
    assert str(error).startswith(f"no space is left on the disk of {tmp_path}: the host ended; free some space")
