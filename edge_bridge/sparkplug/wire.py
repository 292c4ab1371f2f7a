"""Sparkplug B on the wire: `org.eclipse.tahu.protobuf.Payload` (3.0, 6.4.1), the only user of protobuf."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from edge_bridge.sparkplug.payload import (
    SIGNED_BITS,
    UNSIGNED_BITS,
    DataType,
    Payload,
    PayloadError,
    SparkplugMetric,
    Value,
    check_value,
    decode_signed,
)
from edge_bridge.sparkplug.wire_fields import find_fields
from edge_bridge.varint import encode_varint

MAX_BYTES: Final = 65_536
MAX_METRICS: Final = 512
MAX_NAME: Final = 200
_METRICS: Final = 2  # the number of the field in a payload
SEQ_COUNT: Final = 256  # `seq` and `bdSeq` go from 0 to 255

_PACKAGE: Final = "org.eclipse.tahu.protobuf"
_FIELD: Final = descriptor_pb2.FieldDescriptorProto
_METRIC_FIELDS: Final = (
    ("name", 1, _FIELD.TYPE_BYTES),  # a string on the wire; read as bytes so that this module reports bad UTF-8
    ("alias", 2, _FIELD.TYPE_UINT64),
    ("timestamp", 3, _FIELD.TYPE_UINT64),
    ("datatype", 4, _FIELD.TYPE_UINT32),
    ("is_historical", 5, _FIELD.TYPE_BOOL),
    ("is_transient", 6, _FIELD.TYPE_BOOL),
    ("is_null", 7, _FIELD.TYPE_BOOL),
)
_VALUE_FIELDS: Final = (
    ("int_value", 10, _FIELD.TYPE_UINT32),
    ("long_value", 11, _FIELD.TYPE_UINT64),
    ("float_value", 12, _FIELD.TYPE_FLOAT),
    ("double_value", 13, _FIELD.TYPE_DOUBLE),
    ("boolean_value", 14, _FIELD.TYPE_BOOL),
    ("string_value", 15, _FIELD.TYPE_BYTES),  # as `name`
    ("bytes_value", 16, _FIELD.TYPE_BYTES),
)
_DATATYPES: Final = {int(datatype): datatype for datatype in DataType}
_INT, _LONG = "int_value", "long_value"
_FIELD_OF: Final[dict[DataType, str]] = {
    **{datatype: _LONG if bits == 64 else _INT for datatype, bits in {**SIGNED_BITS, **UNSIGNED_BITS}.items()},  # noqa: PLR2004  # bits
    DataType.FLOAT: "float_value",
    DataType.DOUBLE: "double_value",
    DataType.BOOLEAN: "boolean_value",
    DataType.STRING: "string_value",
    DataType.TEXT: "string_value",
    DataType.UUID: "string_value",
    DataType.BYTES: "bytes_value",
    DataType.FILE: "bytes_value",
}


def _message_class() -> type[Any]:
    file = descriptor_pb2.FileDescriptorProto(name="pulsebms/sparkplug_b.proto", package=_PACKAGE, syntax="proto2")
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    metric.oneof_decl.add(name="value")
    for name, number, kind in _METRIC_FIELDS:
        metric.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL)
    for name, number, kind in _VALUE_FIELDS:
        metric.field.add(name=name, number=number, type=kind, label=_FIELD.LABEL_OPTIONAL, oneof_index=0)
    payload.field.add(name="timestamp", number=1, type=_FIELD.TYPE_UINT64, label=_FIELD.LABEL_OPTIONAL)
    payload.field.add(
        name="metrics",
        number=2,
        type=_FIELD.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.Payload.Metric",
        label=_FIELD.LABEL_REPEATED,
    )
    payload.field.add(name="seq", number=3, type=_FIELD.TYPE_UINT64, label=_FIELD.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()  # an own pool: another library may define the same names
    pool.Add(file)  # pyright: ignore[reportUnknownMemberType]
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


_Payload: Final = _message_class()


def encode(payload: Payload, *, datatypes: bool = True) -> bytes:
    """Encode; `datatypes=False` leaves them to the birth (decision 24). Raise `PayloadError` as `decode` does."""
    message = _Payload()
    if payload.timestamp_ms is not None:
        message.timestamp = check_value(DataType.UINT64, payload.timestamp_ms, "timestamp")
    if payload.seq is not None:
        message.seq = _check_seq(payload.seq)
    for metric in payload.metrics:
        _write_metric(message.metrics.add(), metric, datatypes=datatypes)
    data = message.SerializeToString()
    _check_size(len(data), len(payload.metrics))
    return data


class TextTemplate:
    """A payload that is encoded again and again with another text, the last field of its first metric."""

    def __init__(self, payload: Payload) -> None:
        """Raise `PayloadError` as `encode` does; the first metric is a text."""
        data = encode(payload)
        metric = next(field for field in find_fields(data, 0, len(data)) if field.number == _METRICS)
        *_, text = find_fields(data, metric.start, metric.end)
        self._before = data[: metric.start - len(encode_varint(metric.end - metric.start))]
        self._start = data[metric.start : text.start - len(encode_varint(text.end - text.start))]
        self._after = data[metric.end :]
        self._made = -1, b""

    def encode(self, text: str) -> bytes:
        """Encode with this text; raise `PayloadError` as `encode` does."""
        words = _encode_text(text)
        data = self._make_start(len(words)) + words + self._after
        _check_size(len(data), 0)
        return data

    def _make_start(self, size: int) -> bytes:
        """Make what comes before a text of so many bytes; texts that follow each other often have the same size."""
        if size != self._made[0]:
            start = self._start + encode_varint(size)
            self._made = size, self._before + encode_varint(len(start) + size) + start
        return self._made[1]


def decode(data: bytes) -> Payload:
    """Decode a payload; raise `PayloadError` whose `kind` says why it cannot be read. Raise nothing else."""
    _check_size(len(data), 0)
    message = _Payload()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise PayloadError("undecodable", "the bytes are not a Sparkplug payload in protobuf") from error
    _check_size(len(data), len(message.metrics))
    return Payload(
        timestamp_ms=_read_optional(message, "timestamp"),
        metrics=tuple(_read_metric(metric) for metric in message.metrics),
        seq=_check_seq(message.seq) if message.HasField("seq") else None,
    )


def _write_metric(into: Any, metric: SparkplugMetric, *, datatypes: bool) -> None:
    if metric.datatype is DataType.UNKNOWN:
        raise PayloadError("wrong_type", f"{metric.name} has no datatype", key=metric.name)
    name = _check_identity(metric.name, metric.alias)
    if name is not None:
        into.name = _encode_text(name)
    if metric.alias is not None:
        into.alias = check_value(DataType.UINT64, metric.alias, "alias")
    if metric.timestamp_ms is not None:
        into.timestamp = check_value(DataType.UINT64, metric.timestamp_ms, "timestamp")
    if datatypes:
        into.datatype = int(metric.datatype)
    if metric.historical:
        into.is_historical = True
    if metric.value is None:
        into.is_null = True
        return
    value = check_value(metric.datatype, metric.value, metric.name)
    field = _FIELD_OF[metric.datatype]
    if type(value) is int and value < 0:
        value += 1 << (64 if field == _LONG else 32)
    setattr(into, field, _encode_text(value) if isinstance(value, str) else value)


def _read_metric(metric: Any) -> SparkplugMetric:
    datatype = _parse_datatype(metric.datatype)
    alias = _read_optional(metric, "alias")
    name = _check_identity(_decode_text(metric.name) if metric.HasField("name") else None, alias)
    return SparkplugMetric(
        name=name,
        alias=alias,
        datatype=datatype,
        value=_read_value(metric, datatype, name),
        timestamp_ms=_read_optional(metric, "timestamp"),
        historical=metric.is_historical,
    )


def _read_value(metric: Any, datatype: DataType, name: str | None) -> Value:
    field: str | None = metric.WhichOneof("value")
    if metric.is_null or field is None:
        if metric.is_null and field is None:
            return None
        kind = "no_value" if field is None else "null_and_value"
        raise PayloadError(kind, f"{name or 'a metric'} must either have a value or be null", key=name)
    value: Value = getattr(metric, field)
    if field == "string_value":
        value = _decode_text(metric.string_value)
    if datatype is DataType.UNKNOWN:
        return value
    wide = datatype is DataType.UINT32 and field == _LONG  # some writers put it there
    if field != _FIELD_OF[datatype] and not wide:
        words = f"{name or 'a metric'} is a {datatype.name} but was sent as {field}"
        raise PayloadError("wrong_type", words, key=name, value=field, bound=_FIELD_OF[datatype])
    if type(value) is int:
        value = decode_signed(datatype, value)
    return check_value(datatype, value, name)


def _parse_datatype(number: int) -> DataType:
    datatype = _DATATYPES.get(number)
    if datatype is None:
        words = f"datatype {number} is not supported"
        raise PayloadError("unknown_datatype", words, value=number)
    return datatype


def _check_identity(name: str | None, alias: int | None) -> str | None:
    if name is None and alias is None:
        raise PayloadError("nameless", "a metric has neither a name nor an alias")
    if name is not None and not 0 < len(name) <= MAX_NAME:
        raise PayloadError("name", "a metric's name is empty or too long", value=len(name), bound=MAX_NAME)
    return name


def _encode_text(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise PayloadError("not_utf8", "a text cannot be written as UTF-8", value=repr(text[:40])) from error


def _decode_text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise PayloadError("not_utf8", "a text is not UTF-8", value=repr(data[:40])) from error


def _check_seq(number: int) -> int:
    if not 0 <= number < SEQ_COUNT:
        raise PayloadError("seq", f"seq {number} is not between 0 and 255", key="seq", value=number, bound=255)
    return number


def _read_optional(message: Any, field: str) -> int | None:
    return getattr(message, field) if message.HasField(field) else None


def _check_size(size: int, metrics: int) -> None:
    if size > MAX_BYTES:
        raise PayloadError("oversized", "a payload is too large", value=size, bound=MAX_BYTES)
    if metrics > MAX_METRICS:
        raise PayloadError("too_many_metrics", "a payload has too many metrics", value=metrics, bound=MAX_METRICS)
