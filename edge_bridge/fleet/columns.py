"""The values of a row: metric on the wire, column in the store, datatype, and plausible range.

The ranges are wide on purpose: they separate a damaged number from a measurement, not a good pack from a bad one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_bridge.sparkplug.payload import DataType, PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.sparkplug.payload import SparkplugMetric

Scalar: TypeAlias = float | int | str | None
MAX_TEXT: Final = 500
_INT64: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class RowColumn:
    """One value of a row in SI units."""

    metric: str
    name: str
    datatype: DataType
    low: float = -_INT64
    high: float = _INT64


COLUMNS: Final = (
    RowColumn("Pack/Current", "current_a", DataType.DOUBLE, -1e5, 1e5),
    RowColumn("Pack/Voltage", "voltage_v", DataType.DOUBLE, -1e4, 1e5),
    RowColumn("Pack/SoC", "soc", DataType.DOUBLE, -1.0, 2.0),
    RowColumn("Pack/SoC Std", "soc_std", DataType.DOUBLE, 0.0, 10.0),
    RowColumn("Cells/Voltage Min", "cell_min_v", DataType.DOUBLE, -100.0, 100.0),
    RowColumn("Cells/Voltage Max", "cell_max_v", DataType.DOUBLE, -100.0, 100.0),
    RowColumn("Temperature/Max", "temperature_max_k", DataType.DOUBLE, 0.0, 5e3),
    RowColumn("BMS/State", "bms_state", DataType.INT64),
    RowColumn("BMS/Fault", "bms_fault", DataType.INT64),
    RowColumn("Gate/Verdict", "gate_verdict", DataType.STRING),
    RowColumn("Gate/Reason", "gate_reason", DataType.STRING),
)
COLUMN_NAMES: Final = tuple(column.name for column in COLUMNS)


def read_values(metrics: Mapping[str, SparkplugMetric]) -> tuple[Scalar, ...]:
    """Return one value per column, `None` if unknown; raise `PayloadError` for an impossible value."""
    return tuple(_read_value(column, metrics.get(column.metric)) for column in COLUMNS)


def _read_value(column: RowColumn, metric: SparkplugMetric | None) -> Scalar:
    if metric is None or metric.value is None:
        return None
    if metric.datatype is not column.datatype:
        words = f"{column.metric} is declared as {metric.datatype.name}, not as {column.datatype.name}"
        raise PayloadError("wrong_type", words, key=column.metric, bound=column.datatype.name)
    value = metric.value
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise PayloadError("text", f"{column.metric} is too long", value=len(value), bound=MAX_TEXT)
    if isinstance(value, float) and not math.isfinite(value):
        raise PayloadError("not_finite", f"{column.metric} is {value}; unknown is null", key=column.metric)
    if isinstance(value, (int, float)) and not column.low <= value <= column.high:
        bound = [column.low, column.high]
        raise PayloadError("implausible", f"{column.metric} {value:g} is implausible", value=value, bound=bound)
    assert not isinstance(value, bytes)  # noqa: S101  # no column has this type
    return value
