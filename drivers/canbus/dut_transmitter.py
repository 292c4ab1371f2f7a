"""Send heartbeat and request to a device under test, each as its map declares."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from drivers.canbus.device_behaviour import PERIOD_MS
from drivers.clock import monotonic
from drivers.realtime import WIRE, ask_realtime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.canbus.dbc import DbcMessage
    from drivers.canbus.dut_map import DutFile

MARGIN_S: Final = 0.05  # an equal request waits so much longer than `ignored_ms`, because the device has another clock
RETRY_S: Final = 0.1
NEVER: Final = float("inf")


class ChangeRequests:
    """Due time of a request sent on change: now if it differs from the last, else when the device accepts it again."""

    def __init__(self, ignored_s: float) -> None:
        self.due_s = NEVER
        self._wait_s = ignored_s + MARGIN_S if ignored_s else 0.0
        self._sent: Mapping[str, float] | None = None
        self._sent_s = -NEVER

    def request(self, requested: Mapping[str, float], now_s: float) -> None:
        """Set the requested values to `requested` from `now_s` on."""
        self.due_s = max(now_s, self._sent_s + self._wait_s) if requested == self._sent else now_s

    def repeat(self, now_s: float) -> None:
        """Make the request due again: the device may not have received the last one."""
        self._sent, self.due_s = None, now_s

    def sent(self, requested: Mapping[str, float], now_s: float, *, accepted: bool) -> None:
        """Note that `requested` was sent, or that the bus did not accept it."""
        self.due_s = NEVER if accepted else now_s + RETRY_S
        if accepted:
            self._sent, self._sent_s = requested, now_s


class DutTransmitter:
    """A thread that sends by `send(message, payload)`, which returns whether the frame was sent and must not raise."""

    def __init__(
        self, file: DutFile, messages: Mapping[str, DbcMessage], send: Callable[[DbcMessage, bytes], bool]
    ) -> None:
        self._rules = rules = file.request
        self._heartbeat = None if file.heartbeat is None else messages[file.heartbeat.message]
        self._request = messages[rules.message]
        usual_ms = PERIOD_MS if file.heartbeat is None else file.heartbeat.period_ms
        self._beat_s: Final = usual_ms / 1000.0
        self._request_s: Final = (rules.period_ms or usual_ms) / 1000.0
        self._on_change = ChangeRequests(rules.ignored_ms / 1000.0) if rules.send == "on change" else None
        self._send = send
        self._beating = False
        self._requested: dict[str, float] | None = None
        self._beats = self._requests = 0
        self.last_beat_s = float("nan")  # when the newest heartbeat was passed to `send`
        self._closing = False
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="talk dut", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._changed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def heartbeat(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Start or stop the heartbeat; do nothing if the device expects none."""
        self._beating = on and self._heartbeat is not None

    def request(self, contactor: str, *, reset: bool, balance_off: bool) -> None:
        rules = self._rules
        requested: dict[str, float] = {rules.signal: rules.words[contactor]}
        if rules.reset_signal is not None:
            requested[rules.reset_signal] = reset
        if rules.balance_signal is not None:
            requested[rules.balance_signal] = balance_off == (rules.balance == "off")
        if requested != self._requested or self._on_change is not None:
            self._set_request(requested)

    def forget(self) -> None:
        """Withdraw a close and a reset: a device back after silence must not act on old requests. An open stays."""
        rules, requested = self._rules, self._requested
        if requested is not None and requested[rules.signal] == rules.close:
            without = {} if rules.reset_signal is None else {rules.reset_signal: 0}
            self._set_request({**requested, rules.signal: rules.words["none"], **without})

    def repeat(self) -> None:
        """Repeat the request to a device that is received again; a cyclic request repeats anyway."""
        if self._on_change is not None and self._requested is not None:
            self._on_change.repeat(monotonic())
            self._changed.set()

    def _set_request(self, requested: dict[str, float]) -> None:
        self._requested = requested
        if self._on_change is not None:
            self._on_change.request(requested, monotonic())
        self._changed.set()

    def _run(self) -> None:
        ask_realtime(WIRE)
        beat_s = request_s = monotonic()
        while not self._closing:
            due_s = min(beat_s, request_s if self._on_change is None else self._on_change.due_s)
            if self._changed.wait(max(0.0, due_s - monotonic())):
                self._changed.clear()
                self._send_pending()
                continue
            now_s = monotonic()
            if now_s >= beat_s:
                self._beat()
                beat_s = max(beat_s + self._beat_s, now_s)
            if self._on_change is not None:
                self._send_pending()
            elif now_s >= request_s:
                self._send_request()
                request_s = max(request_s + self._request_s, now_s)

    def _beat(self) -> None:
        if self._beating and self._heartbeat is not None:
            self.last_beat_s = monotonic()
            self._send(self._heartbeat, self._heartbeat.encode({}, self._beats))
            self._beats += 1

    def _send_pending(self) -> None:
        """Send a changed cyclic request at once, and a request on change when it is due."""
        if self._on_change is None or monotonic() >= self._on_change.due_s:
            self._send_request()

    def _send_request(self) -> None:
        requested = self._requested
        if requested is None or self._closing:
            return
        accepted = self._send(self._request, self._request.encode(requested, self._requests))
        self._requests += 1
        if self._on_change is not None:
            self._on_change.sent(requested, monotonic(), accepted=accepted)
            if requested != self._requested:  # another thread changed the request meanwhile
                self._on_change.request(self._requested or requested, monotonic())
