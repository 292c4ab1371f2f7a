"""The guard's process: hears its peers, looks at the newest row, and never waits for a wire, a disk or a peer."""

from __future__ import annotations

import gc
import math
import os
import statistics
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Final

from control.guard import CONTACTORS_OPEN, GuardConfig, GuardState
from control.guard_journal import encode_line
from control.guard_messages import ARMED, DISARMED, MARK, OFF, RESET, decode
from control.guard_reports import (
    ArmAnswer,
    GuardEnded,
    GuardReset,
    GuardResult,
    GuardStarted,
    Heartbeat,
    MarkAnswer,
    OffReceived,
    ResetAnswer,
    TripReport,
)
from control.safe_sequence import SafeSequence, SequenceResult
from control.send_queue import SendQueue
from drivers.errors import BenchError
from drivers.realtime import GUARD, ask_realtime
from drivers.ring import RingReader
from drivers.suspend import SuspendWatch

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from control.guard_reports import JournalRecord, KeptReport
    from drivers.safe_commands import SafeStepResult

WAIT_S: Final = 0.01  # how long nobody may say anything before silence is judged
BEAT_S: Final = 0.025  # half of what the engine may wait for
AGAIN_S: Final = 0.02  # after a sequence that verified nothing
REPEAT_S: Final = 1.0  # open wins until reset: a latched guard goes on saying so
CONTACT_S: Final = 0.5  # how old what the I/O box read may be
AT_ONCE: Final = 64  # messages of one peer that are read in a row
AT_REST_S: Final = 10.0  # for a guard that is left alone with a bench on which nothing was live
FAREWELL_S: Final = 0.5  # for what is still to be written at the end
SWITCH_S: Final = 0.0005  # the guard's own thread waits no longer for those of its connections


def guard_main(spec: GuardConfig, engine: Connection, client: Connection | None) -> None:
    """Guard until safe is verified and nobody is left; the target of a spawned process."""
    sys.setswitchinterval(SWITCH_S)
    guard = Guard(spec, engine, client, ask_realtime(GUARD))
    gc.collect()
    gc.freeze()  # what stands now is never looked through again: that would take tens of milliseconds
    guard.run()


class Guard:
    """One guard: a `GuardState`, the safe sequence that it begins, and whom it tells."""

    def __init__(
        self,
        spec: GuardConfig,
        engine: Connection,
        client: Connection | None,
        realtime: str,
        suspend: SuspendWatch | None = None,
    ) -> None:
        self._spec, self._engine, self._client, self._realtime = spec, engine, client, realtime
        self._state = GuardState(spec, client_left=client is None)
        self._sequence = SafeSequence(spec.safe_commands)
        self._peers = [engine] if client is None else [engine, client]
        self._to = {id(peer): SendQueue("guard reports", peer.send, GUARD) for peer in self._peers}
        self._ring: RingReader | None = None
        self._file = spec.report.open("ab", buffering=0)  # nothing waits for a disk that has room again
        self._journal = SendQueue("guard journal", self._write)
        self._reaction_s: deque[float] = deque([0.0], maxlen=256)
        self._beaten_s = self._executed_s = float("-inf")
        self._safe = False  # by the newest sequence; by any since it tripped:
        self._was_safe = self._was_off = False
        self._answering: list[int] = []  # the OUTPUTS OFF that the running sequence answers
        self._trigger_s = self._alone_s = float("nan")
        self._last_row = -1
        self._suspend = suspend or SuspendWatch()

    def run(self) -> None:
        """Until both peers are gone and nothing is left to make safe."""
        self._write_journal(GuardStarted(self._realtime))
        while not self._is_done(time.monotonic()):
            for connection in wait([*self._peers, self._sequence.results], WAIT_S):
                self._receive(connection)
            now_s = time.monotonic()
            self._state.check_timeouts(now_s)
            if slept_s := self._suspend.slept_s():
                self._state.on_sleep(slept_s)
            if self._is_due(now_s):
                self._begin(now_s)
            if now_s - self._beaten_s >= BEAT_S:
                self._send_heartbeat(now_s)
        self._end()

    def _receive(self, connection: object) -> None:
        if connection is self._sequence.results:
            self._take_result()
            return
        peer = self._engine if connection is self._engine else self._client
        try:
            for _ in range(AT_ONCE):
                if peer is None or not peer.poll():
                    break
                message = peer.recv_bytes()
                if peer is self._engine:
                    self._from_engine(message)
                else:
                    self._from_client(message)
        except (EOFError, OSError):
            self._drop_peer(peer)
        if peer is self._engine and not self._state.cause:
            self._check_newest_row()

    def _from_engine(self, message: bytes) -> None:
        kind = message[:1]
        if kind == RESET:
            self._reset(message)
        elif kind == MARK:
            self._send_mark(message[1:])
        else:
            self._state.on_engine_message(message, time.monotonic())
        if kind in (ARMED, DISARMED):
            self._send_report(ArmAnswer(decode(message).number, armed=kind == ARMED, cause=self._state.cause))

    def _from_client(self, message: bytes) -> None:
        self._state.on_client_message(message, time.monotonic())
        if message[:1] == OFF:
            self._send_report(OffReceived(decode(message).number, time.monotonic()))

    def _drop_peer(self, peer: Connection | None) -> None:
        self._peers = [one for one in self._peers if one is not peer]
        if peer is self._engine:
            self._state.on_engine_closed()
        else:
            self._state.on_client_closed()

    def _send_mark(self, message: bytes) -> None:
        if self._state.cause:
            self._send_report(MarkAnswer(ok=False))
        else:
            self._sequence.mark(message)

    def _check_newest_row(self) -> None:
        """Judge the newest row, once."""
        try:
            row = self._open_ring().latest()
        except BenchError as error:
            self._state.on_ring_unreadable(str(error))
            return
        if row is None or row.index == self._last_row:
            return
        self._last_row = row.index
        self._state.check_row(row.values, row.sampled_s, time.monotonic())
        self._reaction_s.append(time.monotonic() - row.t_s)

    def _open_ring(self) -> RingReader:
        if self._ring is None:
            self._ring = RingReader.open(self._spec.ring)
        return self._ring

    def _is_due(self, now_s: float) -> bool:
        """Whether the sequence has to begin: not verified yet, said long ago, or asked for anew."""
        if not self._state.cause or self._sequence.running:
            return False
        return bool(self._state.offs) or now_s - self._executed_s >= (REPEAT_S if self._safe else AGAIN_S)

    def _begin(self, now_s: float) -> None:
        self._trigger_s = now_s if math.isnan(self._trigger_s) else self._trigger_s
        self._answering, self._state.offs = self._state.offs, []
        self._sequence.begin()

    def _take_result(self) -> None:
        result = self._sequence.take()
        if isinstance(result, SequenceResult):
            self._take_step_results([self._verify_by_contact(step) for step in result.steps])
        else:
            self._send_report(MarkAnswer(result.taken))

    def _take_step_results(self, steps: list[SafeStepResult]) -> None:
        """What the sequence has verified; unverified, it begins again on the next turn of the loop."""
        first, was_safe = self._executed_s == float("-inf"), self._safe
        self._executed_s = time.monotonic()
        self._safe = bool(steps) and all(step.verified for step in steps)  # nothing said proves nothing
        self._was_safe = self._was_safe or self._safe
        source = [step.verified for step in steps if step.name != CONTACTORS_OPEN]
        self._was_off = self._was_off or (bool(source) and all(source))
        if first or self._answering or self._safe is not was_safe:
            self._send_report(self._report(steps))
        self._answering = []

    def _verify_by_contact(self, step: SafeStepResult) -> SafeStepResult:
        """A step that the device under test could not verify, verified by the contact that the instruments read."""
        column = self._spec.contact
        if step.verified or step.name != CONTACTORS_OPEN or column is None:
            return step
        with suppress(BenchError):
            row, now_s = self._open_ring().latest(), time.monotonic()
            if row is None or row.values[column] != 0.0:
                return step
            if self._contact_valid_from_s(step, now_s) <= row.sampled_s[column] <= now_s + CONTACT_S:
                detail = f"by its contact; {step.detail}"
                return replace(step, verified=True, verified_s=now_s, detail=detail)
        return step

    def _contact_valid_from_s(self, step: SafeStepResult, now_s: float) -> float:
        """From when on a contact that was read open verifies the step.

        It was read after the step was said. Where nothing was live, just before the trip is enough: an engine that
        dies there reads no contact any more, and nobody was asked to close one.
        """
        if not self._state.armed:
            return self._trigger_s - CONTACT_S
        return now_s - CONTACT_S if math.isnan(step.sent_s) else max(now_s - CONTACT_S, step.sent_s)

    def _report(self, steps: list[SafeStepResult]) -> TripReport:
        return TripReport(
            trip=self._state.trip,
            offs=tuple(self._answering),
            reason=self._state.cause,
            result=GuardResult.SAFE if self._safe else GuardResult.UNKNOWN,
            steps=tuple(steps),
            trigger_s=self._trigger_s,
            first_send_s=steps[0].sent_s if steps else math.nan,
            verified_s=max((step.verified_s for step in steps), default=math.nan) if self._safe else math.nan,
            ports=tuple(self._sequence.ports),
        )

    def _reset(self, message: bytes) -> None:
        """Open wins: only what is verified safe, only with a reason, and not while the sequence runs once more."""
        asked = decode(message)
        if self._state.cause and self._safe and not self._sequence.running and asked.text.strip():
            self._write_journal(GuardReset(asked.text, self._state.cause))
            self._state.reset()
            self._safe = self._was_safe = self._was_off = False
            self._executed_s, self._trigger_s = float("-inf"), float("nan")
        self._send_report(ResetAnswer(asked.number, self._state.cause))

    def _send_heartbeat(self, now_s: float) -> None:
        self._beaten_s = now_s
        heartbeat = Heartbeat(
            t_s=now_s,
            armed=self._state.armed,
            cause=self._state.cause,
            reaction_s=statistics.median(self._reaction_s),
            realtime=self._realtime,
            trouble=tuple(self._sequence.trouble),
            ports=tuple(self._sequence.ports),
            pid=os.getpid(),
        )
        for queue in self._to.values():
            queue.beat(heartbeat)

    def _send_report(self, report: KeptReport) -> None:
        for queue in self._to.values():
            queue.send(report)
        self._write_journal(report)

    def _write_journal(self, record: JournalRecord) -> None:
        self._journal.send(encode_line(record, time.monotonic()))

    def _write(self, line: bytes) -> None:
        with suppress(OSError):  # a full disk must not silence the guard
            self._file.write(line)

    def _is_done(self, now_s: float) -> bool:
        watch = self._state
        if not (watch.engine_left and watch.client_left) or self._peers:
            return False
        self._alone_s = now_s if math.isnan(self._alone_s) else self._alone_s
        alone_s = self._spec.orphan_s if watch.armed else min(self._spec.orphan_s, AT_REST_S)
        return not watch.cause or self._is_safe_at_end or now_s - self._alone_s > alone_s

    @property
    def _is_safe_at_end(self) -> bool:
        """Whether nothing is left to make safe.

        An engine that leaves in order has read back every output and the contact; then it switches the device off,
        which from there on verifies nothing. So the source, which the guard itself has verified off, is enough.
        """
        return self._safe or (self._state.left_in_order and (self._was_safe or self._was_off))

    def _end(self) -> None:
        """Say how it ended; SAFE only where this guard, or with its source off the engine, has read back everything."""
        verified = GuardResult.SAFE if self._is_safe_at_end else GuardResult.UNKNOWN
        self._write_journal(GuardEnded(verified if self._state.cause else GuardResult.NOTHING_TRIPPED))
        self._sequence.close()
        for queue in (*self._to.values(), self._journal):
            queue.close()
            queue.join(FAREWELL_S)
        if self._ring is not None:
            self._ring.close()
        self._file.close()
