"""The engine: one thread turns the loop, one handles the client's requests, one sends the status to the client."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from control.state import BenchState
from drivers import source_names
from drivers.channel_names import BMS_POWER
from drivers.clock import monotonic
from drivers.errors import (
    DEFECT,
    REPORT_IT,
    BenchFileError,
    PulseError,
    as_message,
    describe_error,
    is_defect,
)
from drivers.event import DETAIL, Event, Level
from drivers.realtime import ENGINE_THREADS, LOOP, ask_realtime, leave_realtime
from drivers.suspend import SleepInhibitor
from workbench.engine import status
from workbench.engine.bench_checks import read_checked_bench
from workbench.engine.client_sender import ClientSender
from workbench.engine.command_handler import CommandHandler
from workbench.engine.link_events import LinkEvents
from workbench.engine.outputs_off import OutputsOff
from workbench.engine.request_queue import RequestQueue
from workbench.session import messages
from workbench.session.actions import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from control.tick import Tick
    from workbench.engine.live_bench import ComposeBench, LiveBench
    from workbench.session.order import EngineOrder

NEWS_S: Final = 0.1
TRIP_S: Final = 0.1
SWITCH_S: Final = 0.0005  # a thread that computes yields to the loop after half a millisecond


class Engine:
    """The server of one client, from spawn to leave; it holds at most one live bench in its life."""

    def __init__(self, order: EngineOrder, client: Connection, guard_client: Connection, compose: ComposeBench) -> None:
        """Keep `compose`, which builds the live bench of a bench file when a client connects."""
        self.order = order
        self.compose = compose
        self.to_client = ClientSender(client)
        self.guard_client = guard_client
        self.bench: LiveBench | None = None
        self.realtime_words = ""
        self.attended = not order.unattended
        self._client = client
        self._requests = RequestQueue()
        self._between: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._turning = threading.Event()
        self._stop_loop = threading.Event()
        self._left = threading.Event()
        self._status_lock = threading.Lock()
        self.commands: CommandHandler
        self.outputs_off: OutputsOff

    def serve(self) -> None:
        """Serve until the client leaves, or is gone in an attended run, or an unattended run has ended."""
        import sys  # noqa: PLC0415  # only here

        sys.setswitchinterval(SWITCH_S)
        try:
            checked = read_checked_bench(self.order.bench)
        except BenchFileError as error:
            details = "\n".join(str(other) for other in error.others)
            failure = Failure(error.sentence, error.hint, details, as_message(error))
            self.to_client.send(messages.BenchUnreadable(failure))
            self._await_client_end()
            return
        bench = checked.bench
        self.to_client.send(messages.BenchDeclared(checked.info))
        self.attended = bench.bench.attended and self.attended
        self.commands = CommandHandler(self, bench)
        self.outputs_off = OutputsOff(self)
        for work in (self._receive_requests, self._handle_requests, self._publish_status):
            threading.Thread(target=work, name=work.__name__.strip("_"), daemon=True).start()
        self._turn()
        self.outputs_off.close()
        self.to_client.flush()

    # -- the loop's thread

    def _turn(self) -> None:
        self.realtime_words = ask_realtime(LOOP)
        while not self._left.is_set():
            if self._turning.wait(0.1) and self.bench is not None:
                self.bench.loop.run(self._after_turn)
                self._turning.clear()
                self._stop_loop.clear()

    def _after_turn(self, tick: Tick) -> bool:
        self._run_calls()
        for event in tick.events:
            self.to_client.send_event(event)
        self.commands.check(tick)
        return self._stop_loop.is_set()

    def between_turns(self, act: Callable[[], Any], within_s: float = 2.0) -> Any:
        """Run `act` on the loop's thread between two turns; return its result, raise what it raises.

        Raise `PulseError` if the loop has not begun it within `within_s`; it is never done later then.
        """
        if not self._turning.is_set():
            return act()
        future: Future[Any] = Future()
        self._between.put((act, future))
        try:
            return future.result(within_s)
        except TimeoutError:
            if future.cancel():  # what nobody waits for any more is not done later
                raise PulseError("the control loop does not run", hint="disconnect and connect again") from None
            return future.result(within_s)  # the loop has begun it

    def _run_calls(self) -> None:
        while not self._between.empty():
            act, future = self._between.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(act())
            except Exception as error:  # noqa: BLE001  # passed to the calling thread
                future.set_exception(error)

    def trip(self, reason: str) -> None:
        """Trip before anything else; if the control loop does not run, trip on the calling thread."""
        if (station := self.bench) is None:
            return
        try:
            self.between_turns(lambda: station.loop.trip(reason), within_s=TRIP_S)
        except PulseError:
            station.loop.trip(reason)

    def begin_turning(self) -> None:
        """Let the loop turn; request real-time priority for the calling thread too: it shares the interpreter."""
        ask_realtime(ENGINE_THREADS)
        self._turning.set()

    def end_turning(self) -> None:
        """Stop the loop and wait until it has stopped."""
        if self._turning.is_set():
            self._stop_loop.set()
            until_s = monotonic() + 2.0
            while self._turning.is_set() and monotonic() < until_s:
                time.sleep(0.002)
        leave_realtime()

    # -- the client's threads

    def _receive_requests(self) -> None:
        ask_realtime(ENGINE_THREADS)
        with contextlib.suppress(EOFError, OSError):
            while True:
                request: messages.Request = self._client.recv()
                if request.verb == "outputs off":
                    self.outputs_off.press(request.number)
                elif request.verb == "connect":
                    self.commands.connect_cancelled.clear()
                    self.commands.connecting = True  # an OUTPUTS OFF that follows waits for the bench
                    self._requests.put(request)
                elif request.verb == "cancel":
                    self.commands.cancel()
                elif request.verb == "withdraw":
                    self._requests.withdraw(request.number)
                elif request.verb == "leave":
                    self.commands.cancel()
                    self._requests.put(request)
                else:
                    self._requests.put(request)
        self.commands.cancelled.set()
        self._requests.put(messages.Request(0, "client gone"))

    def _handle_requests(self) -> None:
        while not self._left.is_set():
            request = self._requests.take()
            failure, payload = None, dict[str, Any]()
            try:
                payload = self.commands.handle(request) or {}
            except PulseError as error:
                failure = Failure(error.sentence, error.hint, error_json=as_message(error))
                self.to_client.send_event(Event(Level.WARNING, request.verb, str(error)))
            except Exception as error:  # noqa: BLE001  # an action may fail in any way, the engine continues
                import traceback  # noqa: PLC0415  # only here

                cause, hint = (DEFECT, REPORT_IT) if is_defect(error) else (describe_error(error), "")
                failure = Failure(f"{request.verb} failed: {cause}", hint, traceback.format_exc())
                data = {DETAIL: failure.details}
                self.to_client.send_event(Event(Level.ALARM, request.verb, failure.sentence, data))
            self.publish()
            if request.number:
                self.to_client.send(messages.Response(request.number, failure, payload))
            if self.commands.has_left:
                self.to_client.flush()
                self._left.set()

    def enqueue(self, request: messages.Request) -> None:
        """Queue a request for the operator's thread."""
        self._requests.put(request)

    def leave(self) -> None:
        """Request to make the bench safe, seal the run and end."""
        self.enqueue(messages.Request(0, "leave"))

    def publish(self) -> None:
        """Send the present status to the client, before the messages that follow."""
        self._send_status(self.to_client.send)

    def _send_status(self, send: Callable[[messages.StatusUpdate], None]) -> None:
        """Send one status at a time: an earlier status must not arrive after a later one."""
        with self._status_lock:
            send(messages.StatusUpdate(status.make_status(self)))

    def _publish_status(self) -> None:
        ask_realtime(ENGINE_THREADS)
        wires, inhibitor = LinkEvents(), SleepInhibitor()
        while not self._left.wait(NEWS_S):
            inhibitor.keep(self.commands.state in (BenchState.ARMED, BenchState.RUNNING))
            self.to_client.report_repeats()
            if (station := self.bench) is not None:
                if station.read(BMS_POWER) == 0.0:
                    wires.forget(source_names.DUT)
                for event in wires.take_changes(station.health):
                    self.to_client.send_event(event)
                self.report_changes(station)
                self._send_status(self.to_client.send_status)
        inhibitor.close()

    def report_changes(self, station: LiveBench) -> None:
        """Send an event for each change at an instrument."""
        for event in station.news():
            self.to_client.send_event(event)

    def _await_client_end(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while self._client.recv().verb != "leave":
                pass
