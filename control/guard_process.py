"""The guard's process: blocks on its peers, looks at the newest row, speaks first and reports after."""

from __future__ import annotations

import gc
import json
import math
import os
import queue
import statistics
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final

from control.guard import CONTACTORS_OPEN, MARK, RESET, GuardSpec, Watch
from drivers.errors import BenchError
from drivers.lastword import TcpMouth
from drivers.realtime import GUARD, ask_realtime
from drivers.ring import RingReader

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from drivers.lastword import Spoken, StepResult

WAIT_S: Final = 0.01  # how long nobody may say anything before silence is judged
BEAT_S: Final = 0.025  # half of what the engine may wait for
REPEAT_S: Final = 1.0  # open wins until reset: a latched guard goes on saying so
CONTACT_S: Final = 0.5  # how old what the I/O box read may be
WAITING_POSTS: Final = 64


def guard_main(spec: GuardSpec, engine: Connection, client: Connection | None) -> None:
    """Guard until safe is verified and nobody is left; the target of a spawned process."""
    guard = Guard(spec, engine, client, ask_realtime(GUARD))
    gc.collect()
    gc.freeze()  # what stands now is never looked through again: that would take tens of milliseconds
    guard.run()


class Post:
    """Messages to one peer, from a thread of its own: a peer that hangs with a full pipe must not stop the guard."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: queue.Queue[dict[str, Any]] = queue.Queue(WAITING_POSTS)
        threading.Thread(target=self._deliver, daemon=True).start()

    def send(self, message: dict[str, Any]) -> None:
        """Hand over; dropped where the peer reads nothing."""
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            return

    def _deliver(self) -> None:
        ask_realtime(GUARD)  # a heartbeat that waits behind two benches' wires is a silent guard
        try:
            while True:
                self._connection.send(self._waiting.get())
        except OSError:
            return  # the peer has gone, which the guard's own loop notices


class Guard:
    """One guard: a `Watch`, the mouths it speaks through, and whom it tells."""

    def __init__(self, spec: GuardSpec, engine: Connection, client: Connection | None, realtime: str) -> None:
        self._spec, self._engine, self._client, self._realtime = spec, engine, client, realtime
        self._watch = Watch(spec, client_left=client is None)
        self._mouths: list[Spoken] = [word.open() for word in spec.last_words]
        self._peers = [engine] if client is None else [engine, client]
        self._posts = [Post(peer) for peer in self._peers]
        self._ring: RingReader | None = None
        self._journal = spec.report.open("ab", buffering=0)  # nothing waits for a disk that has room again
        self._reaction_s: deque[float] = deque([0.0], maxlen=256)
        self._beaten_s = self._spoken_s = float("-inf")
        self._safe = False  # by the newest sequence; by any since it tripped:
        self._was_safe = self._was_off = False
        self._trigger_s = self._alone_s = float("nan")
        self._last_row = -1

    def run(self) -> None:
        """Until both peers are gone and nothing is left to make safe."""
        self._note({"guard": "started", "realtime": self._realtime, "ports": [m.local_port for m in self._mouths]})
        while not self._done(time.monotonic()):
            if self._peers:
                for connection in wait(self._peers, WAIT_S):
                    self._hear(connection)
            else:
                time.sleep(WAIT_S)
            now_s = time.monotonic()
            self._watch.silence(now_s)
            if self._watch.cause and not (self._safe and now_s - self._spoken_s < REPEAT_S):
                self._speak(now_s)
            standing = [mouth.keep_alive() for mouth in self._mouths]
            if now_s - self._beaten_s >= BEAT_S:
                self._beat(now_s, standing)
        self._end()

    def _hear(self, connection: object) -> None:
        peer = self._engine if connection is self._engine else self._client
        try:
            while peer is not None and peer.poll():
                message = peer.recv_bytes()
                if peer is self._engine:
                    self._from_engine(message)
                else:
                    self._watch.client(message, time.monotonic())
        except (EOFError, OSError):
            self._gone(peer)
        if peer is self._engine and not self._watch.cause:
            self._look()

    def _from_engine(self, message: bytes) -> None:
        kind, body = message[:1], message[1:]
        if kind == RESET:
            self._reset(body.decode(errors="replace"))
        elif kind == MARK:
            mouth = next((mouth for mouth in self._mouths if isinstance(mouth, TcpMouth)), None)
            said = mouth is not None and not self._watch.cause and mouth.say(body)
            self._tell({"guard": "said", "ok": said})
        else:
            self._watch.engine(message, time.monotonic())

    def _gone(self, peer: Connection | None) -> None:
        self._peers = [one for one in self._peers if one is not peer]
        if peer is self._engine:
            self._watch.engine_end()
        else:
            self._watch.client_end()

    def _look(self) -> None:
        """Judge the newest row, once."""
        try:
            row = self._open_ring().latest()
        except BenchError as error:
            self._watch.blind(str(error))
            return
        if row is None or row.index == self._last_row:
            return
        self._last_row = row.index
        self._watch.row(row.values, row.sampled_s, time.monotonic())
        self._reaction_s.append(time.monotonic() - row.t_s)

    def _open_ring(self) -> RingReader:
        if self._ring is None:
            self._ring = RingReader.open(self._spec.ring)
        return self._ring

    def _speak(self, trigger_s: float) -> None:
        """Say the declared sequence; unverified, it is said again on the next turn of the loop."""
        first, was_safe = math.isnan(self._trigger_s), self._safe
        self._trigger_s = trigger_s if first else self._trigger_s
        steps: list[StepResult] = []
        for mouth in self._mouths:
            steps += [self._by_contact(step) for step in mouth.speak()]
            self._beat(time.monotonic(), [])
        self._spoken_s = time.monotonic()
        self._safe = bool(steps) and all(step.verified for step in steps)  # nothing said proves nothing
        self._was_safe = self._was_safe or self._safe
        source = [step.verified for step in steps if step.name != CONTACTORS_OPEN]
        self._was_off = self._was_off or (bool(source) and all(source))
        if first or self._safe is not was_safe:
            self._tell(self._report(steps))

    def _by_contact(self, step: StepResult) -> StepResult:
        """A step that the device under test could not verify, verified by the contact that the instruments read."""
        column = self._spec.contact
        if step.verified or step.name != CONTACTORS_OPEN or column is None:
            return step
        with suppress(BenchError):
            row, now_s = self._open_ring().latest(), time.monotonic()
            if row is not None and row.values[column] == 0.0 and abs(now_s - row.sampled_s[column]) <= CONTACT_S:
                detail = f"by its contact; {step.detail}"
                return replace(step, verified=True, verified_s=now_s, detail=detail)
        return step

    def _report(self, steps: list[StepResult]) -> dict[str, Any]:
        return {
            "guard": "tripped",
            "reason": self._watch.cause,
            "result": "SAFE" if self._safe else "UNKNOWN",
            "steps": [
                {
                    "name": s.name,
                    "verified": s.verified,
                    "sent_s": s.sent_s,
                    "verified_s": s.verified_s,
                    "detail": s.detail,
                }
                for s in steps
            ],
            "trigger_s": self._trigger_s,
            "first_send_s": steps[0].sent_s if steps else float("nan"),
            "verified_s": max((s.verified_s for s in steps), default=float("nan")) if self._safe else float("nan"),
            "ports": [mouth.local_port for mouth in self._mouths],
        }

    def _reset(self, reason: str) -> None:
        """Open wins: only what is verified safe, and only with a reason."""
        if self._watch.cause and self._safe and reason.strip():
            self._note({"guard": "reset", "reason": reason, "was": self._watch.cause})
            self._watch.reset()
            self._safe = self._was_safe = self._was_off = False
            self._trigger_s = float("nan")
        self._tell({"guard": "latched" if self._watch.cause else "ready", "reason": self._watch.cause})

    def _beat(self, now_s: float, standing: list[bool]) -> None:
        self._beaten_s = now_s
        wrong = [mouth.detail for mouth, stands in zip(self._mouths, standing, strict=False) if not stands]
        message = {
            "guard": "alive",
            "t_s": now_s,
            "armed": self._watch.armed,
            "cause": self._watch.cause,
            "reaction_ms": statistics.median(self._reaction_s) * 1e3,
            "realtime": self._realtime,
            "mouths": wrong,
            "ports": [mouth.local_port for mouth in self._mouths],
            "pid": os.getpid(),
        }
        for post in self._posts:
            post.send(message)

    def _tell(self, message: dict[str, Any]) -> None:
        for post in self._posts:
            post.send(message)
        self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        with suppress(OSError):  # a full disk must not silence the guard
            self._journal.write((json.dumps({"t_s": time.monotonic(), **message}) + "\n").encode())

    def _done(self, now_s: float) -> bool:
        watch = self._watch
        if not (watch.engine_left and watch.client_left) or self._peers:
            return False
        self._alone_s = now_s if math.isnan(self._alone_s) else self._alone_s
        return not watch.cause or self._verified or now_s - self._alone_s > self._spec.orphan_s

    @property
    def _verified(self) -> bool:
        """Whether nothing is left to make safe.

        An engine that leaves in order has read back every output and the contact; then it switches the device off,
        which from there on verifies nothing. So the source, which the guard itself has verified off, is enough.
        """
        return self._safe or (self._watch.left_in_order and (self._was_safe or self._was_off))

    def _end(self) -> None:
        result = "SAFE" if self._verified or not self._watch.cause else "UNKNOWN"
        self._note({"guard": "ended", "result": result})
        for mouth in self._mouths:
            mouth.close()
        if self._ring is not None:
            self._ring.close()
        self._journal.close()
