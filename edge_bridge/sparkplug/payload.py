"""The types of a Sparkplug B payload, and which values a datatype holds (Sparkplug 3.0, 6.4.1 to 6.4.16)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from drivers.errors import PulseError

Value: TypeAlias = int | float | bool | str | bytes | None


class PayloadError(PulseError):
    """Bytes, a metric or a topic that Sparkplug does not allow; errors are counted by `kind`."""

    code = "payload"

    def __init__(self, kind: str, what: str, *, key: str | None = None, value: Any = None, bound: Any = None) -> None:
        super().__init__(what, key=key, value=value, bound=bound, hint="the whole message was refused")
        self.kind = kind


class DataType(IntEnum):
    """Sparkplug's numbers of the supported datatypes; `UNKNOWN` where a message leaves the type to the birth."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATETIME = 13
    TEXT = 14
    UUID = 15
    BYTES = 17
    FILE = 18


SIGNED_BITS: Final = {DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64}
UNSIGNED_BITS: Final = {
    DataType.UINT8: 8,
    DataType.UINT16: 16,
    DataType.UINT32: 32,
    DataType.UINT64: 64,
    DataType.DATETIME: 64,
}
_KINDS: Final[dict[DataType, type]] = {
    DataType.FLOAT: float,
    DataType.DOUBLE: float,
    DataType.BOOLEAN: bool,
    DataType.STRING: str,
    DataType.TEXT: str,
    DataType.UUID: str,
    DataType.BYTES: bytes,
    DataType.FILE: bytes,
}


@dataclass(slots=True, unsafe_hash=True)  # nobody changes one; `frozen` would make each cost three times as much
class SparkplugMetric:
    """One value with its name or its alias; `None` is Sparkplug's null, `timestamp_ms` counts from 1970 in UTC."""

    name: str | None
    alias: int | None
    datatype: DataType
    value: Value
    timestamp_ms: int | None = None
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """One message: the time when it was sent, its metrics, and its `seq` (0 to 255) where messages are counted."""

    timestamp_ms: int | None
    metrics: tuple[SparkplugMetric, ...]
    seq: int | None = None


def check_value(datatype: DataType, value: Value, name: str | None = None) -> Value:
    """Return `value` if `datatype` can hold it; raise `PayloadError` of kind `wrong_type` or `out_of_range`."""
    if value is None or datatype is DataType.UNKNOWN:
        return value
    low, high = _BOUNDS[datatype]
    if low == high:
        if type(value) is not _KINDS[datatype]:
            raise _wrong_type(datatype, value, name)
        return value
    if type(value) is not int:
        raise _wrong_type(datatype, value, name)
    if not low <= value <= high:
        words = f"{name or 'a metric'}: {value} is not of type {datatype.name}"
        raise PayloadError("out_of_range", words, key=name, value=value, bound=[low, high])
    return value


def convert_metric(metric: SparkplugMetric, name: str, datatype: DataType) -> SparkplugMetric:
    """Return the metric with its name and its raw value read as `datatype`; raise `PayloadError` if it is not one."""
    if metric.datatype not in {DataType.UNKNOWN, datatype}:
        words = f"{name} has type {metric.datatype.name}, its birth declared {datatype.name}"
        raise PayloadError("wrong_type", words, key=name, value=metric.datatype.name, bound=datatype.name)
    value = metric.value
    if metric.datatype is DataType.UNKNOWN and type(value) is int:
        value = decode_signed(datatype, value)
    held = check_value(datatype, value, name)
    if metric.datatype is datatype and metric.name == name:
        return metric
    return SparkplugMetric(name, metric.alias, datatype, held, metric.timestamp_ms, metric.historical)


def decode_signed(datatype: DataType, raw: int) -> int:
    """Decode an unsigned field to its signed number: two's complement in its own width, or sign-extended."""
    bits = SIGNED_BITS.get(datatype)
    if bits is None:
        return raw
    for width in (bits, max(bits, 32)):  # writers of Int8 and Int16 differ in how far they extend the sign
        low = (1 << width) - (1 << (bits - 1))
        if low <= raw < 1 << width:
            return raw - (1 << width)
    return raw


def _bounds(datatype: DataType) -> tuple[int, int]:
    if datatype in SIGNED_BITS:
        half = 1 << (SIGNED_BITS[datatype] - 1)
        return -half, half - 1
    return 0, (1 << UNSIGNED_BITS[datatype]) - 1 if datatype in UNSIGNED_BITS else 0


_BOUNDS: Final = {datatype: _bounds(datatype) for datatype in DataType}


def _wrong_type(datatype: DataType, value: Value, name: str | None) -> PayloadError:
    kind = type(value).__name__
    return PayloadError(
        "wrong_type", f"{name or 'a metric'}: {kind} is not of type {datatype.name}", key=name, value=kind
    )
