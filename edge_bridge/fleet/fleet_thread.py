"""A fleet host in its own thread, for a window that reads it a few times a second."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import PulseError
from edge_bridge.fleet.bundle_transfer import TransferProgress, read_bundle
from edge_bridge.fleet.host import Instant
from edge_bridge.fleet.names import make_unknown_node_error
from edge_bridge.fleet.process import GROUP, HOST, FleetHost

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.fleet.view import FleetView

TURN_S: Final = 0.1
VIEW_S: Final = 0.1


def read_clocks() -> Instant:
    """Read the machine's clocks."""
    return Instant(time.time_ns() // 1_000_000, monotonic())


class FleetSession:
    """The session of a window with a fleet thread: snapshots out, bundles in. Only the start and `close` block."""

    def __init__(self, broker: str, db: Path, *, group: str = GROUP, host: str = HOST) -> None:
        """`broker` is mqtt://HOST:PORT. Raise what `FleetHost` raises, for instance `Usage` for a file not its own."""
        self._tasks = queue.Queue[tuple[bytes, str]]()
        self._closing, self._ready = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._view: FleetView | None = None
        self._thread = threading.Thread(target=self._run, args=(broker, db, group, host), name="fleet", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def snapshot(self) -> FleetView:
        """Return the fleet as of a tenth of a second ago; raise `PulseError` if its thread has failed."""
        if self._failure is not None:
            words = f"the fleet has stopped: {self._failure}"
            raise PulseError(words, hint="close the page and open it again") from self._failure
        assert self._view is not None  # noqa: S101  # the constructor waited for the first
        return self._view

    def send_bundle(self, path: Path, node: str) -> None:
        """Start to send the file to a known node; raise `Usage`."""
        data = read_bundle(path)
        if all(known.node != node for known in self.snapshot().nodes):
            raise make_unknown_node_error(node, [known.node for known in self.snapshot().nodes])
        self._tasks.put((data, node))

    def progress(self, node: str) -> TransferProgress | None:
        """Return the progress of the newest bundle for this node, `None` if none was sent."""
        return next((known.sending for known in self.snapshot().nodes if known.node == node), None)

    def close(self) -> None:
        """Commit, publish STATE offline and end the thread. A second call does nothing."""
        self._closing.set()
        self._thread.join()

    def _run(self, broker: str, db: Path, group: str, host: str) -> None:
        try:
            fleet = FleetHost(broker, db, read_clocks, group=group, host=host)
        except BaseException as error:  # noqa: BLE001  # the constructor raises it again
            self._failure = error
            self._ready.set()
            return
        try:
            with closing(fleet):
                self._serve(fleet)
        except BaseException as error:  # noqa: BLE001  # `snapshot` reports it
            self._failure = error
        self._ready.set()

    def _serve(self, fleet: FleetHost) -> None:
        due_s = 0.0
        while not self._closing.is_set():
            if monotonic() >= due_s:
                self._view, due_s = fleet.view(), monotonic() + VIEW_S
                self._ready.set()
            while not self._tasks.empty():
                fleet.send_bundle(*self._tasks.get())
            fleet.turn(TURN_S)
