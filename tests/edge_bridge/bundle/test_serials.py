"""What a trust folder remembers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
