"""A whole edge in a process of its own, a broker, and a fleet in this one: started, watched, killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.process import FleetHost
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 90.0
MAIN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from workbench.cli import main; sys.exit(main())"


@dataclass
class EdgeProcess:
    """`python main.py edge`; what it says on stderr is kept in `said`."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def heard(self, words: str) -> bool:
        return any(words in line for line in self.said)

    def wait_for(self, words: str) -> None:
        until(lambda: self.heard(words) or self.process.poll() is not None)
        assert self.heard(words), self.said

    def end(self) -> dict[str, Any]:
        """Ask it to leave; its result."""
        self.process.send_signal(signal.SIGTERM)
        return self.result()

    def result(self) -> dict[str, Any]:
        """Wait for its end; what it printed, with its status."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        status = self.process.wait(PATIENCE_S)
        self._close()
        return {**json.loads(out), "status": status}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(iter(lambda: self.process.stderr.readline().rstrip(), ""))  # type: ignore[union-attr]

    def _close(self) -> None:
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def start_edge(state: Path, trust: Path, broker: str, *options: str) -> EdgeProcess:
    command = [sys.executable, "-c", MAIN, str(ROOT), "edge", "--trust", str(trust), "--broker", broker]
    command += ["--dir", str(state), "--allow-sim", "--node", "pack-1", "--json", *options]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    return EdgeProcess(
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    )


def until(holds: Callable[[], Any], within_s: float = PATIENCE_S) -> None:
    wait_until(holds, within_s, every_s=0.02)


def turn_until(fleet: FleetHost, holds: Callable[[], Any], within_s: float = PATIENCE_S) -> None:
    """Let the fleet work until something holds."""
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s, (fleet.view(), "it never came about")
        fleet.turn(0.05)


def start_fleet(url: str, db: Path) -> FleetHost:
    return FleetHost(url, db, read_clocks)


def node(fleet: FleetHost) -> Any:
    """What the fleet knows of the edge, None before it has met it."""
    return next((found for found in fleet.view().nodes if found.node == "pack-1"), None)
