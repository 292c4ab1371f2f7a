"""The values of a row: metric on the wire, column in the store, datatype, and the range in which it can be believed.

The ranges are wide on purpose: they tell a damaged number from a measurement, not a good pack from a bad one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_bridge.sparkplug.payload import DataType, PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.sparkplug.payload import Metric

Scalar: TypeAlias = float | int | str | None
LONGEST_TEXT: Final = 500
_INT64: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Column:
    """One value of a row in SI units."""

    metric: str
    name: str
    datatype: DataType
    low: float = -_INT64
    high: float = _INT64


COLUMNS: Final = (
    Column("Pack/Current", "current_a", DataType.DOUBLE, -1e5, 1e5),
    Column("Pack/Voltage", "voltage_v", DataType.DOUBLE, -1e4, 1e5),
    Column("Pack/SoC", "soc", DataType.DOUBLE, -1.0, 2.0),
    Column("Pack/SoC Std", "soc_std", DataType.DOUBLE, 0.0, 10.0),
    Column("Cells/Voltage Min", "cell_min_v", DataType.DOUBLE, -100.0, 100.0),
    Column("Cells/Voltage Max", "cell_max_v", DataType.DOUBLE, -100.0, 100.0),
    Column("Temperature/Max", "temperature_max_k", DataType.DOUBLE, 0.0, 5e3),
    Column("BMS/State", "bms_state", DataType.INT64),
    Column("BMS/Fault", "bms_fault", DataType.INT64),
    Column("Gate/Verdict", "gate_verdict", DataType.STRING),
    Column("Gate/Reason", "gate_reason", DataType.STRING),
)
NAMES: Final = tuple(column.name for column in COLUMNS)


def values(metrics: Mapping[str, Metric]) -> tuple[Scalar, ...]:
    """One value per column, `None` where nothing is known; raises `PayloadError` for one that cannot be."""
    return tuple(_value(column, metrics.get(column.metric)) for column in COLUMNS)


def _value(column: Column, metric: Metric | None) -> Scalar:
    if metric is None or metric.value is None:
        return None
    if metric.datatype is not column.datatype:
        words = f"{column.metric} is declared as {metric.datatype.name}, not as {column.datatype.name}"
        raise PayloadError("wrong_type", words, key=column.metric, bound=column.datatype.name)
    value = metric.value
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise PayloadError("text", f"{column.metric} is too long", value=len(value), bound=LONGEST_TEXT)
    if isinstance(value, float) and not math.isfinite(value):
        raise PayloadError("not_finite", f"{column.metric} is {value}; unknown is null", key=column.metric)
    if isinstance(value, (int, float)) and not column.low <= value <= column.high:
        bound = [column.low, column.high]
        raise PayloadError("implausible", f"{column.metric} {value:g} cannot be", value=value, bound=bound)
    assert not isinstance(value, bytes)  # noqa: S101  # no column is declared so
    return value
