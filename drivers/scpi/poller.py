"""One thread per instrument: connect, check the identity, run the exchange at its period, reconnect after a loss."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from drivers.clock import monotonic
from drivers.errors import (
    BenchError,
    CommandUnknown,
    LinkDropped,
    LinkError,
    LinkGarbage,
    LinkRefused,
    LinkSilent,
    UnfitRating,
    WrongModel,
)
from drivers.ports import Health, LinkState
from drivers.realtime import WIRE, ask_realtime
from drivers.scpi.link import ScpiLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.scpi.timeouts import CommandTimeouts
    from drivers.snapshot import Floats

T = TypeVar("T")

FIRST_RETRY_S: Final = 0.05
SLOWEST_RETRY_S: Final = 1.0
GARBAGE_IN_A_ROW: Final = 3
SERVICE_S: Final = 2.0  # for a service call, plus the time-outs of the exchange before it and of its own queries
_STATES: Final[dict[type[LinkError], LinkState]] = {
    LinkSilent: LinkState.SILENT,
    LinkDropped: LinkState.DROPPED,
    LinkGarbage: LinkState.GARBAGE,
    LinkRefused: LinkState.REFUSING,
    CommandUnknown: LinkState.UNFIT,
    UnfitRating: LinkState.UNFIT,
    WrongModel: LinkState.WRONG_MODEL,
}


@dataclass(frozen=True, slots=True)
class PollReading:
    """The result of one exchange: `values[n]` in SI, all sampled at `sampled_s`."""

    values: Floats
    sampled_s: float


class Dialogue(Protocol):
    """The exchange with one kind of instrument; runs on the poller's thread."""

    def greet(self, link: ScpiLink) -> None:
        """Check which instrument answers; raise `WrongModel`. Must energise nothing."""
        ...

    def exchange(self, link: ScpiLink) -> PollReading:
        """Send the newest set-points and read."""
        ...

    def forget(self) -> None:
        """Drop the set-points: the connection was lost, and the instrument must not act on old requests."""
        ...


class Poller:
    """Owner of the connection to one instrument; `reading` and `health` are the newest and never block."""

    def __init__(
        self,
        name: str,
        address: str,
        dialogue: Dialogue,
        period_s: float,
        *,
        timeouts: CommandTimeouts,
        gap_s: float = 0.0,
    ) -> None:
        """`gap_s`: the least time between two messages."""
        self.reading: PollReading | None = None
        self.health = Health(name, LinkState.CONNECTING, f"connecting to {address}")
        self.connections = 0
        self.peer = ""  # the numeric address of the last connection
        self._name, self._address = name, address
        self._dialogue = dialogue
        self._period_s, self._timeouts, self._gap_s = period_s, timeouts, gap_s
        self._calls: queue.SimpleQueue[tuple[Callable[[ScpiLink], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread and the connection; leave the instrument as it is."""
        self._closing.set()
        self._calls.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def call(self, act: Callable[[ScpiLink], T], times: float = 0.0) -> T:
        """Run `act` between two exchanges and return its result; raise `BenchError` while no instrument answers.

        `times`: how often `act` itself waits for the instrument to execute a command (time-out `obey`).
        """
        if self.health.state not in (LinkState.OK, LinkState.GARBAGE, LinkState.REFUSING, LinkState.CONNECTING):
            raise self._is_absent()
        timeout_s = SERVICE_S + self._timeouts.read + 2.0 * self._timeouts.ask + times * self._timeouts.obey
        future: Future[T] = Future()
        self._calls.put((act, future))
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise BenchError(f"executed no service call within {timeout_s:g} s", where=self._name) from None

    def _is_absent(self) -> BenchError:
        return BenchError(f"is {self.health.state}: {self.health.detail}", where=self._name)

    def _run(self) -> None:
        ask_realtime(WIRE)
        pause_s = FIRST_RETRY_S
        try:
            while not self._closing.is_set():
                before = self.connections
                try:
                    self._serve_connection()
                except LinkError as error:
                    self._handle_loss(error)
                pause_s = FIRST_RETRY_S if self.connections > before else min(2.0 * pause_s, SLOWEST_RETRY_S)
                self._closing.wait(pause_s)
        finally:
            why = "closed by the workbench" if self._closing.is_set() else "its thread has failed; see the log"
            self.health = Health(self._name, LinkState.CLOSED, why)
            self._fail_calls()

    def _serve_connection(self) -> None:
        """Open the connection and run exchanges until it is closed; raise `LinkError` when it fails."""
        with ScpiLink.open(self._address, self._timeouts.read, self._gap_s, self._timeouts.open) as link:
            self._dialogue.greet(link)
            self.peer = link.peer
            self.connections += 1
            self.health = Health(self._name, LinkState.OK)
            due_s, garbage = monotonic(), 0
            while not self._closing.is_set():
                try:
                    self.reading = self._dialogue.exchange(link)
                except (LinkGarbage, LinkRefused) as error:
                    error.where = error.where or self._address
                    garbage += 1
                    if garbage == GARBAGE_IN_A_ROW or not link.in_step:
                        raise
                    self.health = Health(self._name, _STATES[type(error)], str(error))
                else:
                    if garbage:
                        self.health, garbage = Health(self._name, LinkState.OK), 0
                due_s += self._period_s
                if due_s < monotonic():  # an exchange took longer than a period: keep the grid, skip periods
                    due_s += self._period_s * ((monotonic() - due_s) // self._period_s + 1.0)
                self._serve_until(link, due_s)

    def _serve_until(self, link: ScpiLink, due_s: float) -> None:
        while (left_s := due_s - monotonic()) > 0.0:
            try:
                call = self._calls.get(timeout=left_s)
            except queue.Empty:
                return
            if call is None:
                return
            act, future = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(act(link))
            except (LinkSilent, LinkDropped) as error:
                future.set_exception(error)
                raise
            except Exception as error:  # the caller handles it; the thread continues
                future.set_exception(error)
                if not link.in_step:
                    raise

    def _handle_loss(self, error: LinkError) -> None:
        self._dialogue.forget()
        error.where = error.where or self._address
        self.health = Health(self._name, _STATES.get(type(error), LinkState.DROPPED), str(error))
        self._fail_calls()

    def _fail_calls(self) -> None:
        while not self._calls.empty():
            call = self._calls.get()
            if call is not None and call[1].set_running_or_notify_cancel():
                call[1].set_exception(self._is_absent())
