"""The result of one turn of the loop (`Tick`), and its flat row, which is recorded and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from control.gate import Allowed, Held
from control.shadow.scores import OF_SHADOW, UNKNOWN
from control.shadow.watcher import NO_SCORES, ShadowScores
from drivers.channel_names import (
    ALLOWED_CURRENT,
    BENCH_STATE,
    COMMAND_CURRENT,
    GATE_TICKS_LEFT,
    GATE_VERDICT,
    GROWTH,
    GROWTH_STD,
    LOOP_LATE,
    LOOP_MISSED,
    LOOP_NUMBER,
    LOOP_TURN,
    LOOP_TWIN,
    SOH,
    SOH_MIN,
    SOH_STD,
    allowed_voltage,
    command_voltage,
    lane_cell_channel,
    lane_channel,
)
from drivers.snapshot import Channel, ChannelTable
from twin.ports import HealthEstimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from control.gate import Verdict
    from control.ports import Decision
    from control.state import BenchState
    from drivers.event import Event
    from drivers.snapshot import Command, Estimate, Floats, Snapshot
    from twin.ports import PackState


@dataclass(frozen=True)
class Tick:
    """Everything one turn measured, estimated, requested and decided; lanes by name, a failed one is absent.

    `late_s` is the start of the turn minus its due time, `turn_s` how long it took. `step_s` is by (role, lane),
    `age_s` by twin; `active_twin` is the lane whose cells were applied. `events` happened since the last turn,
    `missed` is the number of turns left out before this one; `shadow` are the newest scores of the controllers.
    """

    number: int
    due_s: float
    late_s: float
    turn_s: float
    missed: int
    state: BenchState
    snapshot: Snapshot
    twins: Mapping[str, PackState]
    estimates: Mapping[str, Estimate]
    decisions: Mapping[str, Decision]
    step_s: Mapping[tuple[str, str], float]
    age_s: Mapping[str, float]
    active_twin: str
    requested: Command
    verdict: Verdict
    events: tuple[Event, ...]
    shadow: ShadowScores = NO_SCORES


LOOP = (
    Channel(LOOP_NUMBER, "1", 1),
    Channel(LOOP_MISSED, "1", 0),
    Channel(LOOP_LATE, "s"),
    Channel(LOOP_TURN, "s"),
    Channel(LOOP_TWIN, "1", 0),
    Channel(BENCH_STATE, "1", 0, 4),
    Channel(GATE_VERDICT, "1", 0, 2),
    Channel(GATE_TICKS_LEFT, "1", 0),
    Channel(COMMAND_CURRENT, "A"),
    Channel(ALLOWED_CURRENT, "A"),
)

OF_HEALTH = (SOH, SOH_STD, SOH_MIN, GROWTH, GROWTH_STD)
OF_HORIZON = ("", "_60s")  # of `twin.power.HORIZONS_S`: ten seconds have no mark
OF_WAY, OF_SIDE = ("discharge", "charge"), ("", "_low", "_high")  # as `StateOfPower`
OF_PACK = (  # an estimator's values of the whole pack, and how long its step took
    ("soc", "1"),
    ("soc_std", "1"),
    ("r0_std", "Ohm"),
    *((f"{way}_power{horizon}{side}", "W") for horizon in OF_HORIZON for way in OF_WAY for side in OF_SIDE),
    ("power_held", "1"),
    *((what, "1") for what in OF_HEALTH),
    ("step", "s"),
)

OF_CONTROLLER = (  # a controller's values, its shadow score and the score's age, and how long its step took
    ("current", "A"),
    ("cost", "1"),
    ("violations", "1"),
    ("interventions", "1"),
    ("fallback", "1"),
    *OF_SHADOW,
    ("shadow_age", "s"),
    ("step", "s"),
)
DECIDED = len(OF_CONTROLLER) - len(OF_SHADOW) - 2  # of them are the decision's


class TickLayout:
    """Columns of a tick as one row: the measured ones first, then the derived ones."""

    def __init__(
        self,
        measured: ChannelTable,
        twins: Mapping[str, Sequence[int]],
        estimators: Sequence[str],
        controllers: Sequence[str],
        cells: int,
        *,
        commanded: int = 0,
    ) -> None:
        """Take each lane's cells (counted from 0) in `twins`; `commanded`: how many cell voltages a command carries."""
        self.measured = len(measured)
        self._twins = {name: len(columns) for name, columns in twins.items()}
        self._places = {name: float(place) for place, name in enumerate(twins)}
        self._estimators, self._controllers = tuple(estimators), tuple(controllers)
        self._cells, self._commanded = cells, commanded
        self.table = measured.extended((*LOOP, *self._command_channels(), *self._lane_channels(twins)))

    def fill(self, tick: Tick, out: Floats) -> None:
        """Write `tick` into `out[len(table)]`; a value that no lane returned is NaN."""
        out.fill(float("nan"))
        out[: self.measured] = tick.snapshot.values
        at = self.measured + len(LOOP)
        out[self.measured : at] = (
            tick.number,
            tick.missed,
            tick.late_s,
            tick.turn_s,
            self._places.get(tick.active_twin, float("nan")),
            tick.state,
            _number(tick.verdict),
            tick.verdict.ticks_left if isinstance(tick.verdict, Held) else 0.0,
            tick.requested.current_a,
            tick.verdict.apply.current_a,
        )
        for command in (tick.requested, tick.verdict.apply):
            out[at : at + self._commanded] = command.cell_voltage_v[: self._commanded]
            at += self._commanded
        for name, cells in self._twins.items():
            if (state := tick.twins.get(name)) is not None:
                _blocks(out, at, (state.voltage_v, state.temperature_k, state.soc))
            at += 3 * cells + 2
            out[at - 2 : at] = tick.age_s.get(name, float("nan")), tick.step_s.get(("twin", name), float("nan"))
        for name in self._estimators:
            if (estimate := tick.estimates.get(name)) is not None:
                _estimate_value(out[at:], estimate)
            at += 3 * self._cells + len(OF_PACK)
            out[at - 1] = tick.step_s.get(("estimator", name), float("nan"))
        for name in self._controllers:
            if (decision := tick.decisions.get(name)) is not None:
                out[at : at + DECIDED] = (
                    decision.current_a,
                    decision.cost,
                    decision.violations,
                    decision.interventions,
                    decision.fallback,
                )
            at += len(OF_CONTROLLER)
            out[at - 2 - len(OF_SHADOW) : at - 2] = tick.shadow.scores.get(name, UNKNOWN)
            out[at - 2] = tick.shadow.age_s if name in tick.shadow.scores else float("nan")
            out[at - 1] = tick.step_s.get(("controller", name), float("nan"))

    def _command_channels(self) -> Iterator[Channel]:
        for name in (command_voltage, allowed_voltage):
            yield from (Channel(name(cell), "V") for cell in range(1, self._commanded + 1))

    def _lane_channels(self, twins: Mapping[str, Sequence[int]]) -> Iterator[Channel]:
        for name, columns in twins.items():
            for what, unit in (("voltage", "V"), ("temperature", "K"), ("soc", "1")):
                yield from (Channel(lane_cell_channel("twin", name, n + 1, what), unit) for n in columns)
            yield from (Channel(lane_channel("twin", name, what), "s") for what in ("age", "step"))
        for name in self._estimators:
            for what, unit in (("soc", "1"), ("soc_std", "1"), ("r0", "Ohm")):
                cells = range(1, self._cells + 1)
                yield from (Channel(lane_cell_channel("estimator", name, n, what), unit) for n in cells)
            yield from (Channel(lane_channel("estimator", name, what), unit) for what, unit in OF_PACK)
        for name in self._controllers:
            yield from (Channel(lane_channel("controller", name, what), unit) for what, unit in OF_CONTROLLER)


def _number(verdict: Verdict) -> float:
    if isinstance(verdict, Allowed):
        return 0.0
    return 1.0 if isinstance(verdict, Held) else 2.0


def _estimate_value(out: Floats, estimate: Estimate) -> None:
    """Write cells first, then the pack as if all cells erred alike; a value that a lane does not return stays NaN."""
    cells = len(estimate.soc)
    _blocks(out, 0, (estimate.soc, estimate.soc_std))
    out[3 * cells : 3 * cells + 2] = estimate.pack_soc, estimate.soc_std.mean()
    if isinstance(estimate, HealthEstimate):
        out[2 * cells : 3 * cells] = estimate.r0_ohm
        powers = np.ravel(estimate.power)
        out[3 * cells + 2] = estimate.r0_std_ohm.mean()
        out[3 * cells + 3 : 3 * cells + 3 + powers.size] = powers
        out[3 * cells + 3 + powers.size] = estimate.power_held
    if estimate.soh is not None:
        end = 3 * cells + len(OF_PACK) - 1  # the step
        out[end - len(OF_HEALTH) : end] = estimate.soh.describe_pack()


def _blocks(out: Floats, at: int, blocks: tuple[Floats, ...]) -> None:
    """Write arrays one after the other from column `at`."""
    for block in blocks:
        out[at : at + block.size] = block
        at += block.size
