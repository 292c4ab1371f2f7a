"""The loop: runs sources, estimators, controllers, twins, gate and actuator once per period, never in bursts."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003  # a field of a record names it
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from control import lane_switch
from control.fallback_events import FallbackEvents
from control.gate import Allowed, Held, Tripped
from control.jitter import LoopJitter
from control.lane_outputs import LaneOutputs, run_controller, step_twin, update_estimator
from control.model_range import ModelRange
from control.shadow.watcher import NO_SCORES
from control.state import BenchState, StateMachine
from control.tick import Tick
from drivers.errors import describe_error
from drivers.event import KIND, Event, EventKind, Level
from drivers.snapshot import Command, Estimate

if TYPE_CHECKING:
    from control.gate import Gate, Verdict
    from control.lanes import Lanes
    from control.ports import Controller
    from control.shadow.watcher import ShadowWatcher
    from control.snapshot_builder import PackView, SnapshotBuilder
    from drivers.ports import Actuator, Clock
    from drivers.snapshot import Snapshot
    from twin.ports import Estimator, Twin


class TickSink(Protocol):
    """A receiver of every tick: recorder, ring, the wake-up of the guard. `put` must not block."""

    def put(self, tick: Tick) -> None: ...


@dataclass(frozen=True)
class LoopParts:
    """The parts of a loop. `cells`: of the pack; `plays_cells`: a command carries the active twin's cells (hil).

    `find_cause`: what another part did before the gate found a violation, as a sentence; empty for nothing. Outputs
    that it has switched off read below their limits, and that is not why the bench trips. `shadow` scores the
    controllers beside the loop.
    """

    clock: Clock
    period_s: float
    snapshot_builder: SnapshotBuilder
    pack_view: PackView
    estimators: Lanes[Estimator]
    controllers: Lanes[Controller]
    twins: Lanes[Twin]
    gate: Gate
    actuator: Actuator
    cells: int
    ambient_k: float
    plays_cells: bool = True
    find_cause: Callable[[], str] = str
    shadow: ShadowWatcher | None = None
    sinks: list[TickSink] = field(default_factory=list[TickSink])


class Loop:
    """The loop of one bench. `faults`: volts added to the requested voltage of a cell (numbered from 1).

    `override_command`: the arming checklist's command, which replaces that of the lanes. Once `live`, the gate checks
    it like any other command; before that it is applied at zero current. If a source raises, its channels are not
    known any more; if an actuator or a sink raises, the bench trips.
    """

    def __init__(self, parts: LoopParts) -> None:
        self.parts = parts
        self.machine = StateMachine()
        self.lateness = LoopJitter(parts.period_s)
        self.faults: dict[int, float] = {}
        self.override_command: Command | None = None
        self.live = False
        self.tick: Tick | None = None
        self._events: list[Event] = []
        self._due_s = float("nan")
        self._missed = 0
        self._holding = False
        self._actuator_error = ""
        self._estimators_hold = False
        self._model_range = ModelRange()
        self._fallbacks = FallbackEvents()
        self._unknown = Estimate(np.full(parts.cells, np.nan), np.full(parts.cells, np.nan))

    def turn(self, due_s: float) -> Tick:
        """Run the turn that was due at `due_s`: read, estimate, decide, step the twins, call the gate, act."""
        parts, began_s = self.parts, self.parts.clock.now()
        dt_s = self._take_dt(due_s)
        snapshot = parts.snapshot_builder.build(began_s, self._events)
        outputs = self._run_lanes(snapshot, dt_s)
        verdict = self._apply(snapshot, self._gate(snapshot, self._requested_command(snapshot, outputs)))
        tick = self._record(due_s, began_s, snapshot, outputs, verdict)
        for sink in parts.sinks:
            try:
                sink.put(tick)
            except Exception as error:  # noqa: BLE001  # a run that the guard or the recorder does not receive must end
                self.trip(f"{type(sink).__name__} failed: {describe_error(error)}")
        return tick

    def run(self, ended: Callable[[Tick], bool]) -> None:
        """Run turns on an absolute schedule until `ended` returns True after one; leave out turns that no longer fit.

        On an unexpected exception, request zero current and raise it; the guard notices that no more ticks come.
        """
        clock, period_s = self.parts.clock, self.parts.period_s
        due_s = clock.now()
        while True:
            clock.wait_until(due_s)
            try:
                if ended(self.turn(due_s)):
                    return
            except Exception as error:
                self.trip(f"the loop failed: {describe_error(error)}")
                self._apply_zero_current()
                raise
            due_s += period_s
            self._missed = max(0, int((clock.now() - due_s) / period_s))
            due_s += self._missed * period_s

    def activate(self, role: str, name: str) -> None:
        """Make a lane the active one of its role, bumpless; raise `Refused` if that is not possible."""
        live = self.machine.state in {BenchState.ARMED, BenchState.RUNNING}
        lane_switch.activate(self.parts, role, name, self.tick, live=live)
        self._note(Level.INFO, f"{role} {name} is active", EventKind.LANE_ACTIVE, role=role, lane=name)

    def trip(self, reason: str) -> None:
        """Trip for a reason from outside the gate, such as the guard or the operator."""
        if self.machine.trip(reason):
            self.parts.gate.trip(reason)
            self._apply_zero_current()
            self._note(Level.ALARM, f"tripped: {reason}", EventKind.TRIPPED, reason=reason)

    def reset(self, reason: str) -> None:
        """Leave Tripped; raise `Refused` without a reason."""
        self.machine.reset(reason)
        self.parts.gate.reset(reason)
        self._note(Level.INFO, f"reset: {reason}", EventKind.RESET, reason=reason)

    def _take_dt(self, due_s: float) -> float:
        """Return the scheduled time since the last turn, so that lanes never drift against the clock."""
        dt_s, self._due_s = due_s - self._due_s, due_s
        return dt_s if dt_s > 0.0 else self.parts.period_s

    def _run_lanes(self, snapshot: Snapshot, dt_s: float) -> LaneOutputs:
        """Run every lane on `snapshot`; a lane that raises is out from now on."""
        parts, state = self.parts, self.machine.state
        reading, allowed = parts.pack_view.reading(snapshot), parts.pack_view.allowed(snapshot)
        live = state >= BenchState.ARMED or not parts.plays_cells  # unpowered cells give no information
        known_s = dt_s if live and self._has_estimator_inputs(snapshot) else 0.0
        estimates = parts.estimators.run(update_estimator(reading, known_s, parts.cells), self._events)
        estimate = estimates.get(parts.estimators.active, self._unknown)
        run_s = dt_s if state is BenchState.RUNNING else 0.0  # a duty starts with the run
        decisions = parts.controllers.run(run_controller(reading, estimate, allowed, run_s), self._events)
        self._events += self._fallbacks.take_changes(decisions, parts.controllers.active)
        cell_a = parts.pack_view.twin_current(snapshot)
        twins = parts.twins.run(step_twin(cell_a, parts.ambient_k, dt_s), self._events)
        packs = {name: output.state for name, output in twins.items()}
        self._events += self._model_range.take_changes(packs, parts.twins.active)
        return LaneOutputs(
            packs,
            {name: output.age_s for name, output in twins.items()},
            estimates,
            decisions,
            NO_SCORES if parts.shadow is None else parts.shadow.watch(reading, estimate, decisions, run_s),
        )

    def _has_estimator_inputs(self, snapshot: Snapshot) -> bool:
        """Whether pack current and every cell voltage are known; if not, the estimators hold, with one event."""
        doubt = self.parts.pack_view.find_unknown(snapshot)
        if doubt and not self._estimators_hold:
            self._note(Level.INFO, f"estimators hold: {doubt}", EventKind.ESTIMATORS_HOLD, reason=doubt)
        elif self._estimators_hold and not doubt:
            self._note(Level.INFO, "estimators resume: all their inputs are known again", EventKind.ESTIMATORS_RESUME)
        self._estimators_hold = bool(doubt)
        return not doubt

    def _requested_command(self, snapshot: Snapshot, outputs: LaneOutputs) -> Command:
        """Return the command of the active lanes; NaN where one has failed, which never passes the gate."""
        parts = self.parts
        if self.override_command is not None:
            return self.override_command
        current_a = 0.0
        if self.machine.state is BenchState.RUNNING and parts.pack_view.contactor_closed(snapshot):
            decision = outputs.decisions.get(parts.controllers.active)
            current_a = float("nan") if decision is None else decision.current_a
        if not parts.plays_cells:
            return Command(current_a, np.empty(0), np.empty(0))
        pack = outputs.packs.get(parts.twins.active)
        if pack is None:
            return Command(current_a, self._unknown.soc, self._unknown.soc)
        voltage_v = pack.voltage_v.copy()
        for cell, offset_v in tuple(self.faults.items()):  # a copy: another thread may inject one meanwhile
            voltage_v[cell - 1] += offset_v
        return Command(current_a, voltage_v, pack.temperature_k)

    def _gate(self, snapshot: Snapshot, requested: Command) -> Verdict:
        if self.machine.state < BenchState.ARMED and not self.live:
            self._holding = False
            return self.parts.gate.rest(requested, "not armed")
        verdict = self.parts.gate.check(snapshot, requested)
        if isinstance(verdict, Tripped):
            self.trip(self.parts.find_cause() or verdict.reason)
        elif isinstance(verdict, Held) and not self._holding:
            level = Level.WARNING if self.machine.state is BenchState.RUNNING else Level.INFO
            self._note(level, f"held: {verdict.reason}", EventKind.HELD, reason=verdict.reason)
        self._holding = not isinstance(verdict, Allowed)
        return verdict

    def _apply(self, snapshot: Snapshot, verdict: Verdict) -> Verdict:
        """Apply the allowed command; return its verdict, a trip if the actuator fails."""
        was_armed = self.tick is not None and self.tick.state >= BenchState.ARMED
        if isinstance(verdict, Tripped):
            self._apply_zero_current()
        elif self.machine.state >= BenchState.ARMED or self.override_command is not None:
            try:
                self.parts.actuator.apply(verdict.apply)
            except Exception as error:  # noqa: BLE001  # whatever it is, what was applied is unknown now
                self.trip(f"the actuator failed: {error}")
                return self.parts.gate.check(snapshot, verdict.requested)
        elif was_armed:
            self._apply_zero_current()  # no request made while armed stays applied
        return verdict

    def _apply_zero_current(self) -> None:
        """Request zero current; note an actuator that fails even here only once, the guard covers this case."""
        try:
            self.parts.actuator.safe()
            self._actuator_error = ""
        except Exception as error:  # noqa: BLE001  # as above: the guard covers it
            if not self._actuator_error:
                text = f"zero current cannot be requested: {error}"
                self._note(Level.ALARM, text, EventKind.ZERO_CURRENT_FAILED)
            self._actuator_error = str(error)

    def _note(self, level: Level, text: str, kind: EventKind, **data: str) -> None:
        """Add an event to the tick of this turn."""
        self._events.append(Event(level, "loop", text, {KIND: kind, **data}))

    def _record(self, due_s: float, began_s: float, snapshot: Snapshot, outputs: LaneOutputs, verdict: Verdict) -> Tick:
        parts = self.parts
        self.lateness.add(began_s - due_s, self._missed)
        roles = (parts.twins, parts.estimators, parts.controllers)
        self.tick = Tick(
            number=self.lateness.turns,
            due_s=due_s,
            late_s=began_s - due_s,
            turn_s=parts.clock.now() - began_s,
            missed=self._missed,
            state=self.machine.state,
            snapshot=snapshot,
            twins=outputs.packs,
            estimates=outputs.estimates,
            decisions=outputs.decisions,
            step_s={(lanes.role, lane.name): lane.step_s for lanes in roles for lane in lanes.all if not lane.failure},
            age_s=outputs.age_s,
            active_twin=parts.twins.active,
            requested=verdict.requested,
            verdict=verdict,
            events=tuple(self._events),
            shadow=outputs.shadow,
        )
        self._events.clear()
        self._missed = 0
        return self.tick
