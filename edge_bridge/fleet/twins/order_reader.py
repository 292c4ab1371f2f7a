"""The orders of jobs: what the fleet's database holds of a device, read by the thread of the jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import Refused
from edge_bridge.fleet.twins.twin_order import COLUMNS, HOUR_MS, GivenDuty, RowMeans, TwinKind, TwinOrder

if TYPE_CHECKING:
    from edge_bridge.fleet.bundle_library import BundleLibrary
    from edge_bridge.fleet.store.history import History

MAX_ROWS: Final = 20_000  # that an estimator runs over: each second of five hours and a half
DUTY_POINTS: Final = 1_440  # of the rows of a duty: a minute each in a day


@dataclass(frozen=True, slots=True)
class TwinQuestion:
    """What a person asks: the rows of `hours` up to `to_ms`, and for a forecast as many hours from there on."""

    kind: TwinKind
    node: str
    to_ms: int
    hours: int
    running: str  # SHA-256 of the bundle that the device says it runs, empty if it never told
    is_quick: bool = False
    duty: GivenDuty | None = None


class OrderReader:
    """The reader; threads may share it."""

    def __init__(self, history: History, library: BundleLibrary) -> None:
        self._history, self._library = history, library

    def read(self, asked: TwinQuestion) -> TwinOrder:
        """Read what a job needs; raise `Refused` where nothing can come of it, `StoreFailed`."""
        is_forecast = asked.kind is TwinKind.FORECAST
        from_ms = max(0, asked.to_ms - HOUR_MS * asked.hours)
        found = self._history.read(asked.node, COLUMNS, from_ms, asked.to_ms, DUTY_POINTS if is_forecast else MAX_ROWS)
        if not any(column.count.any() for column in found.columns.values()):
            what = f"the fleet has no row of {asked.node} in this span"
            raise Refused(what, key="no_rows", value=asked.node, hint="ask for a span with rows")
        bundle = self._library.read(asked.running) if asked.running else None
        if bundle is None and is_forecast:
            told = (
                f"{asked.node} runs bundle {asked.running[:12]}" if asked.running else f"{asked.node} tells no bundle"
            )
            hint = "upload the bundle that it runs: POST /api/v1/bundles"
            raise Refused(f"{told}, which this fleet does not have", key="no_model", value=asked.running, hint=hint)
        rows = RowMeans(found.t_ms, found.step_ms, {name: column.mean for name, column in found.columns.items()})
        return TwinOrder(
            asked.kind,
            asked.node,
            from_ms,
            asked.to_ms,
            asked.hours,
            rows,
            asked.running,
            bundle,
            asked.is_quick,
            asked.duty,
        )
