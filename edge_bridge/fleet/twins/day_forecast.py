"""The forecast of a device's twin: the cell of its bundle, from the newest state, over the duty of the rows.

Bands, each the sum of what is known not to be known: how far two models of the cell differ (`twin.forecast`), two
standard deviations of the state of charge at the start, and of the capacity. They never narrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import Refused
from edge_bridge.fleet.twins.pack_configuration import open_bundle
from twin import forecast
from twin.duty_file import Duty

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.fleet.twins.twin_order import TwinOrder, TwinResult
    from twin.cell_parameters import CellParameters
    from twin.ports import PackSpec

POINTS: Final = 240  # of an answer
STDS: Final = 2.0  # of a band
HOLD_FACTOR: Final = 3.0  # a current holds until the next row, but not longer than so many usual distances
LOWEST_SOH: Final = 0.1
CIRCUIT: Final = "circuit"


@dataclass(frozen=True, slots=True)
class TwinStart:
    """The state from which a forecast starts, as the device told it; `soh` is 1 where it told none."""

    t_ms: int
    soc: float
    soc_std: float
    soh: float
    soh_std: float
    has_soh: bool
    ambient_k: float


def run_forecast(order: TwinOrder, report: Callable[[float], object]) -> TwinResult:
    """Return the forecast of an order as JSON; raise `Refused` for rows that no forecast can start from."""
    if order.bundle is None:
        raise Refused("the bundle of the device is not here", key="no_model", hint="upload it: POST /api/v1/bundles")
    with open_bundle(order.bundle) as configure:
        pack = configure().pack
    start = _find_start(order)
    element_ah = pack.element_ah * start.soh
    duty, known_share = _make_duty(order, element_ah)
    models = (CIRCUIT,) if order.is_quick else _list_models(pack.cell)
    times_s = forecast.plan_steps(3600.0 * order.hours)
    runs = [(name, start.soc) for name in models]
    runs += [(CIRCUIT, min(max(start.soc + side * STDS * start.soc_std, 0.0), 1.0)) for side in (-1.0, 1.0)]
    courses = list[forecast.Course]()
    for number, (name, soc) in enumerate(runs):
        model = forecast.build_model(name, pack.cell, soc, start.ambient_k)

        def tell(part: float, done: int = number) -> None:
            report((done + part) / len(runs))

        courses.append(forecast.run_course(model, pack.cell, duty, times_s, start.ambient_k, report=tell))
    nominal, spread = forecast.compare_courses(courses[: len(models)]), courses[len(models) :]
    if not len(nominal.time_s) or not all(course.rows for course in spread):
        raise Refused(
            f"the forecast ends at once: {'; '.join(nominal.ended)}", key="no_forecast", hint="give another duty"
        )
    return _describe(order, pack, start, nominal, spread) | {
        "models": list(models),
        "bundle": order.bundle_sha256,
        "duty": "given" if order.duty is not None else "rows",
        "duty_known": round(known_share, 4),
        "assumed": _list_assumptions(order, start, models),
    }


def _list_models(cell: CellParameters) -> tuple[str, ...]:
    """Return the models that this cell has and that are installed here."""
    wanted = forecast.choose_models(cell)
    return wanted if find_spec("pybamm") is not None else (CIRCUIT,)


def _find_start(order: TwinOrder) -> TwinStart:
    columns, rows = order.rows.columns, order.rows
    known = np.flatnonzero(np.isfinite(columns["soc"]) & np.isfinite(columns["soc_std"]))
    kelvins = columns["temperature_max_k"][np.isfinite(columns["temperature_max_k"])]
    if not len(known) or not len(kelvins):
        what = f"no row of {order.node} tells state of charge, its deviation and a temperature in this span"
        raise Refused(what, key="no_state", value=order.node, hint="ask for a later or longer span")
    place = int(known[-1])
    soh, soh_std = float(columns["soh"][place]), float(columns["soh_std"][place])
    has_soh = bool(np.isfinite(soh) and np.isfinite(soh_std) and soh > LOWEST_SOH)
    return TwinStart(
        int(rows.t_ms[place]) + rows.step_ms,
        float(np.clip(columns["soc"][place], 0.0, 1.0)),
        float(columns["soc_std"][place]),
        soh if has_soh else 1.0,
        soh_std if has_soh else 0.0,
        has_soh,
        float(kelvins.min()),
    )


def _make_duty(order: TwinOrder, element_ah: float) -> tuple[Duty, float]:
    """Return the duty in C of the pack's present capacity, and the part of it that rows tell."""
    if order.duty is not None:
        time_s, current_a = np.array(order.duty.time_s), np.array(order.duty.current_a)
        return Duty("c_rate", time_s - time_s[0], current_a / element_ah), 1.0
    t_ms, current_a = order.rows.t_ms, order.rows.columns["current_a"]
    known = np.isfinite(current_a)
    if not known.any():
        what = f"no row of {order.node} tells a current in this span"
        raise Refused(what, key="no_duty", value=order.node, hint="give a duty: time_s and current_a")
    length_s = (order.to_ms - order.from_ms) / 1000.0
    starts_s = np.clip((t_ms[known] - order.from_ms) / 1000.0, 0.0, length_s)
    step_s = order.rows.step_ms / 1000.0
    usual_s = float(np.median(np.diff(starts_s))) if len(starts_s) > 1 else step_s
    ends_s = np.minimum(np.append(starts_s[1:], length_s), starts_s + max(step_s, HOLD_FACTOR * usual_s))
    edges = np.column_stack((starts_s, ends_s)).ravel()
    held = np.column_stack((current_a[known] / element_ah, np.zeros(len(starts_s)))).ravel()
    time_s, values = np.concatenate(([0.0], edges, [length_s])), np.concatenate(([0.0], held, [0.0]))
    is_last = np.append(np.diff(time_s) > 0.0, True)  # of equal times the last value holds
    return Duty("c_rate", time_s[is_last], values[is_last]), min(1.0, float((ends_s - starts_s).sum()) / length_s)


def _describe(
    order: TwinOrder, pack: PackSpec, start: TwinStart, found: forecast.Forecast, spread: list[forecast.Course]
) -> TwinResult:
    """Return the columns of the answer; as long as the shortest course."""
    count = min(len(found.time_s), *(len(course.rows) for course in spread))
    low, high = (np.array(course.rows[:count]).reshape(count, 5) for course in spread)
    scale = pack.element_ah * start.soh / pack.cell.nominal_ah  # cells of the model beside each other

    def widen(half: Any, column: int) -> Any:
        own = np.zeros(count) if half is None else half[:count]
        return own + np.maximum.accumulate(np.abs(high[:, column] - low[:, column]) / 2.0)

    steps_s = np.diff(found.time_s[:count], prepend=0.0)
    spent = np.cumsum(found.current_a[:count] * steps_s) / 3600.0 / pack.cell.capacity_ah
    moved = np.maximum.accumulate(np.abs(spent)) * STDS * start.soh_std / start.soh
    shown: list[int] = np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(np.int64)).tolist()
    cells, watt_hours = pack.cells, pack.cells * scale
    bands = {
        "soc": (start.soc - spent, STDS * start.soc_std + moved, 1.0),
        "cell_voltage_v": (found.voltage_v[:count], widen(found.voltage_half_v, 1), 1.0),
        "pack_voltage_v": (found.voltage_v[:count], widen(found.voltage_half_v, 1), float(cells)),
        "temperature_k": (found.kelvin[:count], widen(found.kelvin_half_k, 2), 1.0),
        "energy_wh": (found.energy_wh[:count], widen(found.energy_half_wh, 4), watt_hours),
    }
    return {
        "node": order.node,
        "start_ms": start.t_ms,
        "hours": order.hours,
        "t_ms": [start.t_ms + round(1000.0 * float(found.time_s[place])) for place in shown],
        "current_a": [round(float(found.current_a[place]) * scale, 4) for place in shown],
        **{
            name: {
                part: [round(float(mean[place] + side * half[place]) * factor, 5) for place in shown]
                for part, side in (("low", -1.0), ("mean", 0.0), ("high", 1.0))
            }
            for name, (mean, half, factor) in bands.items()
        },
        "ended": list(dict.fromkeys((*found.ended, *(course.ended for course in spread if course.ended)))),
        "start": {
            "soc": round(start.soc, 6),
            "soc_std": round(start.soc_std, 6),
            "soh": round(start.soh, 6) if start.has_soh else None,
            "soh_std": round(start.soh_std, 6) if start.has_soh else None,
            "ambient_k": round(start.ambient_k, 3),
        },
    }


def _list_assumptions(order: TwinOrder, start: TwinStart, models: tuple[str, ...]) -> list[str]:
    words = [
        "every cell is alike and at rest at the start",
        f"the surroundings stay at {start.ambient_k - 273.15:.1f} degC, the lowest temperature of the pack in the rows",
        "a cell of less capacity behaves as a smaller one; a resistance that grew more than that is not in it",
        f"a band is {STDS:g} standard deviations of the start"
        + (" and the difference of two models" if len(models) > 1 else ", without the error of the model"),
    ]
    if not start.has_soh:
        words.append("the device told no state of health: the capacity is that of the nameplate, without a band")
    if order.duty is None:
        words.append("the current is that of the rows, shifted; where they tell none it is 0 A")
    return words
