"""The demo: start all parts in their order, watch them, end them in the opposite order."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Self
from urllib.error import HTTPError
from urllib.request import urlopen

from drivers.clock import monotonic
from drivers.errors import BenchError, Usage
from edge_bridge.fleet.store.sqlite_file import WriterLock
from workbench.compose.broker import find_free_port, start_own_broker
from workbench.demo.demo_bundle import make_bundle
from workbench.demo.demo_error import make_demo_error
from workbench.demo.demo_postgres import find_server, serve_postgres
from workbench.selftest.verb_process import VerbProcess
from workbench.signals import raise_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START_S: Final = 120.0
LOOK_S: Final = 0.2
ASK_S: Final = 10.0
ONLINE: Final = "pulsebms_fleet_devices_online"


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
        self._held, self._metrics = ExitStack(), find_free_port()

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
        own = start_own_broker(order.folder / "broker")
        self._held.callback(own.stop)
        broker = own.url
        self._log(f"broker   {broker}")
        store = self._open_store()
        raise_interrupt()
        words = ["--broker", broker, "--store", store, "--api", str(order.api), "--metrics", str(self._metrics)]
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
        """Return how many packs are online; raise `BenchError` if the host does not answer.

        Its own port for metrics tells it: the API asks who is there once a kept database has accounts.
        """
        try:
            with urlopen(f"http://127.0.0.1:{self._metrics}/metrics", timeout=ASK_S) as answer:  # our own address
                lines = answer.read().decode().splitlines()
        except OSError as error:
            raise self._make_error(f"the host does not answer: {error}", "read the log of the host") from error
        return next(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith(f"{ONLINE} "))

    def asks_for_sign_in(self) -> bool:
        """Return whether the API serves only people with an account; raise `BenchError` if it does not answer."""
        try:
            with urlopen(f"{self.url}/api/v1/devices?limit=1", timeout=ASK_S):  # noqa: S310  # our own address
                return False
        except HTTPError as error:
            error.close()
            if error.code == HTTPStatus.UNAUTHORIZED:
                return True
            raise self._make_error(f"the API answers: {error}", "read the log of the host") from error
        except OSError as error:
            raise self._make_error(f"the API does not answer: {error}", "read the log of the host") from error

    def check(self) -> None:
        """Raise `BenchError` for a part that has ended."""
        for part in self._parts:
            if not part.is_running:
                hint = f"read {self._order.folder / 'logs' / part.name}.log"
                raise self._make_error(f"{part.name} {part.describe_end()}", hint)

    def _open_store(self) -> str:
        programs = None if self._order.sqlite else find_server()
        if programs is None:
            self._log("database SQLite" + ("" if self._order.sqlite else ": no PostgreSQL server is installed"))
            return f"sqlite:///{self._order.folder / 'fleet.sqlite'}"
        url = self._held.enter_context(serve_postgres(programs))
        self._log("database PostgreSQL, new and empty; it ends with the demo")
        return url

    def _make_error(self, what: str, hint: str) -> BenchError:
        return make_demo_error(what, self._order.folder, hint)

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
                raise self._make_error(f"{what}: not within {START_S:g} s: {part.read_last_line()}", "read its log")
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
