"""What the workbench sends to a device under test: heartbeat and request, each on its cycle."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from drivers.realtime import WIRE, ask_realtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.canbus.dbc import Message
    from drivers.canbus.dut_map import DutMap


class Talker:
    """A thread that sends through `send(message, payload)`, which must not raise."""

    def __init__(self, mapped: DutMap, send: Callable[[Message, bytes], None]) -> None:
        self._rules = mapped.file.request
        self._heartbeat = mapped.messages[mapped.file.heartbeat.message]
        self._request = mapped.messages[mapped.file.request.message]
        self._period_s: Final = mapped.file.heartbeat.period_ms / 1000.0
        self._send = send
        self._beating = False
        self._asked: dict[str, float] | None = None
        self._beats = self._requests = 0
        self.last_beat_s = float("nan")  # when the newest heartbeat was handed over
        self._closing = False
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._run, name="talk dut", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing = True
        self._news.set()
        if self._thread.ident is not None:
            self._thread.join()

    def heartbeat(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        self._beating = on

    def request(self, contactor: str, *, reset: bool, balance_off: bool) -> None:
        rules = self._rules
        words = {"open": rules.open, "close": rules.close, "none": rules.none}
        asked: dict[str, float] = {
            rules.signal: words[contactor],
            rules.reset_signal: reset,
            rules.balance_signal: balance_off,
        }
        if asked != self._asked:
            self._asked = asked
            self._news.set()

    def forget(self) -> None:
        """Take back a close and a reset: who comes back after a silence must not act on old wishes. An open stays."""
        rules, asked = self._rules, self._asked
        if asked is not None and asked[rules.signal] == rules.close:
            self._asked = {**asked, rules.signal: rules.none, rules.reset_signal: 0}

    def _run(self) -> None:
        ask_realtime(WIRE)
        due_s = time.monotonic()
        while not self._closing:
            if self._news.wait(max(0.0, due_s - time.monotonic())):
                self._news.clear()
                self._ask()
                continue
            if self._beating:
                self.last_beat_s = time.monotonic()
                self._send(self._heartbeat, self._heartbeat.encode({}, self._beats))
                self._beats += 1
            self._ask()
            due_s = max(due_s + self._period_s, time.monotonic())

    def _ask(self) -> None:
        if self._asked is not None and not self._closing:
            self._send(self._request, self._request.encode(self._asked, self._requests))
            self._requests += 1
