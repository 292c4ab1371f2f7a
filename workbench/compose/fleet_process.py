"""A fleet on this machine in a process of its own: the broker given, a file for the rows, an API on 127.0.0.1.

The window stays free of the host's work and of its libraries. A closed pipe ends the process in order: it commits what
it has and says that it is offline.
"""

from __future__ import annotations

import multiprocessing
from contextlib import closing, suppress
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from drivers.errors import ApiMissing, PulseError, rebuild
from drivers.processes import start_child
from fixtures.broker import HOST, find_port

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path

START_S: Final = 60.0  # its libraries are loaded from a cold disk
STOP_S: Final = 10.0
TURN_S: Final = 0.05


class FleetProcess:
    """The process; `url` is the address of its API and stays the same over `restart`."""

    def __init__(self, broker: str, db: Path) -> None:
        """Start it, and wait until its API answers; raise what `FleetHost` raises."""
        self.broker, self.db = broker, db
        self._port = find_port()
        self._start()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.is_alive()

    def restart(self) -> None:
        """Start again at the same address."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """End it in order; a second call does nothing."""
        self._pipe.close()
        self._process.join(STOP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        arguments = (theirs, self.broker, self.db, self._port)
        self._process = context.Process(target=_serve, args=arguments, name="fleet")
        Finalize(
            self, self._pipe.close, exitpriority=1
        )  # else the end of this process would wait for that of the fleet
        start_child(self._process)
        theirs.close()
        try:
            failure = self._receive()
        except BaseException:
            self.stop()
            raise
        if failure is not None:
            self.stop()
            raise failure

    def _receive(self) -> PulseError | None:
        what, hint = "the process of the fleet has ended", "start it again"
        try:
            if not self._pipe.poll(START_S):
                what = f"the process of the fleet did not answer within {START_S:g} s"
                return ApiMissing(what, key="fleet", value=self.url, hint=hint)
            found: Any = self._pipe.recv()
        except (EOFError, OSError):
            return ApiMissing(what, key="fleet", value=self.url, hint=hint)
        return None if found is None else rebuild(found)


def _serve(pipe: Connection, broker: str, db: Path, port: int) -> None:
    try:
        _run(pipe, broker, db, port)
    except PulseError as error:
        with suppress(OSError):
            pipe.send(error.as_json())


def _run(pipe: Connection, broker: str, db: Path, port: int) -> None:
    from edge_bridge.fleet.api.settings import ApiSettings  # noqa: PLC0415  # not in the process of the window
    from edge_bridge.fleet.fleet_thread import read_clocks  # noqa: PLC0415
    from edge_bridge.fleet.process import FleetHost  # noqa: PLC0415
    from workbench.compose.fleet_api import HostSide, open_api  # noqa: PLC0415

    side = HostSide(broker)
    host = FleetHost(broker, db, read_clocks, tap=side.hub)
    with closing(host) as fleet, open_api(fleet, db, ApiSettings(HOST, port), side):
        pipe.send(None)
        while not pipe.poll():
            fleet.turn(TURN_S)
            side.turn(fleet, monotonic())
