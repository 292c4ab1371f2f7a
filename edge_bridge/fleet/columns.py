"""The values of a row: metric on the wire, column in the store, datatype, and plausible range.

The ranges are wide on purpose: they separate a damaged number from a measurement, not a good pack from a bad one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_bridge import metrics
from edge_bridge.sparkplug.payload import PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.metrics import Scalar
    from edge_bridge.sparkplug.payload import DataType, SparkplugMetric

MAX_TEXT: Final = 500
_INT64: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class RowColumn:
    """One value of a row in SI units."""

    metric: str
    name: str
    low: float = -_INT64
    high: float = _INT64

    @property
    def datatype(self) -> DataType:
        return metrics.TYPES[self.metric]


COLUMNS: Final = (
    RowColumn(metrics.CURRENT, "current_a", -1e5, 1e5),
    RowColumn(metrics.VOLTAGE, "voltage_v", -1e4, 1e5),
    RowColumn(metrics.SOC, "soc", -1.0, 2.0),
    RowColumn(metrics.SOC_STD, "soc_std", 0.0, 10.0),
    RowColumn(metrics.CELL_MIN, "cell_min_v", -100.0, 100.0),
    RowColumn(metrics.CELL_MAX, "cell_max_v", -100.0, 100.0),
    RowColumn(metrics.TEMPERATURE, "temperature_max_k", 0.0, 5e3),
    RowColumn(metrics.BMS_STATE, "bms_state"),
    RowColumn(metrics.BMS_FAULT, "bms_fault"),
    RowColumn(metrics.VERDICT, "gate_verdict"),
    RowColumn(metrics.VERDICT_REASON, "gate_reason"),
    RowColumn(metrics.SOH, "soh", 0.0, 10.0),
    RowColumn(metrics.SOH_STD, "soh_std", 0.0, 10.0),
    RowColumn(metrics.SOH_MIN, "soh_min", 0.0, 10.0),
    RowColumn(metrics.GROWTH, "resistance_growth", -100.0, 100.0),
    RowColumn(metrics.GROWTH_STD, "resistance_growth_std", 0.0, 100.0),
)
COLUMN_OF: Final = {column.metric: column for column in COLUMNS}
COLUMN_NAMES: Final = tuple(column.name for column in COLUMNS)


def read_values(found: Mapping[str, SparkplugMetric]) -> tuple[Scalar, ...]:
    """Return one value per column, `None` if unknown; raise `PayloadError` for an impossible value."""
    return tuple(_read_value(column, found.get(column.metric)) for column in COLUMNS)


def _read_value(column: RowColumn, metric: SparkplugMetric | None) -> Scalar:
    if metric is None or metric.value is None:
        return None
    if metric.datatype is not column.datatype:
        words = f"{column.metric} is declared as {metric.datatype.name}, not as {column.datatype.name}"
        raise PayloadError("wrong_type", words, key=column.metric, bound=column.datatype.name)
    value = metric.value
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise PayloadError("text", f"{column.metric} is too long", value=len(value), bound=MAX_TEXT)
    if isinstance(value, str) and "\0" in value:
        raise PayloadError("text", f"{column.metric} contains a zero character", key=column.metric)
    if isinstance(value, float) and not math.isfinite(value):
        raise PayloadError("not_finite", f"{column.metric} is {value}; unknown is null", key=column.metric)
    if isinstance(value, (int, float)) and not column.low <= value <= column.high:
        bound = [column.low, column.high]
        raise PayloadError("implausible", f"{column.metric} {value:g} is implausible", value=value, bound=bound)
    assert not isinstance(value, bytes)  # noqa: S101  # no column has this type
    return value
