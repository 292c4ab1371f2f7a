"""Payloads as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from edge_bridge.sparkplug.payload import SIGNED_BITS, UNSIGNED_BITS, DataType, Payload, SparkplugMetric

UINT64 = st.integers(0, (1 << 64) - 1)
TEXT = st.text(max_size=30)
_OTHERS = {
    DataType.FLOAT: st.floats(width=32, allow_nan=False),
    DataType.DOUBLE: st.floats(allow_nan=False),
    DataType.BOOLEAN: st.booleans(),
    DataType.STRING: TEXT,
    DataType.TEXT: TEXT,
    DataType.UUID: TEXT,
    DataType.BYTES: st.binary(max_size=30),
    DataType.FILE: st.binary(max_size=30),
}


def values(datatype: DataType) -> st.SearchStrategy[int | float | bool | str | bytes]:
    if datatype in SIGNED_BITS:
        half = 1 << (SIGNED_BITS[datatype] - 1)
        return st.integers(-half, half - 1)
    if datatype in UNSIGNED_BITS:
        return st.integers(0, (1 << UNSIGNED_BITS[datatype]) - 1)
    return _OTHERS[datatype]


@st.composite
def metrics(draw: st.DrawFn) -> SparkplugMetric:
    datatype = draw(st.sampled_from([one for one in DataType if one is not DataType.UNKNOWN]))
    named = draw(st.booleans())
    return SparkplugMetric(
        name=draw(st.text(min_size=1, max_size=20)) if named else None,
        alias=draw(st.none() | UINT64) if named else draw(UINT64),
        datatype=datatype,
        value=draw(st.none() | values(datatype)),
        timestamp_ms=draw(st.none() | UINT64),
        historical=draw(st.booleans()),
    )


def payloads() -> st.SearchStrategy[Payload]:
    some = st.lists(metrics(), max_size=6).map(tuple)
    return st.builds(Payload, st.none() | UINT64, some, st.none() | st.integers(0, 255))
