"""The data that the client receives: the bench as declared, and the status."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.model_range import describe
from control.ports import Plan
from control.state import BenchState
from drivers import source_names
from drivers.bench_channels import make_channel_table
from drivers.canbus.dut_map import read_dut_map
from drivers.channel_names import (
    BMS_CONTACTOR,
    BMS_FAULT,
    BMS_FAULT_CELL,
    BMS_POWER,
    BMS_STATE,
    CHARGE_LIMIT,
    CONTACTOR,
    DISCHARGE_LIMIT,
    ESTOP,
    PACK_CURRENT,
    SUPPLY_OUTPUT,
    sensed_temperature,
    sensed_voltage,
)
from drivers.clock import monotonic
from drivers.errors import BenchFileError
from workbench.engine import injected_faults
from workbench.session.bench_info import BenchInfo, describe_source
from workbench.session.limit_pairs import list_limit_pairs
from workbench.session.status import DeviceInfo, GuardInfo, LaneInfo, LoopStats, RecordingSize, SessionStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.lanes import Lane, Lanes
    from drivers.benchfile.model import Bench
    from drivers.canbus.dut_map import DutMap
    from workbench.engine.engine import Engine
    from workbench.engine.live_bench import LiveBench

FLAGS: Final = {0: "off", 1: "on"}
CONTACTS: Final = {0: "open", 1: "closed"}
MOST_STEPS: Final = 500  # of a plan; the rest is not shown
NEEDED: Final = (BMS_STATE, BMS_FAULT, BMS_FAULT_CELL, BMS_CONTACTOR)  # by the checklist
NEEDED_LIVE: Final = (PACK_CURRENT, CHARGE_LIMIT, DISCHARGE_LIMIT)  # by the loop


def make_bench_info(bench: Bench, mapped: DutMap | None = None) -> BenchInfo:
    """Return the bench file as a client shows it; raise `BenchFileError` for an error in the device map or limits.

    `mapped`: its device map, read here if it is not given.
    """
    mapped = mapped or read_dut_map(bench.dut_map)
    _check_map(bench, {channel.name for channel in mapped.channels})
    return BenchInfo(
        name=bench.bench.name,
        file=str(bench.path),
        mode=bench.bench.mode,
        closure=bench.bench.closure,
        attended=bench.bench.attended,
        cells=bench.pack.cells,
        sources=(
            describe_source(source_names.CELL_SIMULATOR, bench.cell_simulator.period_s),
            describe_source(source_names.SUPPLY, bench.supply.period_s),
            describe_source(source_names.DUT, _cycle_s(mapped)),
            describe_source(source_names.IO_BOX, bench.io_box.period_s),
        ),
        limits=tuple(list_limit_pairs(bench, make_channel_table(bench, mapped))),
        faults=injected_faults.list_offered(bench, mapped),
        words=words(mapped),
    )


def _cycle_s(mapped: DutMap) -> float:
    """Return the period of the most frequent message, in s."""
    cycles = [cycle_s for row in mapped.rows if (cycle_s := mapped.messages[row.message].cycle_s)]
    return min(cycles, default=mapped.timeout_s)


def _check_map(bench: Bench, mapped: set[str]) -> None:
    """Raise `BenchFileError` if the device map lacks a channel that the loop, the checklist or the gate needs."""
    cells, sensors = range(1, bench.pack.cells + 1), range(1, bench.io_box.thermistors + 1)
    needed = [*NEEDED, *NEEDED_LIVE]
    needed += [sensed_voltage(cell) for cell in cells] + [sensed_temperature(sensor) for sensor in sensors]
    missing = [name for name in needed if name not in mapped]
    if missing:
        what = f"has no channel {missing[0]}" + (f" and {len(missing) - 1} more" if missing[1:] else "")
        hint = "map a signal to it; if the bench has fewer cells or sensors, declare their number in its bench file"
        raise BenchFileError(what, where=str(bench.dut_map), key="channel", value=missing[0], hint=hint)


def words(mapped: DutMap) -> dict[str, Mapping[int, str]]:
    """Return the names of the values of states and flags, by channel."""
    names: dict[str, Mapping[int, str]] = {
        SUPPLY_OUTPUT: FLAGS,
        BMS_POWER: FLAGS,
        ESTOP: CONTACTS,
        CONTACTOR: CONTACTS,
        BMS_CONTACTOR: CONTACTS,
    }
    return names | {channel.name: values for channel in mapped.channels if (values := mapped.words(channel.name))}


def make_status(engine: Engine) -> SessionStatus:
    """Return the present status."""
    station = engine.bench
    if station is None:
        return SessionStatus()
    machine, commands = station.loop.machine, engine.commands
    since_s = commands.running_since_s
    heartbeat = station.guard.heartbeat
    return SessionStatus(
        state=machine.state,
        output=station.output_word(),
        evidence_class=station.evidence_class,
        run_name=station.folder.name,
        run_folder=str(station.folder),
        run_s=monotonic() - since_s if since_s is not None and machine.state is BenchState.RUNNING else None,
        recorded=RecordingSize(station.recorder.ticks, _read_recorded_size(station), station.recorder.trouble),
        loop=_loop_stats(station),
        guard=GuardInfo(alive=commands.guard_alive, median_s=None if heartbeat is None else heartbeat.reaction_s),
        realtime=not engine.realtime_words,
        realtime_words=engine.realtime_words,
        trip_reason=machine.reason,
        device=DeviceInfo() if commands.device_events is None else commands.device_events.info,
        health=station.health,
        lanes=_lanes(station),
        plans=read_plans(station.loop.parts.controllers),
        notes=_read_notes(station),
        injected=() if commands.faults is None else commands.faults.injected,
        checklist=commands.checklist,
    )


def _loop_stats(station: LiveBench) -> LoopStats:
    late_s = station.loop.lateness.newest(round(60.0 / station.loop.parts.period_s))
    p99_s = float(np.percentile(late_s, 99)) if len(late_s) else float("nan")
    return LoopStats(1.0 / station.loop.parts.period_s, p99_s, station.loop.lateness.missed)


def _lanes(station: LiveBench) -> tuple[LaneInfo, ...]:
    parts, tick = station.loop.parts, station.loop.tick
    outside = {} if tick is None else {name: pack.outside for name, pack in tick.twins.items() if pack.outside}
    return tuple(
        LaneInfo(lanes.role, lane.name, lane.name == lanes.active, *_lane_state(lanes.role, lane, outside))
        for lanes in (parts.twins, parts.estimators, parts.controllers)
        for lane in lanes.all
    )


def _lane_state(role: str, lane: Lane[Any], outside: Mapping[str, tuple[int, ...]]) -> tuple[str, str]:
    """Return the word and the sentence for the state of a lane."""
    if lane.failure:
        return "failed", lane.failure
    if role == "twin" and lane.name in outside:
        return "outside", describe(lane.name, outside[lane.name])
    return "ok", ""


def read_plans(controllers: Lanes[Any]) -> dict[str, Plan]:
    """Return the newest plan of each healthy controller that has one; a plan that cannot be read is none."""
    plans: dict[str, Plan] = {}
    for lane in controllers.all:
        if lane.failure:
            continue
        with suppress(Exception):  # whatever a lane does here, it must not end the status
            plan = getattr(lane.part, "plan_ahead", None)
            if isinstance(plan, Plan) and plan.step_s > 0.0 and plan.current_a:
                plans[lane.name] = Plan(float(plan.step_s), tuple(float(a) for a in plan.current_a[:MOST_STEPS]))
    return plans


def _read_notes(station: LiveBench) -> dict[str, str]:
    """Return the sentence of each controller that falls back."""
    tick = station.loop.tick
    if tick is None:
        return {}
    return {name: decision.note for name, decision in tick.decisions.items() if decision.fallback and decision.note}


def _read_recorded_size(station: LiveBench) -> int:
    path = station.folder / "ticks.arrows"
    return path.stat().st_size if path.exists() else 0
