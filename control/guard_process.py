"""The guard's process: it receives from its peers, checks the newest row, and never waits for a wire, disk or peer."""

from __future__ import annotations

import gc
import math
import os
import statistics
import sys
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
from drivers.clock import monotonic
from drivers.errors import BenchError
from drivers.private_files import open_private_unbuffered
from drivers.realtime import GUARD, ask_realtime
from drivers.ring import RingReader
from drivers.suspend import SuspendWatch

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from control.guard_reports import JournalRecord, KeptReport
    from drivers.safe_commands import SafeStepResult

WAIT_S: Final = 0.01  # how long to wait for a message before the time-outs are checked
BEAT_S: Final = 0.025  # half of the interval that the engine may wait for
AGAIN_S: Final = 0.02  # pause after a sequence that was not verified
REPEAT_S: Final = 1.0  # open wins until reset: a latched guard repeats the sequence
CONTACT_S: Final = 0.5  # how old a reading of the I/O box may be
AT_ONCE: Final = 64  # most messages of one peer that are read in a row
AT_REST_S: Final = 10.0  # replaces `orphan_s` (if shorter) where nothing was live
FAREWELL_S: Final = 0.5  # time for each queue to write its remaining messages at the end
SWITCH_S: Final = 0.0005  # the guard's thread waits no longer for the threads of its connections


def guard_main(spec: GuardConfig, engine: Connection, client: Connection | None) -> None:
    """Guard until safe is verified and both peers are gone; the target of a spawned process."""
    sys.setswitchinterval(SWITCH_S)
    guard = Guard(spec, engine, client, ask_realtime(GUARD))
    gc.collect()
    gc.freeze()  # collections skip the objects that exist now: to scan them would take tens of milliseconds
    guard.run()


class Guard:
    """One guard: a `GuardState`, the safe sequence that it begins, and the peers that receive its reports."""

    def __init__(
        self,
        spec: GuardConfig,
        engine: Connection,
        client: Connection | None,
        realtime: str,
        suspend: SuspendWatch | None = None,
    ) -> None:
        self._spec, self._engine, self._client, self._realtime = spec, engine, client, realtime
        self._state = GuardState(spec, client_gone=client is None)
        self._sequence = SafeSequence(spec.safe_commands)
        self._peers = [engine] if client is None else [engine, client]
        self._to = {id(peer): SendQueue("guard reports", peer.send, GUARD) for peer in self._peers}
        self._ring: RingReader | None = None
        self._file = open_private_unbuffered(spec.report, "ab")  # no line waits for a disk that has room again
        self._journal = SendQueue("guard journal", self._write)
        self._reaction_s: deque[float] = deque([0.0], maxlen=256)
        self._beaten_s = self._executed_s = float("-inf")
        self._safe = False  # verified by the newest sequence; next line: by any since the trip
        self._was_safe = self._was_off = False
        self._answering: list[int] = []  # the OUTPUTS OFF that the running sequence answers
        self._trigger_s = self._alone_s = float("nan")
        self._last_row = -1
        self._suspend = suspend or SuspendWatch()

    def run(self) -> None:
        """Run until both peers are gone and nothing is left to make safe."""
        self._write_journal(GuardStarted(self._realtime))
        while not self._is_done(monotonic()):
            for connection in wait([*self._peers, self._sequence.results], WAIT_S):
                self._receive(connection)
            now_s = monotonic()
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
            self._state.on_engine_message(message, monotonic())
        if kind in (ARMED, DISARMED):
            self._send_report(ArmAnswer(decode(message).number, armed=kind == ARMED, cause=self._state.cause))

    def _from_client(self, message: bytes) -> None:
        self._state.on_client_message(message, monotonic())
        if message[:1] == OFF:
            self._send_report(OffReceived(decode(message).number, monotonic()))

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
        """Check the newest row, once."""
        try:
            row = self._open_ring().latest()
        except BenchError as error:
            self._state.on_ring_unreadable(str(error))
            return
        if row is None or row.index == self._last_row:
            return
        self._last_row = row.index
        self._state.check_row(row.values, row.sampled_s, monotonic())
        self._reaction_s.append(monotonic() - row.t_s)

    def _open_ring(self) -> RingReader:
        if self._ring is None:
            self._ring = RingReader.open(self._spec.ring)
        return self._ring

    def _is_due(self, now_s: float) -> bool:
        """Whether the sequence must begin: not verified yet, executed long ago, or requested again."""
        if not self._state.cause or self._sequence.running:
            return False
        return bool(self._state.offs) or now_s - self._executed_s >= (REPEAT_S if self._safe else AGAIN_S)

    def _begin(self, now_s: float) -> None:
        if math.isnan(self._trigger_s):
            self._trigger_s = now_s
            self._send_heartbeat(now_s)  # the engine knows the cause before it reads outputs that are off
        self._answering, self._state.offs = self._state.offs, []
        self._sequence.begin()

    def _take_result(self) -> None:
        result = self._sequence.take()
        if isinstance(result, SequenceResult):
            self._take_step_results([self._verify_by_contact(step) for step in result.steps])
        else:
            self._send_report(MarkAnswer(result.is_sent))

    def _take_step_results(self, steps: list[SafeStepResult]) -> None:
        """Record and report what the sequence verified; if it is not verified, `_is_due` begins it again."""
        first, was_safe = self._executed_s == float("-inf"), self._safe
        self._executed_s = monotonic()
        self._safe = bool(steps) and all(step.verified for step in steps)  # a sequence without steps proves nothing
        self._was_safe = self._was_safe or self._safe
        source = [step.verified for step in steps if step.name != CONTACTORS_OPEN]
        self._was_off = self._was_off or (bool(source) and all(source))
        if first or self._answering or self._safe is not was_safe:
            self._send_report(self._report(steps))
        self._answering = []

    def _verify_by_contact(self, step: SafeStepResult) -> SafeStepResult:
        """Return the step, verified by the contact that the instruments read if the device under test could not."""
        column = self._spec.contact
        if step.verified or step.name != CONTACTORS_OPEN or column is None:
            return step
        with suppress(BenchError):
            row, now_s = self._open_ring().latest(), monotonic()
            if row is None or row.values[column] != 0.0:
                return step
            if self._contact_valid_from_s(step, now_s) <= row.sampled_s[column] <= now_s + CONTACT_S:
                detail = f"verified by its contact; {step.detail}"
                return replace(step, verified=True, verified_s=now_s, detail=detail)
        return step

    def _contact_valid_from_s(self, step: SafeStepResult, now_s: float) -> float:
        """Return the time from which on a contact that was read open verifies the step.

        The reading must be newer than the step was sent. Where nothing was live, a reading just before the trip is
        enough: an engine that dies then reads no contact any more, and no command asked to close one.
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
        """Reset only a trip that is verified safe, only with a reason, and not while the sequence runs: open wins."""
        request = decode(message)
        if self._state.cause and self._safe and not self._sequence.running and request.text.strip():
            self._write_journal(GuardReset(request.text, self._state.cause))
            self._state.reset()
            self._safe = self._was_safe = self._was_off = False
            self._executed_s, self._trigger_s = float("-inf"), float("nan")
        self._send_report(ResetAnswer(request.number, self._state.cause))

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
        self._journal.send(encode_line(record, monotonic()))

    def _write(self, line: bytes) -> None:
        with suppress(OSError):  # a full disk must not silence the guard
            self._file.write(line)

    def _is_done(self, now_s: float) -> bool:
        watch = self._state
        if not (watch.engine_gone and watch.client_gone) or self._peers:
            return False
        self._alone_s = now_s if math.isnan(self._alone_s) else self._alone_s
        alone_s = self._spec.orphan_s if watch.armed else min(self._spec.orphan_s, AT_REST_S)
        return not watch.cause or self._is_safe_at_end or now_s - self._alone_s > alone_s

    @property
    def _is_safe_at_end(self) -> bool:
        """Whether nothing is left to make safe.

        An engine that leaves in order has read back every output and the contact. Then it switches the device off, and
        from then on the device verifies nothing. So it is enough that the guard itself verified the source off.
        """
        return self._safe or (self._state.ended_in_order and (self._was_safe or self._was_off))

    def _end(self) -> None:
        """Write how it ended; SAFE only if this guard, or (with the source off) the engine, read back everything."""
        verified = GuardResult.SAFE if self._is_safe_at_end else GuardResult.UNKNOWN
        self._write_journal(GuardEnded(verified if self._state.cause else GuardResult.NOTHING_TRIPPED))
        self._sequence.close()
        for queue in (*self._to.values(), self._journal):
            queue.close()
            queue.join(FAREWELL_S)
        if self._ring is not None:
            self._ring.close()
        self._file.close()
