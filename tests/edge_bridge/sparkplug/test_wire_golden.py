"""The octets themselves: written down by hand, and read by a descriptor that is built another way."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from edge_bridge.sparkplug.payload import DataType, Payload, SparkplugMetric, Value
from edge_bridge.sparkplug.wire import decode, encode
from tests.edge_bridge.sparkplug.protobuf import double, metric, number, octets, single


def test_a_birth_is_the_octets_that_the_specification_asks_for() -> None:
    birth = Payload(
        timestamp_ms=1,
        metrics=(
            SparkplugMetric("bdSeq", None, DataType.INT64, 7, timestamp_ms=1),
            SparkplugMetric("V", 2, DataType.DOUBLE, 1.0, timestamp_ms=1),
            SparkplugMetric("W", 3, DataType.STRING, None, timestamp_ms=1),
        ),
        seq=0,
    )
    by_hand = bytes.fromhex(
        "0801"  # timestamp 1
        "120d 0a056264536571 1801 2004 5807"  # bdSeq, of type 4, long_value 7
        "1212 0a0156 1002 1801 200a 69000000000000f03f"  # V, alias 2, of type 10, double_value 1.0
        "120b 0a0157 1003 1801 200c 3801"  # W, alias 3, of type 12, is_null
        "1800"  # seq 0
    )
    assert encode(birth) == by_hand
    assert decode(by_hand) == birth


def test_data_leave_name_and_datatype_to_the_birth() -> None:
    data = Payload(300, (SparkplugMetric(None, 2, DataType.DOUBLE, 1.0, timestamp_ms=300, historical=True),), 255)
    by_hand = bytes.fromhex("08ac02 1210 1002 18ac02 2801 69000000000000f03f 18ff01")
    assert encode(data, datatypes=False) == by_hand


@pytest.mark.parametrize(
    ("datatype", "value", "field"),
    [
        (DataType.INT8, -1, number(10, 0xFFFF_FFFF)),
        (DataType.INT16, -2, number(10, 0xFFFF_FFFE)),
        (DataType.INT32, -(1 << 31), number(10, 1 << 31)),
        (DataType.INT64, -1, number(11, (1 << 64) - 1)),
        (DataType.UINT8, 255, number(10, 255)),
        (DataType.UINT32, (1 << 32) - 1, number(10, (1 << 32) - 1)),
        (DataType.UINT64, (1 << 64) - 1, number(11, (1 << 64) - 1)),
        (DataType.DATETIME, 1_700_000_000_000, number(11, 1_700_000_000_000)),
        (DataType.FLOAT, 0.5, single(12, 0.5)),
        (DataType.DOUBLE, -2.5, double(13, -2.5)),
        (DataType.BOOLEAN, True, number(14, 1)),
        (DataType.STRING, "grün", octets(15, "grün".encode())),
        (DataType.TEXT, "", octets(15, b"")),
        (DataType.BYTES, b"\x00\xff", octets(16, b"\x00\xff")),
    ],
)
def test_each_datatype_has_its_field(datatype: DataType, value: Value, field: bytes) -> None:
    by_hand = metric(octets(1, b"m"), number(4, datatype), field)
    assert encode(Payload(None, (SparkplugMetric("m", None, datatype, value),))) == by_hand
    assert decode(by_hand).metrics[0].value == value


@pytest.mark.parametrize(
    ("datatype", "field", "value"),
    [
        (DataType.INT8, number(10, 0xFF), -1),  # as writers do that extend no sign
        (DataType.INT16, number(10, 0x8000), -32768),
        (DataType.UINT32, number(11, 7), 7),  # as writers do that have no unsigned 32 bit type
    ],
)
def test_what_other_writers_send_is_read_as_they_mean_it(datatype: DataType, field: bytes, value: int) -> None:
    assert decode(metric(octets(1, b"m"), number(4, datatype), field)).metrics[0].value == value


def test_fields_that_we_do_not_speak_are_passed_over() -> None:
    metadata, properties, uuid, body = (
        octets(8, b"\x08\x01"),
        octets(9, b"\x0a\x01x"),
        octets(4, b"id"),
        octets(5, b"b"),
    )
    heard = decode(metric(octets(1, b"m"), number(4, 11), metadata, properties, number(14, 1)) + uuid + body)
    assert heard.metrics == (SparkplugMetric("m", None, DataType.BOOLEAN, value=True),)


def other_reader() -> type[Any]:
    """`Payload` once more, from a descriptor in protobuf's JSON form, with strings as strings."""

    def field(name: str, place: int, kind: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "number": place, "type": f"TYPE_{kind}", "label": "LABEL_OPTIONAL", **more}

    fields = [field("name", 1, "STRING"), field("alias", 2, "UINT64"), field("timestamp", 3, "UINT64")]
    fields += [field("datatype", 4, "UINT32")]
    fields += [field(f"is_{what}", place, "BOOL") for place, what in enumerate(("historical", "transient", "null"), 5)]
    kinds = ("UINT32", "UINT64", "FLOAT", "DOUBLE", "BOOL", "STRING", "BYTES")
    names = ("int", "long", "float", "double", "boolean", "string", "bytes")
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True), 10):
        fields.append(field(f"{name}_value", place, kind, oneofIndex=0))
    inner = {"name": "Metric", "field": fields, "oneofDecl": [{"name": "value"}]}
    outer = {
        "name": "Payload",
        "nestedType": [inner],
        "field": [
            field("timestamp", 1, "UINT64"),
            field("metrics", 2, "MESSAGE", typeName=".other.Payload.Metric") | {"label": "LABEL_REPEATED"},
            field("seq", 3, "UINT64"),
        ],
    }
    file = descriptor_pb2.FileDescriptorProto()
    json_format.ParseDict({"name": "other.proto", "package": "other", "messageType": [outer]}, file)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)  # pyright: ignore[reportUnknownMemberType]
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("other.Payload"))


def test_another_reader_reads_what_we_write() -> None:
    said = Payload(
        1_700_000_000_000,
        (
            SparkplugMetric("Row/Boot", 1, DataType.STRING, "00ffee", timestamp_ms=5),
            SparkplugMetric(None, 2, DataType.INT64, -3, timestamp_ms=6, historical=True),
            SparkplugMetric("Bundle/Chunk", None, DataType.BYTES, b"\x00\x01", timestamp_ms=7),
            SparkplugMetric("Pack/SoC", 9, DataType.DOUBLE, None),
        ),
        42,
    )
    heard = other_reader()()
    heard.ParseFromString(encode(said))
    boot, signed, chunk, unknown = heard.metrics
    assert (heard.timestamp, heard.seq) == (1_700_000_000_000, 42)
    assert (boot.name, boot.alias, boot.datatype, boot.string_value) == ("Row/Boot", 1, 12, "00ffee")
    assert (signed.HasField("name"), signed.long_value, signed.is_historical) == (False, (1 << 64) - 3, True)
    assert (chunk.bytes_value, chunk.timestamp) == (b"\x00\x01", 7)
    assert (unknown.is_null, unknown.WhichOneof("value")) == (True, None)
