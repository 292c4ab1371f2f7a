from __future__ import annotations

import pytest

from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import DataType, Metric, Payload, PayloadError

BIRTH = (
    Metric("bdSeq", None, DataType.INT64, 0),
    Metric("Pack/Voltage", 1, DataType.DOUBLE, 80.0),
    Metric("BMS/State", 2, DataType.INT64, 3),
)


def kind_of(*said: Metric) -> str:
    with pytest.raises(PayloadError) as refused:
        Aliases.of(BIRTH).read(Payload(None, said))
    return refused.value.kind


def test_metrics_are_found_by_alias_and_by_name() -> None:
    said = (Metric(None, 1, DataType.UNKNOWN, 81.0), Metric("bdSeq", None, DataType.UNKNOWN, 1))
    found = Aliases.of(BIRTH).read(Payload(None, said))
    assert {name: one.value for name, one in found.items()} == {"Pack/Voltage": 81.0, "bdSeq": 1}


def test_a_raw_number_becomes_the_signed_one_that_was_declared() -> None:
    said = Metric(None, 2, DataType.UNKNOWN, (1 << 64) - 2)
    assert Aliases.of(BIRTH).resolved(said).value == -2


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("unknown_alias", [Metric(None, 9, DataType.DOUBLE, 1.0)]),
        ("unknown_alias", [Metric("Pack/Power", None, DataType.DOUBLE, 1.0)]),
        ("unknown_alias", [Metric("BMS/State", 1, DataType.DOUBLE, 1.0)]),
        ("wrong_type", [Metric(None, 1, DataType.UNKNOWN, "80")]),
        ("wrong_type", [Metric(None, 1, DataType.UNKNOWN, 80)]),
        ("wrong_type", [Metric(None, 1, DataType.FLOAT, 80.0)]),
        ("twice", [Metric(None, 1, DataType.DOUBLE, 1.0), Metric("Pack/Voltage", None, DataType.DOUBLE, 1.0)]),
    ],
)
def test_what_the_birth_did_not_declare_is_refused(kind: str, said: list[Metric]) -> None:
    assert kind_of(*said) == kind


@pytest.mark.parametrize(
    ("kind", "declared"),
    [
        ("incomplete_birth", [Metric(None, 1, DataType.DOUBLE, 1.0)]),
        ("incomplete_birth", [Metric("a", 1, DataType.UNKNOWN, 1.0)]),
        ("declared_twice", [Metric("a", 1, DataType.DOUBLE, 1.0), Metric("b", 1, DataType.DOUBLE, 1.0)]),
        ("declared_twice", [Metric("a", 1, DataType.DOUBLE, 1.0), Metric("a", 2, DataType.DOUBLE, 1.0)]),
    ],
)
def test_a_birth_that_leaves_doubt_is_refused(kind: str, declared: list[Metric]) -> None:
    with pytest.raises(PayloadError) as refused:
        Aliases.of(declared)
    assert refused.value.kind == kind


def test_metrics_without_an_alias_do_not_collide() -> None:
    declared = [Metric("a", None, DataType.DOUBLE, 1.0), Metric("b", None, DataType.DOUBLE, 1.0)]
    assert Aliases.of(declared).names == {}
