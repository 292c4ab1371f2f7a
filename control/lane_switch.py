"""Lane switch: controllers change bumplessly, twins take over the state and, while live, step at most 2 mV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.errors import Refused

if TYPE_CHECKING:
    from control.loop import LoopParts
    from control.tick import Tick
    from twin.ports import PackState

STEP_V: Final = 0.002


def activate(parts: LoopParts, role: str, name: str, tick: Tick | None, *, live: bool) -> None:
    """Make `name` the active lane of `role` after `tick`; raise `Refused` with the value that forbids it."""
    if role == parts.controllers.role:
        lane = parts.controllers.healthy(name)
        if tick is not None:
            lane.part.take_over(tick.verdict.apply.current_a)
        parts.controllers.active = name
    elif role == parts.twins.role:
        _activate_twin(parts, name, tick, live=live)
    elif role == parts.estimators.role:
        parts.estimators.active = parts.estimators.healthy(name).name
    else:
        raise Refused(f"there is no role {role!r}", hint="name twin, estimator or controller")


def _activate_twin(parts: LoopParts, name: str, tick: Tick | None, *, live: bool) -> None:
    lane = parts.twins.healthy(name)
    if len(lane.part.columns) != parts.cells:
        raise Refused(
            f"twin {name} computes {len(lane.part.columns)} of {parts.cells} cells", hint="keep it as a shadow lane"
        )
    present = None if tick is None else tick.twins.get(parts.twins.active)
    if present is not None and not np.isfinite([present.soc, present.temperature_k, present.voltage_v]).all():
        present = None  # no twin can continue from a value that is not a number
    if tick is None or present is None:
        if live:
            raise Refused(f"the active twin {parts.twins.active} has no state to hand over", hint="disarm first")
    elif name != parts.twins.active:
        own = tick.twins.get(name)
        lane.part.take_over(present)
        step_v = _step_v(parts, name, present)
        if live and not step_v <= STEP_V:
            if own is not None:
                lane.part.take_over(own)
            raise Refused(
                f"twin {name} would step the cells by {step_v * 1e3:.2f} mV, live limit {STEP_V * 1e3:.0f} mV",
                value=step_v,
                bound=STEP_V,
                hint="disarm, then activate it",
            )
    parts.twins.active = name


def _step_v(parts: LoopParts, name: str, present: PackState) -> float:
    """Return how far the terminals would jump, in V: the new twin's next step under the same current."""
    state = parts.twins[name].part.step(present.current_a, parts.ambient_k, parts.period_s)
    return float(np.max(np.abs(state.voltage_v - present.voltage_v)))
