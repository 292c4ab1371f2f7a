"""The fleet's side of the process that computes jobs: it is started with the first order, and again after it ended."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any, Protocol

from drivers.processes import start_child
from edge_bridge.fleet.twins.worker import compute_order, serve_orders

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from edge_bridge.fleet.twins.twin_order import TwinOrder
    from edge_bridge.fleet.twins.worker import Compute


class TwinWorker(Protocol):
    """What computes one order after the other."""

    def begin(self, order: TwinOrder) -> None:
        """Begin an order; raise `OSError` if no process can be started."""
        ...

    def receive(self, wait_s: float) -> tuple[str, Any] | None:
        """Return a message of the worker, None if none comes in this time; raise `EOFError` if it has ended."""
        ...

    def close(self) -> None:
        """End it, whatever it does."""
        ...


class WorkerProcess:
    """A `TwinWorker` in a process of its own."""

    def __init__(self, compute: Compute = compute_order) -> None:
        self._compute = compute
        self._running: tuple[SpawnProcess, Any] | None = None  # and our end of the pipe

    @property
    def pid(self) -> int:
        """Return the id of the process, 0 while there is none."""
        return 0 if self._running is None else self._running[0].pid or 0

    def begin(self, order: TwinOrder) -> None:
        try:
            self._start().send(order)
        except OSError:  # it has ended since the job before
            self.close()
            self._start().send(order)

    def _start(self) -> Any:
        """Return the connection to the process; start one if there is none."""
        if self._running is not None and not self._running[0].is_alive():
            self.close()
        if self._running is None:
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            process = context.Process(
                target=serve_orders, args=(theirs, self._compute), name="fleet twins", daemon=True
            )
            start_child(process)
            theirs.close()
            self._running = process, ours
            return ours
        return self._running[1]

    def receive(self, wait_s: float) -> tuple[str, Any] | None:
        if self._running is None:
            raise EOFError
        link = self._running[1]
        try:
            return link.recv() if link.poll(wait_s) else None
        except OSError as error:
            raise EOFError from error

    def close(self) -> None:
        if self._running is not None:
            process, link = self._running
            self._running = None
            link.close()
            process.kill()
            process.join()
            process.close()
