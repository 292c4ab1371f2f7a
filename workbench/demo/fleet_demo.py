"""The demo: start all parts in their order, watch them, end them in the opposite order."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from urllib.request import urlopen

from drivers.clock import monotonic
from drivers.errors import BenchError, Usage
from edge_bridge.fleet.store.sqlite_file import WriterLock
from workbench.compose.broker import open_broker
from workbench.demo.demo_bundle import make_bundle
from workbench.demo.demo_postgres import find_server, serve_postgres
from workbench.selftest.verb_process import VerbProcess
from workbench.signals import raise_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START_S: Final = 120.0
LOOK_S: Final = 0.2
ASK_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """What to start: `edges` whole edges with an emulated pack each, `nodes` light nodes, the port of the API."""

    folder: Path
    edges: int
    nodes: int
    api: int
    sqlite: bool = False


class FleetDemo:
    """The parts of a demo; a context that ends all of them."""

    def __init__(self, order: DemoOrder, log: Callable[[str], None]) -> None:
        self._order, self._log = order, log
        self._parts = list[VerbProcess]()
        self._held = ExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._order.api}"

    def __enter__(self) -> Self:
        """Hold the folder; raise `Usage` if another demo does."""
        folder = self._order.folder
        try:
            self._held.callback(WriterLock(folder / "demo").close)
        except BlockingIOError as error:
            hint = "end it, or name another folder with --dir and another port with --api"
            raise Usage("is in use by another demo", where=str(folder), key="dir", hint=hint) from error
        return self

    def __exit__(self, *_: object) -> None:
        for part in reversed(self._parts):  # edges and nodes first, so that the host takes their last rows
            part.stop()
        self._held.close()

    def start(self) -> None:
        """Start all. Raise `PulseError` if a part does not; raise `KeyboardInterrupt` after a Ctrl-C."""
        order = self._order
        bundle, trust = make_bundle(order.folder, self._log) if order.edges else (None, None)
        broker = self._held.enter_context(open_broker("local"))
        self._log(f"broker   {broker}")
        store = self._open_store()
        raise_interrupt()
        words = ["--broker", broker, "--store", store, "--api", str(order.api)]
        host = self._start_part("host", ["fleet", *words])
        self._wait_for(host, ("api ",), "the host serves its API")
        for number in range(1, order.edges + 1):
            name = f"pack-{number}"
            words = ["--bundle", str(bundle), "--trust", str(trust), "--broker", broker, "--allow-sim"]
            words += ["--node", name, "--dir", str(order.folder / name), "--rate", "1"]
            self._start_part(name, ["edge", *words])
        if order.nodes:
            words = ["--broker", broker, "--count", str(order.nodes)]
            self._start_part("light-nodes", ["fleet", "light-nodes", *words])
        self._log(f"edges    {order.edges} with an emulated pack each, {order.nodes} light nodes")

    def count_online(self) -> int:
        """Return how many packs the API calls online; raise `BenchError` if it does not answer."""
        try:
            with urlopen(f"{self.url}/api/v1/devices?limit=1", timeout=ASK_S) as answer:  # noqa: S310  # our own address
                return int(json.loads(answer.read())["counts"]["online"])
        except OSError as error:
            raise BenchError(f"the API does not answer: {error}", hint="read the log of the host") from error

    def check(self) -> None:
        """Raise `BenchError` for a part that has ended."""
        for part in self._parts:
            if not part.is_running:
                hint = f"read {self._order.folder / 'logs' / part.name}.log"
                raise BenchError(f"{part.name} {part.describe_end()}", hint=hint)

    def _open_store(self) -> str:
        programs = None if self._order.sqlite else find_server()
        if programs is None:
            self._log("database SQLite" + ("" if self._order.sqlite else ": no PostgreSQL server is installed"))
            return f"sqlite:///{self._order.folder / 'fleet.sqlite'}"
        url = self._held.enter_context(serve_postgres(programs))
        self._log("database PostgreSQL, new and empty; it ends with the demo")
        return url

    def _start_part(self, name: str, words: list[str]) -> VerbProcess:
        part = VerbProcess(name, words, self._order.folder / "logs")
        self._parts.append(part)
        return part

    def _wait_for(self, part: VerbProcess, words: tuple[str, ...], what: str) -> None:
        until_s = monotonic() + START_S
        while not part.has_line(words):
            raise_interrupt()
            self.check()
            if monotonic() > until_s:
                raise BenchError(f"{what}: not within {START_S:g} s: {part.read_last_line()}", hint="read its log")
            time.sleep(LOOK_S)


def wait_for_packs(demo: FleetDemo, count: int) -> None:
    """Wait until `count` packs are online; raise `BenchError` if not in time, `KeyboardInterrupt` after a Ctrl-C."""
    until_s = monotonic() + START_S
    while (online := demo.count_online()) < count:
        raise_interrupt()
        demo.check()
        if monotonic() > until_s:
            raise BenchError(f"only {online} of {count} packs came online", hint="read the logs in the folder")
        time.sleep(LOOK_S)


def watch(demo: FleetDemo, is_over: Callable[[], bool], duration_s: float | None) -> None:
    """Wait until it is over; raise `BenchError` for a part that ends before."""
    until_s = float("inf") if duration_s is None else monotonic() + duration_s
    while not is_over() and monotonic() < until_s:
        demo.check()
        time.sleep(LOOK_S)
