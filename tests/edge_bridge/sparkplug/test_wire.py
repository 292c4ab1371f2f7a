from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import DataType, Payload, PayloadError, SparkplugMetric, Value
from edge_bridge.sparkplug.wire import MAX_BYTES, MAX_METRICS, decode, encode
from tests.edge_bridge.sparkplug.protobuf import double, metric, number, octets, varint
from tests.edge_bridge.sparkplug.strategies import metrics, payloads

NAME = octets(1, b"m")


@given(payloads())
def test_decode_is_the_inverse_of_encode(said: Payload) -> None:
    assert decode(encode(said)) == said


@given(metrics().filter(lambda one: one.name is not None))
def test_a_metric_without_its_datatype_is_read_by_its_birth(said: SparkplugMetric) -> None:
    birth = Aliases.from_birth([said])
    name = None if said.alias is not None else said.name
    data = SparkplugMetric(name, said.alias, said.datatype, said.value, said.timestamp_ms, said.historical)
    assert birth.read(decode(encode(Payload(None, (data,)), datatypes=False))) == {said.name: said}


@given(st.binary(max_size=200))
def test_octets_of_anybody_are_read_or_refused(anything: bytes) -> None:
    try:
        heard = decode(anything)
    except PayloadError:
        return
    if all(one.datatype for one in heard.metrics):
        assert repr(decode(encode(heard))) == repr(heard)


REFUSED = {
    "undecodable": [b"\xff", b"\x12\x05abc", metric(NAME, number(4, 11), number(14, 1))[:-1]],
    "unknown_datatype": [metric(NAME, number(4, 16), number(10, 1)), metric(NAME, number(4, 99), number(10, 1))],
    "wrong_type": [
        metric(NAME, number(4, DataType.DOUBLE), number(11, 1)),
        metric(NAME, number(4, DataType.STRING), octets(16, b"x")),
        metric(NAME, number(4, DataType.INT64), number(10, 1)),
        metric(NAME, number(4, DataType.BOOLEAN), double(13, 1.0)),
    ],
    "out_of_range": [
        metric(NAME, number(4, DataType.UINT8), number(10, 256)),
        metric(NAME, number(4, DataType.INT8), number(10, 300)),
        metric(NAME, number(4, DataType.UINT32), number(11, 1 << 32)),
    ],
    "no_value": [metric(NAME, number(4, DataType.DOUBLE)), metric(NAME), metric(NAME, octets(18, b""))],
    "null_and_value": [metric(NAME, number(4, DataType.BOOLEAN), number(7, 1), number(14, 1))],
    "nameless": [metric(number(4, DataType.BOOLEAN), number(14, 1)), b"\x12\x00"],
    "name": [
        metric(octets(1, b""), number(4, DataType.BOOLEAN), number(14, 1)),
        metric(octets(1, b"m" * 201), number(4, DataType.BOOLEAN), number(14, 1)),
    ],
    "not_utf8": [
        metric(octets(1, b"\xff\xfe"), number(4, DataType.BOOLEAN), number(14, 1)),
        metric(NAME, number(4, DataType.STRING), octets(15, b"\xc3")),
    ],
    "seq": [number(3, 256), number(3, (1 << 64) - 1)],
    "oversized": [octets(5, bytes(MAX_BYTES))],
    "too_many_metrics": [metric(number(2, 1), number(14, 1)) * (MAX_METRICS + 1)],
}


@pytest.mark.parametrize(("kind", "sent"), [(kind, one) for kind, those in REFUSED.items() for one in those])
def test_what_cannot_be_read_is_refused_by_name(kind: str, sent: bytes) -> None:
    with pytest.raises(PayloadError) as refused:
        decode(sent)
    assert refused.value.kind == kind
    assert str(refused.value).endswith("the whole message was refused")


def test_a_declared_length_beyond_the_message_reserves_no_memory() -> None:
    with pytest.raises(PayloadError):
        decode(varint(2 << 3 | 2) + varint((1 << 31) - 1) + b"x")


def test_nesting_without_end_is_refused_or_passed_over() -> None:
    nested = b""
    for _ in range(2_000):
        nested = octets(9, nested)  # a property set within a property set
    assert decode(metric(NAME, number(4, DataType.BOOLEAN), number(14, 1), nested)).metrics[0].value is True


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (DataType.BOOLEAN, 1),
        (DataType.INT64, True),
        (DataType.INT64, 1.0),
        (DataType.DOUBLE, 1),
        (DataType.STRING, b"x"),
        (DataType.BYTES, "x"),
        (DataType.UINT64, -1),
        (DataType.INT64, 1 << 63),
        (DataType.UNKNOWN, 1),
    ],
)
def test_encode_refuses_a_value_that_its_datatype_does_not_hold(datatype: DataType, value: Value) -> None:
    with pytest.raises(PayloadError, match="m"):
        encode(Payload(None, (SparkplugMetric("m", None, datatype, value),)))


def test_encode_refuses_a_text_that_utf8_has_no_octets_for() -> None:
    for said in (
        SparkplugMetric("m", None, DataType.STRING, "\ud800"),
        SparkplugMetric("\ud800", None, DataType.BOOLEAN, value=True),
    ):
        with pytest.raises(PayloadError) as refused:
            encode(Payload(None, (said,)))
        assert refused.value.kind == "not_utf8"


def test_encode_refuses_what_decode_would() -> None:
    with pytest.raises(PayloadError) as refused:
        encode(Payload(None, (SparkplugMetric("m", None, DataType.BYTES, bytes(MAX_BYTES)),)))
    assert refused.value.kind == "oversized"
