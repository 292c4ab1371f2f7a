from __future__ import annotations

import pytest

from edge_bridge.sparkplug.aliases import Aliases
from edge_bridge.sparkplug.payload import DataType, Payload, PayloadError, SparkplugMetric

BIRTH = (
    SparkplugMetric("bdSeq", None, DataType.INT64, 0),
    SparkplugMetric("Pack/Voltage", 1, DataType.DOUBLE, 80.0),
    SparkplugMetric("BMS/State", 2, DataType.INT64, 3),
)


def kind_of(*said: SparkplugMetric) -> str:
    with pytest.raises(PayloadError) as refused:
        Aliases.from_birth(BIRTH).read(Payload(None, said))
    return refused.value.kind


def test_metrics_are_found_by_alias_and_by_name() -> None:
    said = (SparkplugMetric(None, 1, DataType.UNKNOWN, 81.0), SparkplugMetric("bdSeq", None, DataType.UNKNOWN, 1))
    found = Aliases.from_birth(BIRTH).read(Payload(None, said))
    assert {name: one.value for name, one in found.items()} == {"Pack/Voltage": 81.0, "bdSeq": 1}


def test_a_raw_number_becomes_the_signed_one_that_was_declared() -> None:
    said = SparkplugMetric(None, 2, DataType.UNKNOWN, (1 << 64) - 2)
    assert Aliases.from_birth(BIRTH).resolve(said).value == -2


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("unknown_alias", [SparkplugMetric(None, 9, DataType.DOUBLE, 1.0)]),
        ("unknown_alias", [SparkplugMetric("Pack/Power", None, DataType.DOUBLE, 1.0)]),
        ("unknown_alias", [SparkplugMetric("BMS/State", 1, DataType.DOUBLE, 1.0)]),
        ("wrong_type", [SparkplugMetric(None, 1, DataType.UNKNOWN, "80")]),
        ("wrong_type", [SparkplugMetric(None, 1, DataType.UNKNOWN, 80)]),
        ("wrong_type", [SparkplugMetric(None, 1, DataType.FLOAT, 80.0)]),
        (
            "twice",
            [
                SparkplugMetric(None, 1, DataType.DOUBLE, 1.0),
                SparkplugMetric("Pack/Voltage", None, DataType.DOUBLE, 1.0),
            ],
        ),
    ],
)
def test_what_the_birth_did_not_declare_is_refused(kind: str, said: list[SparkplugMetric]) -> None:
    assert kind_of(*said) == kind


@pytest.mark.parametrize(
    ("kind", "declared"),
    [
        ("incomplete_birth", [SparkplugMetric(None, 1, DataType.DOUBLE, 1.0)]),
        ("incomplete_birth", [SparkplugMetric("a", 1, DataType.UNKNOWN, 1.0)]),
        (
            "declared_twice",
            [SparkplugMetric("a", 1, DataType.DOUBLE, 1.0), SparkplugMetric("b", 1, DataType.DOUBLE, 1.0)],
        ),
        (
            "declared_twice",
            [SparkplugMetric("a", 1, DataType.DOUBLE, 1.0), SparkplugMetric("a", 2, DataType.DOUBLE, 1.0)],
        ),
    ],
)
def test_a_birth_that_leaves_doubt_is_refused(kind: str, declared: list[SparkplugMetric]) -> None:
    with pytest.raises(PayloadError) as refused:
        Aliases.from_birth(declared)
    assert refused.value.kind == kind


def test_metrics_without_an_alias_do_not_collide() -> None:
    declared = [SparkplugMetric("a", None, DataType.DOUBLE, 1.0), SparkplugMetric("b", None, DataType.DOUBLE, 1.0)]
    assert Aliases.from_birth(declared).names == {}
