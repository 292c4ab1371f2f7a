"""What an edge remembers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle import serials
from edge_bridge.bundle.serials import AcceptedBundle

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_remembered_without_a_file(tmp_path: Path) -> None:
    assert serials.read_serials(tmp_path) == {}


def test_what_proved_healthy_is_remembered_by_name(tmp_path: Path) -> None:
    serials.remember(tmp_path, "a", 3, "aa")
    serials.remember(tmp_path, "b", 1, "bb")
    assert serials.read_serials(tmp_path) == {"a": AcceptedBundle(3, "aa"), "b": AcceptedBundle(1, "bb")}
    assert json.loads((tmp_path / "serials.json").read_text())["a"] == {"serial": 3, "sha256": "aa"}


def test_memory_never_goes_back(tmp_path: Path) -> None:
    serials.remember(tmp_path, "a", 3, "aa")
    serials.remember(tmp_path, "a", 2, "older")
    serials.remember(tmp_path, "a", 3, "other")
    assert serials.read_serials(tmp_path) == {"a": AcceptedBundle(3, "aa")}


def test_no_draft_is_left(tmp_path: Path) -> None:
    serials.remember(tmp_path, "a", 3, "aa")
    assert [path.name for path in tmp_path.iterdir()] == ["serials.json"]


def test_names_are_the_same_whatever_their_case(tmp_path: Path) -> None:
    serials.remember(tmp_path, "Pack", 3, "aa")
    serials.remember(tmp_path, "PACK", 2, "bb")
    assert serials.read_serials(tmp_path) == {"pack": AcceptedBundle(3, "aa")}


def test_an_old_memory_in_the_trust_folder_is_read_once(tmp_path: Path) -> None:
    trust, state = tmp_path / "trust", tmp_path / "state"
    trust.mkdir()
    old = {"A": {"serial": 3, "sha256": "aa"}, "a": {"serial": 4, "sha256": "bb"}}
    (trust / "serials.json").write_text(json.dumps(old))
    serials.take_over(trust, state)
    assert serials.read_serials(state) == {"a": AcceptedBundle(4, "bb")}
    (trust / "serials.json").write_text(json.dumps({"a": {"serial": 9, "sha256": "cc"}}))
    serials.take_over(trust, state)
    assert serials.read_serials(state) == {"a": AcceptedBundle(4, "bb")}


def test_a_damaged_old_memory_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / "serials.json").write_text("{")
    with pytest.raises(BundleRefused) as caught:
        serials.take_over(tmp_path, tmp_path / "state")
    assert caught.value.key == "damaged_state"
