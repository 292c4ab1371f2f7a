"""The estimates of a device over a past span: what it told, and its bundle's estimator run again over the rows.

A row holds the pack's voltage, not that of each cell. So the estimator runs over the mean cell: it answers for the pack
as if its cells were alike, and cannot see what the edge saw of a single one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import PulseError
from drivers.jsonvalues import nan_to_null
from drivers.snapshot import PackReading
from edge_bridge.fleet.twins.pack_configuration import open_bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_bridge.bundle.runtime import Configuration
    from edge_bridge.fleet.twins.twin_order import RowMeans, TwinOrder, TwinResult

POINTS: Final = 288  # of an answer
GAP_S: Final = 60.0  # without a row: the estimator starts again after it
MAX_STRETCHES: Final = 10  # between gaps, the newest
_TOLD: Final = ("soc", "soc_std", "soh", "soh_std")


def run_estimates(order: TwinOrder, report: Callable[[float], object]) -> TwinResult:
    """Return the estimates of an order as JSON; `report` gets the part that is done."""
    rows = order.rows
    shown = _choose_shown(len(rows.t_ms))
    computed, lane, trouble = None, "", "this fleet does not have the bundle that the device runs"
    if order.bundle is not None:
        computed, lane, trouble = _compute(order.bundle, rows, report)
    return {
        "node": order.node,
        "from_ms": order.from_ms,
        "to_ms": order.to_ms,
        "t_ms": rows.t_ms[shown].tolist(),
        "told": {name: _list(rows.columns[name][shown]) for name in _TOLD},
        "computed": None
        if computed is None
        else {"soc": _list(computed[0][shown]), "soc_std": _list(computed[1][shown])},
        "trouble": trouble,
        "bundle": order.bundle_sha256,
        "estimator": lane,
        "rows": int(np.isfinite(rows.columns["soc"]).sum()),
        "step_ms": rows.step_ms,
        "assumed": _describe(rows, has_computed=computed is not None),
    }


def _describe(rows: RowMeans, *, has_computed: bool) -> list[str]:
    words = ["told: what the estimator beside the pack told with its rows, from the voltage of each cell"]
    if has_computed:
        words += [
            "computed: the estimator of the bundle, from its start, over the rows that the fleet has",
            "every cell has the mean voltage of the pack and its highest temperature; no cell is balanced",
            f"current and voltage are means over {rows.step_ms / 1000:g} s",
            f"after {GAP_S:g} s without a row the estimator starts again",
        ]
    return words


def _compute(
    bundle: bytes, rows: RowMeans, report: Callable[[float], object]
) -> tuple[tuple[Any, Any] | None, str, str]:
    """Return state of charge and deviation by row, the estimator's name, and why there is nothing."""
    if rows.step_ms > GAP_S * 1000.0 / 2.0:
        return None, "", f"the rows are means over {rows.step_ms / 1000:g} s, which no estimator can follow"
    try:
        with open_bundle(bundle) as configure:
            configured = configure()
            lane = configured.bench.active("estimator").module
            stretches = _find_stretches(rows)
            if not stretches:
                return None, lane, "no two rows tell current, voltage and temperature"
            soc, soc_std = np.full(len(rows.t_ms), np.nan), np.full(len(rows.t_ms), np.nan)
            for number, places in enumerate(stretches):
                _run(configured if number == 0 else configure(), rows, places, soc, soc_std)
                report((number + 1) / len(stretches))
    except (PulseError, ArithmeticError, ValueError, OSError) as error:
        return None, "", f"the bundle's estimator cannot run: {error}"
    return (soc, soc_std), lane, ""


def _find_stretches(rows: RowMeans) -> list[Any]:
    """Return the places of the rows that an estimator can use, one array for each stretch without a gap."""
    needed = (rows.columns[name] for name in ("current_a", "voltage_v", "temperature_max_k"))
    places = np.flatnonzero(np.all([np.isfinite(column) for column in needed], axis=0))
    breaks = np.flatnonzero(np.diff(rows.t_ms[places]) > GAP_S * 1000.0) + 1
    return [part for part in np.split(places, breaks) if len(part) > 1][-MAX_STRETCHES:]


def _run(configured: Configuration, rows: RowMeans, places: Any, soc: Any, soc_std: Any) -> None:
    cells, last_ms = configured.pack.cells, int(rows.t_ms[places[0]])
    none = np.zeros(cells)
    for place in places.tolist():
        t_ms = int(rows.t_ms[place])
        voltage_v = np.full(cells, rows.columns["voltage_v"][place] / cells)
        kelvin = np.full(cells, rows.columns["temperature_max_k"][place])
        reading = PackReading(t_ms / 1000.0, float(rows.columns["current_a"][place]), none, voltage_v, kelvin)
        estimate = configured.estimator.update(reading, (t_ms - last_ms) / 1000.0)
        soc[place], soc_std[place], last_ms = estimate.pack_soc, float(np.mean(estimate.soc_std)), t_ms


def _choose_shown(count: int) -> Any:
    """Return the places of at most `POINTS` rows, the first and the newest among them."""
    return np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(np.int64))


def _list(values: Any) -> list[float | None]:
    return [None if (known := nan_to_null(value)) is None else round(known, 6) for value in values.tolist()]
