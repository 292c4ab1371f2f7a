"""A promoted policy in a bundle: it and its promotion belong together, or nothing is built and nothing installed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import BundleRefused, Refused, Usage
from edge_bridge.bundle.consistency import check_consistency
from edge_bridge.bundle.promotion import POLICY, PROMOTION, SCHEMA
from tests.edge_bridge.bundle.test_consistency import with_member
from workbench.bundling.build import BundleOrder, build
from workbench.bundling.policy_members import read_policy_members

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.bundle.manifest import Bundle
    from workbench.bundling.build import BuiltBundle

DATA = b"a policy"


def result(**changes: Any) -> bytes:
    gate = {"name": "cost", "is_passed": True, "is_shortened": False}
    whole = {
        "schema": SCHEMA,
        "verdict": "promoted",
        "policy": {"sha256": hashlib.sha256(DATA).hexdigest()},
        "gates": [gate],
    }
    return json.dumps({**whole, **changes}).encode()


def order_with(order: BundleOrder, folder: Path, promotion: bytes) -> BundleOrder:
    (folder / "mine.onnx").write_bytes(DATA)
    (folder / PROMOTION).write_bytes(promotion)
    return replace(order, policy=folder / "mine.onnx", promotion=folder)


def test_a_promoted_policy_is_built_into_the_bundle(order: BundleOrder, tmp_path: Path) -> None:
    bundle = build(order_with(order, tmp_path, result())).verified.bundle
    assert (bundle.files[POLICY], bundle.files[PROMOTION]) == (DATA, result())


BAD = [
    (result(verdict="refused"), "not promoted"),
    (result(policy={"sha256": "0" * 64}), "another policy"),
    (result(gates=[{"name": "cost", "is_passed": False, "is_shortened": False}]), "cost"),
    (result(gates=[{"name": "cost", "is_passed": True, "is_shortened": True}]), "cost"),
    (result(gates=[]), "not promoted"),
    (result(schema="pulsebms.promotion/9"), "schema"),
    (b"[]", "schema"),
    (b"{", ""),
    (json.dumps({"schema": SCHEMA}).encode(), "missing"),
]


@pytest.mark.parametrize(("promotion", "what"), BAD)
def test_what_was_not_promoted_is_not_built(tmp_path: Path, promotion: bytes, what: str) -> None:
    (tmp_path / "mine.onnx").write_bytes(DATA)
    (tmp_path / PROMOTION).write_bytes(promotion)
    with pytest.raises(Refused) as caught:
        read_policy_members(tmp_path / "mine.onnx", tmp_path)
    assert what in str(caught.value)


def test_one_without_the_other_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="--promotion"):
        read_policy_members(tmp_path / "mine.onnx", None)
    with pytest.raises(Usage, match="cannot be read"):
        read_policy_members(tmp_path / "mine.onnx", tmp_path)
    assert read_policy_members(None, None) == {}


def test_an_edge_refuses_a_policy_whose_promotion_is_of_another(built: BuiltBundle) -> None:
    bundle: Bundle = built.verified.bundle
    good = with_member(with_member(bundle, POLICY, DATA), PROMOTION, result())
    check_consistency(good)
    for bad in (
        with_member(bundle, POLICY, DATA),
        with_member(bundle, PROMOTION, result()),
        with_member(good, POLICY, b"another policy"),
        with_member(good, PROMOTION, result(verdict="refused")),
    ):
        with pytest.raises(BundleRefused) as caught:
            check_consistency(bad)
        assert (caught.value.key, caught.value.value) == ("inconsistent", PROMOTION)
