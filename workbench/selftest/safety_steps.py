"""Steps with faults and killed processes: each value is a time between two entries of the instruments' journals."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from control.state import BenchState
from drivers import source_names
from workbench.selftest import evidence
from workbench.selftest.reaction import Reaction
from workbench.selftest.step import StepFinding
from workbench.session import waiting
from workbench.session.outputs_off_requests import PEERS

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.selftest.context import SelftestContext

BMS_MS, OFF_MS = 160.0, 200.0
SETTLE_S = 1.0
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # where there is no SIGKILL, os.kill ends a process just as hard


def inject_fault(context: SelftestContext) -> StepFinding:
    """Step a cell past the device limit, before the gate: the BMS must open its contactor in time."""
    session, reaction, cell = context.bring_to(BenchState.RUNNING), Reaction(), context.faulty_cell
    waiting.idle(session, SETTLE_S)
    asked_s = context.now_s()
    parameters: dict[str, float | str] = {"cell": cell, "volts": context.fault_voltages.device_v}
    waiting.finish(session, session.inject("cell voltage", parameters), 5.0)
    where = context.bench_folder
    over = evidence.wait_for_entry(
        where, source_names.CELL_SIMULATOR, asked_s, lambda entry: entry.get("step") == cell, 2.0
    )
    opened = evidence.wait_for_entry(
        where, source_names.BMS, asked_s, lambda entry: entry.get("event") == "contactor" and not entry["closed"], 2.0
    )
    blamed = evidence.wait_for_entry(where, source_names.BMS, asked_s, lambda entry: entry.get("event") == "fault", 0.5)
    waiting.idle(session, SETTLE_S)
    target = f"BMS opens within {BMS_MS:g} ms and names cell {cell}"
    if over is None or opened is None or blamed is None:
        return StepFinding(
            ok=False, value="not opened", target=target, evidence=f"cell {cell} at {parameters['volts']} V"
        )
    named = blamed.get("cell") == cell
    text = f"{blamed.get('fault')} in cell {blamed.get('cell')}"
    reaction.since_s = over["t"]
    return reaction.judge(opened["t"], BMS_MS, target, text, good=named)


def cross_limit(context: SelftestContext) -> StepFinding:
    """Move a cell past the bench limit, behind the gate: the guard must turn the supply off."""
    session, reaction = context.bring_to(BenchState.RUNNING), Reaction()
    waiting.idle(session, SETTLE_S)
    if context.defect == "kill-guard" and session.guard_pid:
        os.kill(session.guard_pid, KILL)
    asked_s = context.now_s()
    past: dict[str, float | str] = {"cell": context.faulty_cell, "volts": context.fault_voltages.bench_v}
    waiting.finish(session, session.inject("bench voltage", past), 5.0)
    crossed = evidence.wait_for_entry(
        context.bench_folder,
        source_names.CELL_SIMULATOR,
        asked_s,
        lambda entry: entry.get("fault") == "cell_offset",
        2.0,
    )
    reaction.since_s = asked_s if crossed is None else crossed["t"]
    return _judge_guard_off(context, context.bench_folder, session.guard_ports, reaction, "bench limit crossed")


def press_outputs_off(context: SelftestContext) -> StepFinding:
    """Press OUTPUTS OFF: guard and engine get it at once; either may act first, both must acknowledge it."""
    session, reaction = context.bring_to(BenchState.RUNNING), Reaction()
    waiting.idle(session, SETTLE_S)
    reaction.since_s = context.now_s()
    pressed = session.outputs_off()
    off = evidence.find_supply_off(context.bench_folder, reaction.since_s)
    waiting.idle(session, SETTLE_S)
    target = f"off within {OFF_MS:g} ms, received by guard and engine"
    if off is None:
        return StepFinding(ok=False, value="still on", target=target, evidence=pressed.sentence)
    received = pressed.received_s.keys() >= set(PEERS)
    return reaction.judge(off.t_s, OFF_MS, target, pressed.sentence, good=received)


def kill_engine(context: SelftestContext) -> StepFinding:
    """Kill the engine: the guard must make the bench safe."""
    session, reaction = context.bring_to(BenchState.RUNNING), Reaction()
    waiting.idle(session, 2.0)
    where, ports, pid = context.bench_folder, session.guard_ports, session.engine_pid
    context.killed_run = context.run_folder
    ring = session.ring
    if pid is None or ring is None:
        return StepFinding(ok=False, value="no engine", target="an engine to kill")
    reaction.since_s = context.now_s()
    os.kill(pid, KILL)
    finding = _judge_guard_off(context, where, ports, reaction, "engine killed")
    context.killed_count = ring.count
    context.close_session()
    return finding


def _judge_guard_off(
    context: SelftestContext, where: Path, ports: frozenset[int], reaction: Reaction, what: str
) -> StepFinding:
    """Judge the time until the supply's output is off; the guard must have turned it off."""
    off = evidence.find_supply_off(where, reaction.since_s)
    if context.has_session:
        waiting.idle(context.session, SETTLE_S)
    return judge_off(off, ports, reaction, what)


def judge_off(off: evidence.SupplyOff | None, ports: frozenset[int], reaction: Reaction, what: str) -> StepFinding:
    """Return the finding for an output that went off, or did not."""
    target = f"off within {OFF_MS:g} ms by the guard's own connection"
    if off is None:
        return StepFinding(ok=False, value="still on", target=target, evidence=what)
    by_guard = off.port in ports
    by = "the guard's connection" if by_guard else f"another connection (port {off.port})"
    return reaction.judge(off.t_s, OFF_MS, target, f"{what}; switched off by {by}", good=by_guard)
