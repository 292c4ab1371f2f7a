"""Steps in which the first protection fails: a guard that hangs or dies, an output that nobody can read.

Values are times between a press or a fault and an entry of the instruments' own journals.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Final

from control.state import BenchState, OutputState
from drivers import source_names
from drivers.channel_names import BMS_POWER, SUPPLY_CURRENT, cell_voltage
from drivers.event import EventKind
from workbench import jitter
from workbench.selftest import evidence
from workbench.selftest.reaction import Reaction
from workbench.selftest.step import StepFinding
from workbench.session import waiting
from workbench.session.outputs_off_requests import ENGINE, GUARD, PendingOff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.event import Event
    from workbench.selftest.context import SelftestContext
    from workbench.session.live_session import LiveSession

KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
STOP, GO_ON = getattr(signal, "SIGSTOP", None), getattr(signal, "SIGCONT", None)
FALLBACK_MS: Final = 1_000.0  # the engine misses eight heartbeats, then acts itself
RECEIVED_MS: Final = 200.0
PRESSES: Final = 2
CURRENT_MESSAGE: Final = "BMS_Pack"
STALE_S: Final = 5.0 + 0.5 + 2.0  # the greatest age of a value, the longest hold, the longest ramp
ZERO_A: Final = 0.5
TRIED_S: Final = 20.0
SETTLE_S: Final = 0.5


def press_off_while_connecting(context: SelftestContext) -> StepFinding:
    """Press OUTPUTS OFF during connect, later kill the guard: the early press must not count as outputs off."""
    context.close_session()  # seal the earlier runs; this session begins at its first step
    session = context.session
    connecting, pressed = session.connect(), session.outputs_off()
    waiting.finish(session, connecting, waiting.CONNECT_S)
    waiting.finish(session, pressed, TRIED_S)
    tripped = waiting.wait_for(session, lambda: session.status.state is BenchState.TRIPPED, 2.0)
    context.bring_to(BenchState.RUNNING)
    reaction = Reaction()
    waiting.idle(session, SETTLE_S)
    if session.guard_pid is None:
        return StepFinding(ok=False, value="no guard", target="a guard to kill")
    reaction.since_s = killed_s = context.now_s()
    os.kill(session.guard_pid, KILL)
    finding = _judge_any_off(context, reaction, "guard killed", good=tripped)
    opened = evidence.wait_for_entry(
        context.bench_folder,
        source_names.BMS,
        killed_s,
        lambda entry: entry.get("event") == "contactor" and not entry["closed"],
        2.0,
    )
    waiting.idle(session, 0.5)
    context.close_session()
    if opened is None:
        return StepFinding(ok=False, value="contactors closed", target=finding.target, evidence=finding.evidence)
    return finding


def disarm_silent_supply(context: SelftestContext) -> StepFinding:
    """Disarm while the supply does not answer: no output is reported off; device and cells keep their state."""
    session = context.bring_to(BenchState.ARMED)
    silence = session.inject("silent instrument", {"instrument": source_names.SUPPLY})
    waiting.finish(session, silence, 5.0)
    disarm = session.disarm()
    ended = waiting.wait_for(session, lambda: disarm.done, TRIED_S)
    unknown = waiting.wait_for(session, lambda: session.status.output is OutputState.UNKNOWN, 2.0)
    powered = _read_channel(session, BMS_POWER) == 1.0
    connected = _read_channel(session, cell_voltage(1)) > 2.0  # noqa: PLR2004  # V: a cell that is there
    latched = waiting.wait_for(session, lambda: session.status.state is BenchState.TRIPPED, 1.0)
    waiting.finish(session, session.clear(int(silence.payload["number"])), 5.0)
    answers_again = waiting.wait_for(session, lambda: session.status.output is OutputState.TRIPPED, TRIED_S)
    target = "UNKNOWN, device powered, cells connected, Tripped; off once it answers again"
    held = {
        "disarm refused": ended and disarm.error is not None,
        "reads UNKNOWN": unknown,
        "device powered": powered,
        "cells connected": connected,
        "Tripped": latched,
        "off once it answers": answers_again,
    }
    wrong = [words for words, holds in held.items() if not holds]
    return StepFinding(
        not wrong, len(held) - len(wrong), "checks", target, f"failed: {', '.join(wrong)}" if wrong else ""
    )


def stop_message(context: SelftestContext) -> StepFinding:
    """Stop one BMS message while the others continue: its values must not be used once they are stale."""
    session = context.bring_to(BenchState.RUNNING)
    flows = waiting.wait_for(session, lambda: abs(_read_channel(session, SUPPLY_CURRENT)) > ZERO_A, 10.0)
    fault = session.inject("message stopped", {"message": CURRENT_MESSAGE})
    waiting.finish(session, fault, 5.0)
    stopped_s = context.now_s()
    zero = waiting.wait_for(session, lambda: abs(_read_channel(session, SUPPLY_CURRENT)) < ZERO_A, STALE_S + 1.0)
    took_s = context.now_s() - stopped_s
    runs = session.status.state is BenchState.RUNNING
    waiting.finish(session, session.clear(int(fault.payload["number"])), 5.0)
    again = waiting.wait_for(session, lambda: abs(_read_channel(session, SUPPLY_CURRENT)) > ZERO_A, 10.0)
    target = f"no current within {STALE_S:g} s, without a trip, and again once the message is back"
    text = f"{CURRENT_MESSAGE} stopped, others continued" + ("" if again else "; no current after it came back")
    return StepFinding(flows and zero and runs and again and took_s < STALE_S, took_s, "s", target, text)


def hang_guard(context: SelftestContext) -> StepFinding:
    """Press OUTPUTS OFF twice while the guard hangs: the engine must do it and name the guard as not reached."""
    target = f"off within {FALLBACK_MS:g} ms, each press acknowledged within {RECEIVED_MS:g} ms, the guard named"
    if STOP is None or GO_ON is None:
        return StepFinding(None, "not run", target=target, reason="this operating system cannot stop a process")
    session, reaction = context.bring_to(BenchState.RUNNING), Reaction()
    waiting.idle(session, SETTLE_S)
    if session.guard_pid is None:
        return StepFinding(ok=False, value="no guard", target=target)
    os.kill(session.guard_pid, STOP)
    stopped_s, presses = context.now_s(), list[tuple[float, PendingOff]]()

    def find_missing() -> list[Event]:
        """Return the events of peers that have not acknowledged a press since the guard was stopped."""
        records = (record for record in session.events(0) if record.t_s >= stopped_s)
        return [record.event for record in records if record.event.kind == EventKind.OFF_NOT_ACKNOWLEDGED]

    try:
        reaction.since_s = stopped_s
        for _ in range(PRESSES):  # the second one on a bench that has tripped
            presses.append((context.now_s(), session.outputs_off()))
            waiting.finish(session, presses[-1][1], TRIED_S)
        waiting.wait_for(session, lambda: len(find_missing()) >= PRESSES, 1.0)
    finally:
        os.kill(session.guard_pid, GO_ON)
    late_s = [press.received_s.get(ENGINE, inf) - at_s for at_s, press in presses]
    own_ms = reaction.find_own_ms(stopped_s, context.now_s())
    acknowledged = judge_receipts(find_missing(), 1e3 * max(late_s), own_ms)
    finding = _judge_any_off(context, reaction, presses[0][1].sentence, good=acknowledged is not False)
    if finding.ok and acknowledged is None:
        finding = replace(finding, ok=None, reason=f"the machine itself stopped for {own_ms:.0f} ms amid a press")
    return replace(finding, target=target)


def judge_receipts(missing: Sequence[Event], slowest_ms: float, own_ms: float) -> bool | None:
    """Judge the presses on a hung guard: each names the guard, and the engine received all of them in time.

    `missing`: the events of peers that have not acknowledged; `slowest_ms`: the engine's slowest receipt. Return None
    where the machine, which stopped for `own_ms`, may have made the engine late.
    """
    if len(missing) < PRESSES or not all(GUARD in event.data for event in missing):
        return False
    if not any(ENGINE in event.data for event in missing):
        return True
    return None if jitter.is_within(slowest_ms, RECEIVED_MS, own_ms) is None else False


def _judge_any_off(context: SelftestContext, reaction: Reaction, what: str, *, good: bool) -> StepFinding:
    """Judge the time until the supply's output is off, whoever turned it off."""
    off = evidence.find_supply_off(context.bench_folder, reaction.since_s)
    target = f"supply off within {FALLBACK_MS:g} ms by the engine"
    if off is None:
        return StepFinding(ok=False, value="still on", target=target, evidence=what)
    return reaction.judge(off.t_s, FALLBACK_MS, target, what, good=good)


def _read_channel(session: LiveSession, name: str) -> float:
    """Return the newest value of a channel; NaN before there is one."""
    ring = session.ring
    row = None if ring is None else ring.latest()
    return float("nan") if ring is None or row is None else float(row.values[ring.table.index(name)])
