from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BundleRefused, CheckFailed
from edge_bridge.bundle import keys, serials
from edge_bridge.bundle.verify import Acceptance
from edge_bridge.edge.installer import HEALTHY, INSTALLED, REVERTED, BundleInstaller
from edge_bridge.edge.probation import MAX_BOOTS, STEADY_S, TIMEOUT_S, HealthSample
from edge_bridge.edge.slots import Slots
from tests.edge_bridge.edge.keeping import NOW, SICK, WELL, Bench, serial

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.edge.conftest import Shelf


@pytest.fixture
def bench(tmp_path: Path, trust: Path) -> Bench:
    return Bench(tmp_path, trust)


def test_a_bundle_is_installed_then_proves_healthy_and_its_serial_is_noted(bench: Bench, shelf: Shelf) -> None:
    keeper = bench.keeper
    keeper.install(shelf.first.read_bytes(), NOW, 0.0)
    assert (keeper.status.state, keeper.is_on_probation) == (INSTALLED, True)
    keeper.update(0.0, WELL)
    keeper.update(STEADY_S, WELL)
    assert (keeper.status.state, keeper.is_on_probation) == (HEALTHY, False)
    assert keeper.slots.pointer.good == keeper.slots.pointer.active
    assert serials.read_serials(bench.folder)["hil24"].serial == 1


def test_a_bundle_that_trips_reverts_to_the_last_good_one(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    keeper = bench.keeper
    keeper.install(shelf.second.read_bytes(), NOW, 10.0)
    assert serial(keeper) == 2
    keeper.update(11.0, SICK)
    assert serial(keeper) == 1
    assert keeper.status.state == REVERTED
    assert "cell_07" in keeper.status.reason
    assert bench.launched == ["a", "b", "a"]
    assert serials.read_serials(bench.folder)["hil24"].serial == 1


def test_a_bundle_that_never_becomes_well_reverts_in_its_time(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    bench.keeper.install(shelf.second.read_bytes(), NOW, 10.0)
    bench.keeper.update(10.0 + TIMEOUT_S, HealthSample(estimate_fault="no message is received from the pack's BMS"))
    assert serial(bench.keeper) == 1
    assert "no message is received" in bench.keeper.status.reason


def test_a_first_bundle_that_fails_has_nothing_to_go_back_to(bench: Bench, shelf: Shelf) -> None:
    bench.keeper.install(shelf.first.read_bytes(), NOW, 0.0)
    with pytest.raises(CheckFailed, match="did not prove healthy"):
        bench.keeper.update(1.0, SICK)


def test_a_configuration_that_cannot_be_launched_is_given_up_and_the_old_one_goes_on(
    bench: Bench, shelf: Shelf
) -> None:
    bench.proven(shelf.first)
    bench.fails = "bms/cell_25/voltage"
    bench.keeper.install(shelf.second.read_bytes(), NOW, 10.0)
    assert serial(bench.keeper) == 1
    assert bench.keeper.status.state == REVERTED
    assert "bms/cell_25/voltage" in bench.keeper.status.reason
    bench.fails = ""
    bench.restarted().resume(0.0)
    assert serial(bench.keeper) == 1


def test_a_loop_of_kills_on_probation_reverts_at_the_next_start(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    bench.keeper.install(shelf.second.read_bytes(), NOW, 10.0)
    for _ in range(MAX_BOOTS - 1):
        keeper = bench.restarted()  # killed before it could prove anything
        keeper.count_start()
        keeper.resume(0.0)
        assert serial(keeper) == 2
    keeper = bench.restarted()
    keeper.count_start()
    keeper.resume(0.0)
    assert serial(keeper) == 1
    assert keeper.status.state == REVERTED
    assert not keeper.is_on_probation


def test_an_older_bundle_is_refused_and_nothing_changes(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.second)
    with pytest.raises(BundleRefused, match="older than 2") as refused:
        bench.keeper.install(shelf.first.read_bytes(), NOW, 10.0)
    assert refused.value.key == "older_serial"
    assert serial(bench.keeper) == 2
    assert not bench.keeper.is_on_probation


def test_an_older_bundle_is_refused_where_the_serials_are_forgotten(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.second)
    (bench.folder / serials.SERIALS).unlink()
    with pytest.raises(BundleRefused, match="older than 2"):
        bench.keeper.install(shelf.first.read_bytes(), NOW, 10.0)


@pytest.mark.parametrize(
    ("which", "key"),
    [("foreign", "unknown_signer"), ("flipped", "changed"), ("short", "changed"), ("text", "not_a_bundle")],
)
def test_a_bundle_that_may_not_be_believed_is_refused(bench: Bench, shelf: Shelf, which: str, key: str) -> None:
    whole = shelf.second.read_bytes()
    middle = len(whole) // 2
    data = {
        "foreign": shelf.foreign.read_bytes(),
        "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "short": whole[:-7],
        "text": b"no bundle at all",
    }[which]
    bench.proven(shelf.first)
    with pytest.raises(BundleRefused) as refused:
        bench.keeper.install(data, NOW, 10.0)
    assert refused.value.key == key
    assert serial(bench.keeper) == 1


def test_a_simulated_bundle_needs_permission(tmp_path: Path, trust: Path, shelf: Shelf) -> None:
    keeper = BundleInstaller(
        Slots(tmp_path / "s"),
        tmp_path / "w",
        trust,
        state=tmp_path,
        accept=Acceptance(allow_sim=False),
        launch=print,
        log=print,
    )
    with pytest.raises(BundleRefused) as refused:
        keeper.install(shelf.first.read_bytes(), NOW, 0.0)
    assert refused.value.key == "simulated"


def test_an_expired_bundle_is_refused_but_an_installed_one_goes_on(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    with pytest.raises(BundleRefused) as refused:
        bench.keeper.install(shelf.second.read_bytes(), NOW + timedelta(days=800), 10.0)
    assert refused.value.key == "expired"
    bench.restarted().resume(0.0)  # whatever day this machine believes it is
    assert serial(bench.keeper) == 1


def test_a_slot_that_the_disk_spoilt_reverts_to_the_last_good_one(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    bench.keeper.install(shelf.second.read_bytes(), NOW, 10.0)
    (bench.folder / "slots" / "slot_b.bundle").write_bytes(b"rot")
    keeper = bench.restarted()
    keeper.count_start()
    keeper.resume(0.0)
    assert serial(keeper) == 1
    assert keeper.status.state == REVERTED


def test_two_spoilt_slots_are_said_and_nothing_runs(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    (bench.folder / "slots" / "slot_a.bundle").unlink()
    with pytest.raises(CheckFailed, match="no longer contains"):
        bench.restarted().resume(0.0)
    assert not bench.keeper.is_running


def test_a_key_that_is_no_longer_trusted_takes_its_bundles_along(bench: Bench, shelf: Shelf, tmp_path: Path) -> None:
    bench.proven(shelf.first)
    _, other = keys.make_key(tmp_path / "other", "other")
    for key in bench.trust.glob("*.pem"):
        key.unlink()
    (bench.trust / other.name).write_bytes(other.read_bytes())
    with pytest.raises(BundleRefused) as refused:
        bench.restarted().resume(0.0)
    assert refused.value.key == "unknown_signer"


def test_serials_that_cannot_be_read_refuse_every_new_bundle(bench: Bench, shelf: Shelf) -> None:
    (bench.folder / serials.SERIALS).mkdir()
    with pytest.raises(BundleRefused) as refused:
        bench.keeper.install(shelf.first.read_bytes(), NOW, 0.0)
    assert refused.value.key == "damaged_state"


def test_serials_that_cannot_be_written_are_said_and_do_no_harm(
    bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(serials, "remember", read_only)
    bench.proven(shelf.first)
    assert bench.keeper.status.state == HEALTHY
    assert any("Read-only" in line for line in bench.said)
