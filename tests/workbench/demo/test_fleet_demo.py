"""The demo of a fleet: what it starts works together, and Ctrl-C leaves nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import psutil
import pytest

from edge_bridge.fleet.fleet_thread import FleetSession
from fixtures.broker import start_broker
from tests.docs.markdown import blocks
from tests.prometheus import find_free_port
from tests.waiting import wait_until
from workbench.demo.demo_postgres import find_server
from workbench.demo.light_node import LightNode
from workbench.demo.light_nodes import run_light_nodes

if TYPE_CHECKING:
    from collections.abc import Generator

    from fixtures.broker import Broker

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[3]


@pytest.fixture
def broker(tmp_path: Path) -> Generator[Broker]:
    made = start_broker(tmp_path / "broker")
    yield made
    made.stop()


class Nodes:
    """Light nodes in a thread of their own."""

    def __init__(self, url: str, count: int) -> None:
        self.stop, self.made = threading.Event(), list[LightNode]()
        names = [f"light-{number}" for number in range(count)]

        def run() -> None:
            self.made += asyncio.run(
                run_light_nodes(url, names, self.stop, group="pulsebms", host="fleet", rate_hz=10.0)
            )

        self._thread = threading.Thread(target=run, name="light nodes")
        self._thread.start()

    def close(self) -> None:
        self.stop.set()
        self._thread.join()


def test_every_row_of_light_nodes_is_stored_once_though_the_broker_is_killed(broker: Broker, tmp_path: Path) -> None:
    with closing(FleetSession(broker.url, tmp_path / "fleet.db")) as fleet:
        wait_until(lambda: fleet.snapshot().connected, 60.0, "the fleet")
        with closing(Nodes(broker.url, 5)) as nodes:
            wait_until(lambda: fleet.snapshot().totals.stored >= 50, 60.0, "rows")
            broker.kill()
            wait_until(lambda: not fleet.snapshot().connected, 60.0, "the lost broker")
            broker.restart()
            before = fleet.snapshot().totals.stored
            wait_until(lambda: fleet.snapshot().totals.stored >= before + 50, 60.0, "rows after")
        produced = sum(node.produced for node in nodes.made)
        assert sum(node.depth for node in nodes.made) == 0
        assert len(nodes.made) == 5
        wait_until(lambda: fleet.snapshot().totals.stored == produced, 60.0, "all rows")
        assert fleet.snapshot().totals.missing == 0
        wait_until(lambda: not any(node.online for node in fleet.snapshot().nodes), 60.0, "their deaths")
        assert all(node.status["Gate/Verdict"] == "allowed" for node in fleet.snapshot().nodes)


def ask(url: str) -> Any:
    with urlopen(url) as answer:  # noqa: S310  # the demo of this test
        return json.loads(answer.read())


def read_page(port: int) -> list[str]:
    """The last lines that the guide shows, with the port of this demo."""
    shown = next(block.text for block in blocks(ROOT / "docs" / "fleet-in-ten-minutes.md") if "ready " in block.text)
    return [line.replace("8080", str(port)) for line in shown.splitlines() if "8080" in line]


@pytest.mark.slow
def test_the_demo_brings_up_a_fleet_and_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    """Without whole edges: a bundle needs a session on the emulated bench, which has tests of its own."""
    port, folder = find_free_port(), tmp_path / "demo"
    words = ["fleet", "demo", "--dir", str(folder), "--edges", "0", "--nodes", "6", "--api", str(port), "--json"]
    errors = (tmp_path / "stderr.txt").open("w+b")

    def told() -> str:
        return (tmp_path / "stderr.txt").read_text()

    process = subprocess.Popen(
        [sys.executable, ROOT / "main.py", *words], stdout=subprocess.PIPE, stderr=errors, cwd=ROOT
    )
    try:
        wait_until(lambda: "ready " in told() or process.poll() is not None, 110.0, "the demo", every_s=0.1)
        assert process.poll() is None, told()
        kind = "PostgreSQL, new and empty" if find_server() else "SQLite: no PostgreSQL server"
        assert f"database {kind}" in told()
        url = f"http://127.0.0.1:{port}/api/v1/devices"
        assert ask(url)["counts"]["online"] == 6
        assert [line for line in read_page(port) if line not in told().splitlines()] == []
        with urlopen(f"http://127.0.0.1:{port}/") as answer:  # the demo of this test
            assert "<title>PulseBMS fleet</title>" in answer.read().decode()
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60.0)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
        errors.close()
    body = json.loads(out)
    assert (process.returncode, body["ok"], body["nodes"]) == (0, True, 6)
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    light = json.loads((folder / "logs" / "light-nodes.json").read_text())
    assert (light["ok"], light["waiting"]) == (True, 0)
    host = json.loads((folder / "logs" / "host.json").read_text())
    assert (host["stored"], host["missing"], host["duplicates"]) == (light["produced"], 0, 0)
