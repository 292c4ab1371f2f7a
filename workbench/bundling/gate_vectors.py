"""The steps of a gate's golden vectors: normal commands, and every kind that it must not allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers.channel_names import BMS, sensed_temperature, sensed_voltage
from edge_bridge.bundle.golden_gate import GateStep, InputFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from control.gate import GateConfig
    from drivers.snapshot import Floats

REQUESTED: Final = "what the run asked"
MOST_HELD: Final = 40  # ticks of a hold that are shown
BEHIND: Final = 5  # ticks of the ramp that follows
BEYOND: Final = 1.05
DEVICE: Final = f"{BMS}*"
CELL, TEMPERATURE = sensed_voltage(1), sensed_temperature(1)


def make_gate_steps(spec: GateConfig, requested_a: Floats) -> list[GateStep]:
    """Return up to 80 steps for consecutive snapshots; `wishes_a`: the current that the run requested at each."""
    bad = _make_pack_held_steps(spec), _make_pack_tripping_steps(spec)
    return _interleave(
        spec, requested_a, *(bad if spec.advertised else (_make_held_steps(spec), _make_tripping_steps(spec)))
    )


def _interleave(
    spec: GateConfig, requested_a: Floats, held: Iterator[GateStep], tripping: Iterator[GateStep]
) -> list[GateStep]:
    steps: list[GateStep] = []

    def plain(*, reset: bool = False) -> None:
        steps.append(GateStep(REQUESTED, float(requested_a[len(steps)]), {}, reset=reset))

    for bad in held:
        plain()
        steps.append(bad)
    for bad in tripping:
        plain()
        steps.append(bad)
        plain()  # a trip stays
        plain(reset=True)
    steps += [GateStep("no number, until the hold has run out", None, {})] * (min(spec.hold_ticks, MOST_HELD) + BEHIND)
    plain()
    return steps


def _make_held_steps(spec: GateConfig) -> Iterator[GateStep]:
    """Yield commands and snapshots at which the gate may apply nothing new."""
    column = spec.table.index(spec.current)
    high_v = float(spec.limits.high[spec.table.index(spec.cell_voltage[0])])
    late_s = (float(spec.late_s[column]) + float(spec.lost_s[column])) / 2
    yield GateStep("no number for a current", None, {})
    yield GateStep("too much discharge", BEYOND * float(spec.limits.high[column]), {})
    yield GateStep("too much charge", BEYOND * float(spec.limits.low[column]), {})
    yield GateStep("too high a cell", 0.0, {1: BEYOND * high_v})
    yield GateStep("a late value", 0.0, {}, (InputFault(spec.current, age_s=late_s),))
    yield GateStep("a value that is no number", 0.0, {}, (InputFault(spec.current),))
    yield GateStep("a silent device", 0.0, {}, (InputFault(DEVICE, age_s=2 * spec.device_silent_s),))


def _make_pack_held_steps(spec: GateConfig) -> Iterator[GateStep]:
    """Yield what a pack's gate, which has the BMS's values only, must not allow."""
    column = spec.table.index(spec.current)
    charge, discharge = (spec.table.names[at] for at in spec.advertised or ())
    late_s = 0.5 * (float(spec.late_s[column]) + spec.device_silent_s) + spec.device_silent_s
    yield GateStep("no number for a current", None, {})
    yield GateStep("too much discharge", BEYOND * float(spec.limits.high[column]), {})
    yield GateStep("too much charge", BEYOND * float(spec.limits.low[column]), {})
    yield GateStep("more discharge than the BMS allows", 1.0, {}, (InputFault(discharge, value=0.5),))
    yield GateStep("more charge than the BMS allows", -1.0, {}, (InputFault(charge, value=0.5),))
    yield GateStep("a late value", 0.0, {}, (InputFault(spec.current, age_s=late_s),))
    yield GateStep("a value that is no number", 0.0, {}, (InputFault(spec.current),))
    yield GateStep("a silent BMS", 0.0, {}, (InputFault(DEVICE, age_s=2 * spec.device_silent_s),))


def _make_pack_tripping_steps(spec: GateConfig) -> Iterator[GateStep]:
    """Yield what trips a pack's gate: a measured value beyond the device limit."""
    for name in (CELL, spec.current, TEMPERATURE):
        high = float(spec.limits.high[spec.table.index(name)])
        yield GateStep(f"{name} measured beyond its limit", 0.0, {}, (InputFault(name, value=BEYOND * high),))


def _make_tripping_steps(spec: GateConfig) -> Iterator[GateStep]:
    """Yield snapshots that trip the gate until a reset."""
    cell, lost_s = spec.cell_voltage[0], float(spec.lost_s[spec.table.index(spec.current)])
    high_v = float(spec.limits.high[spec.table.index(cell)])
    yield GateStep("a cell measured beyond its limit", 0.0, {}, (InputFault(cell, value=BEYOND * high_v),))
    yield GateStep("a current that is lost", 0.0, {}, (InputFault(spec.current, age_s=2 * lost_s),))
    yield GateStep("the emergency-stop chain open", 0.0, {}, (InputFault(spec.table.names[spec.estop], value=0.0),))
