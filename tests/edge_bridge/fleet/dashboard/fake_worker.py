"""A worker whose messages the test sends, and results as the models give them."""

from __future__ import annotations

from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_bridge.fleet.twins.job_pool import JobPool
from edge_bridge.fleet.twins.twin_order import COLUMNS, RowMeans, TwinOrder
from tests.edge_bridge.fleet.dashboard.serving import read_now_ms

if TYPE_CHECKING:
    from edge_bridge.fleet.twins.order_reader import TwinQuestion

STEP_MS = 360_000


class FakeTwinWorker:
    """One worker of a pool; `messages` are what it sends next."""

    def __init__(self) -> None:
        self.messages = Queue[tuple[str, Any]]()
        self.orders = list[TwinOrder]()

    def begin(self, order: TwinOrder) -> None:
        self.orders.append(order)

    def receive(self, wait_s: float) -> tuple[str, Any] | None:
        try:
            return self.messages.get(timeout=wait_s)
        except Empty:
            return None

    def close(self) -> None:
        """Nothing to end."""

    def make_pool(self) -> JobPool:
        return JobPool(_read_order, read_now_ms, lambda: self)


def _read_order(asked: TwinQuestion) -> TwinOrder:
    rows = RowMeans(np.array([0]), 1, {name: np.array([0.5]) for name in COLUMNS})
    return TwinOrder(asked.kind, asked.node, 0, asked.to_ms, asked.hours, rows, asked.running, None)


def make_forecast(node: str, start_ms: int, hours: int = 24) -> dict[str, Any]:
    count = 10 * hours
    t_ms = [start_ms + place * STEP_MS for place in range(count)]

    def band(mean: float, width: float) -> dict[str, list[float]]:
        return {
            name: [mean + sign * width * place / count for place in range(count)]
            for name, sign in (("low", -1), ("mean", 0), ("high", 1))
        }

    return {
        "node": node,
        "start_ms": start_ms,
        "hours": hours,
        "t_ms": t_ms,
        "current_a": [12.0] * count,
        "soc": band(0.5, 0.1),
        "cell_voltage_v": band(3.3, 0.02),
        "pack_voltage_v": band(79.2, 0.5),
        "temperature_k": band(301.0, 2.0),
        "energy_wh": band(4_200.0, 300.0),
        "ended": [],
        "start": {"soc": 0.5, "soc_std": 0.01, "soh": 0.9, "soh_std": 0.01, "ambient_k": 300.0},
        "models": ["DFN", "SPMe"],
        "bundle": "ab" * 32,
        "duty": "rows",
        "duty_known": 0.95,
        "assumed": ["the surroundings stay at 27 degC"],
    }


def make_estimates(node: str, from_ms: int, to_ms: int, **changes: Any) -> dict[str, Any]:
    t_ms = list(range(from_ms, to_ms, STEP_MS))
    count = len(t_ms)
    told = {"soc": [0.5] * count, "soc_std": [0.01] * count, "soh": [0.9] * count, "soh_std": [0.02] * count}
    found = {
        "node": node,
        "from_ms": from_ms,
        "to_ms": to_ms,
        "t_ms": t_ms,
        "told": told,
        "computed": {"soc": [0.52] * count, "soc_std": [0.03] * count},
        "trouble": "",
        "bundle": "ab" * 32,
        "estimator": "twin.ekf",
        "rows": 1_368,
        "step_ms": 60_000,
        "assumed": ["the cells have the mean voltage of the pack"],
    }
    return found | changes
