"""The parts of a fleet as processes that are killed and started again: mosquitto, PostgreSQL, the host."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Literal, Self

import psutil

from drivers.errors import BenchError
from workbench.compose.broker import find_free_port, start_own_broker
from workbench.demo.demo_postgres import open_postgres
from workbench.selftest.verb_process import VerbProcess

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

START_S: Final = 120.0
RESTART_S: Final = 5.0  # RestartSec of deploy/systemd: a supervisor waits so long
Part = Literal["broker", "host", "PostgreSQL"]
PARTS: Final[tuple[Part, ...]] = ("broker", "host", "PostgreSQL")


class FleetStack:
    """Broker and database of one run, and one host at a time; a context that ends all."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """Start broker and database; raise `BrokerMissing` or `StoreFailed`."""
        self._folder, self._held = folder, ExitStack()
        self._host: VerbProcess | None = None
        self._api, self._store, self._starts = find_free_port(), "", 0
        try:
            self.database = self._held.enter_context(open_postgres(programs))
            self.broker = start_own_broker(folder / "broker", "mosquitto")
            self._held.callback(self.broker.stop)
        except BaseException:
            self._held.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._held:  # broker and database end although the host does not in order
            self.stop_host()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._api}"

    @property
    def pids(self) -> dict[str, int]:
        host = {} if self._host is None else {"host": self._host.pid}
        return {**host, "broker": self.broker.pid, "PostgreSQL": self.database.pid}

    def start_host(self, store: str) -> None:
        """Start a host that writes to `store`, and wait until its API answers; raise `BenchError`."""
        self._store = store
        self._starts += 1
        words = ["fleet", "--broker", self.broker.url, "--store", store, "--api", str(self._api)]
        self._host = VerbProcess(f"host-{self._starts}", words, self._folder / "logs")
        if not self._host.wait_for_line(("api ",), START_S):
            raise BenchError(f"the host does not start: {self._host.read_last_line()}", hint="read its log")

    def stop_host(self) -> dict[str, Any]:
        """End the host in order; return what it reports of itself."""
        host, self._host = self._host, None
        return host.stop() if host is not None else {}

    def kill(self, part: Part) -> None:
        """Send SIGKILL."""
        if part == "broker":
            self.broker.kill()
        elif part == "PostgreSQL":
            self.database.kill()
        elif self._host is not None:
            self._host.kill()

    def start_again(self, part: Part, pause_s: float = RESTART_S) -> None:
        """Start a killed part after the pause of its supervisor."""
        time.sleep(pause_s)
        if part == "broker":
            self.broker.restart()
        elif part == "PostgreSQL":
            self.database.start()
        else:
            self.start_host(self._store)


def read_cpu_s(pids: dict[str, int]) -> dict[str, float]:
    """Return the time of a core that each process has used, with its children, in s."""
    return {name: _read_tree(psutil.Process(pid)) for name, pid in pids.items()}


def _read_tree(process: psutil.Process) -> float:
    used_s = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used_s += times.user + times.system
    return used_s


def read_memory_mb(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    return psutil.Process(pid).memory_info().rss / 1e6
