"""An edge installs only bundles for its own type of pack, and keeps its memory of serials to itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle import keys, serials
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.envelope import ENVELOPE, decode_envelope
from edge_bridge.bundle.manifest import decode_manifest
from edge_bridge.bundle.serials import AcceptedBundle
from edge_bridge.bundle.write import make_signed_bundle
from edge_bridge.edge.slots import Slots
from edge_bridge.edge.startup import start_configuration
from tests.edge_bridge.edge.keeping import NOW, Bench, serial
from tests.edge_bridge.edge.test_damaged_state import settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.edge.conftest import Shelf


@pytest.fixture
def bench(tmp_path: Path, trust: Path) -> Bench:
    """An installer on a folder of its own."""
    return Bench(tmp_path / "state", trust)


def for_pack(path: Path, pack_type: str, private: Path) -> bytes:
    """The same bundle for another type of pack, signed by `private`."""
    members = unpack(path.read_bytes())
    about = decode_manifest(decode_envelope(members.pop(ENVELOPE)).payload)
    return make_signed_bundle(replace(about, pack_type=pack_type), members, private)[0]


@pytest.fixture
def private(bench: Bench, tmp_path: Path) -> Path:
    """Another key that the edge trusts."""
    key, public = keys.make_key(tmp_path / "other", "other")
    (bench.trust / public.name).write_bytes(public.read_bytes())
    return key


def test_the_first_healthy_bundle_binds_the_edge_to_its_type(bench: Bench, shelf: Shelf, private: Path) -> None:
    bench.proven(shelf.first)
    assert bench.keeper.accept.pack_type == "24s12p"
    other = for_pack(shelf.second, "16s12p", private)
    with pytest.raises(BundleRefused, match="16s12p") as refused:
        bench.restarted().install(other, NOW, 10.0)
    assert refused.value.key == "other_pack"
    bench.keeper.install(for_pack(shelf.second, "24S12P", private), NOW, 10.0)
    assert serial(bench.keeper) == 2


def test_an_edge_that_is_told_its_type_refuses_another_from_the_start(
    bench: Bench, shelf: Shelf, private: Path
) -> None:
    bench.pack_type = "van"
    with pytest.raises(BundleRefused, match="24s12p"):
        bench.restarted().install(shelf.first.read_bytes(), NOW, 0.0)
    bench.keeper.install(for_pack(shelf.first, "van", private), NOW, 0.0)
    assert serial(bench.keeper) == 1


def test_a_pointer_of_an_earlier_version_binds_to_nothing(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    path = bench.folder / "slots" / "pointer.json"
    said = json.loads(path.read_text())
    for row in said.values():
        del row["pack_type"]
    path.write_text(json.dumps(said))
    slots = Slots(bench.folder / "slots")
    assert not slots.damage
    assert bench.restarted().accept.pack_type == ""


def test_a_name_in_another_case_is_the_same_bundle(bench: Bench, shelf: Shelf, private: Path) -> None:
    bench.proven(shelf.second)
    (bench.folder / serials.SERIALS).unlink()
    members = unpack(shelf.first.read_bytes())
    about = decode_manifest(decode_envelope(members.pop(ENVELOPE)).payload)
    shouted = make_signed_bundle(replace(about, name=about.name.upper()), members, private)[0]
    with pytest.raises(BundleRefused, match="older than 2"):
        bench.keeper.install(shouted, NOW, 10.0)


def test_the_memory_in_a_trust_folder_is_taken_over_at_the_start(bench: Bench, shelf: Shelf) -> None:
    old = {"hil24": {"serial": 3, "sha256": "aa"}}
    (bench.trust / serials.SERIALS).write_text(json.dumps(old))
    with pytest.raises(BundleRefused, match="older than 3"):
        start_configuration(bench.keeper, settings_of(bench, shelf.first), NOW, lambda: False, bench.said.append)
    assert serials.read_serials(bench.folder) == {"hil24": AcceptedBundle(3, "aa")}


def test_nothing_is_written_into_the_trust_folder(bench: Bench, shelf: Shelf) -> None:
    before = sorted(path.name for path in bench.trust.iterdir())
    bench.proven(shelf.first)
    assert sorted(path.name for path in bench.trust.iterdir()) == before
    assert serials.read_serials(bench.folder)["hil24"].serial == 1
