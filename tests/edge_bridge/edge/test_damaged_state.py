"""A state file that is damaged is never taken for one that is missing: each of them, each damage."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import BundleRefused, CheckFailed, Refused, Usage
from drivers.state_file import DamagedFile
from edge_bridge import metrics
from edge_bridge.bundle import serials
from edge_bridge.edge.clocks import MachineClocks
from edge_bridge.edge.download import Download
from edge_bridge.edge.installer import REVERTED
from edge_bridge.edge.node import NodeNames
from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.pack_runtime import PackRuntime, TurnResult
from edge_bridge.edge.probation import HealthSample
from edge_bridge.edge.process import Edge
from edge_bridge.edge.row import RowKey
from edge_bridge.edge.settings import EdgeSettings
from edge_bridge.edge.slots import Slots
from edge_bridge.edge.startup import start_configuration
from edge_bridge.edge.trip_file import TripFile, reset_trip
from edge_bridge.fleet.store.records import Batch, NodeRecord
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from tests.drivers.damages import DAMAGES, FOLDER, damage
from tests.edge_bridge.edge.keeping import NOW, Bench, installed, serial
from tests.edge_bridge.edge.rows import BOOT, gaps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.edge_bridge.edge.conftest import Shelf

each_damage = pytest.mark.parametrize("how", DAMAGES)


@pytest.fixture
def bench(tmp_path: Path, trust: Path) -> Bench:
    return Bench(tmp_path, trust)


def settings_of(bench: Bench, bundle: Path | None = None) -> EdgeSettings:
    return EdgeSettings(
        names=NodeNames("pulsebms", "pack-1", "fleet"),
        broker="mqtt://127.0.0.1:9",
        bundle=bundle,
        trust=bench.trust,
        state=bench.folder,
        bus=("virtual", "damaged", 500_000),
        allow_sim=True,
    )


def one_turn(bench: Bench, said: list[str], seen: Callable[[Edge], Any]) -> Any:
    """Let an edge begin and turn once beside a bus where nobody speaks; what `seen` sees then."""
    edge = Edge(settings_of(bench), MachineClocks(), said.append)
    try:
        turned = iter((False, True))
        edge.run(lambda: next(turned, True))
        return seen(edge)
    finally:
        edge.close()


def newest(edge: Edge) -> dict[str, Any]:
    """The last row."""
    return dict(edge._newest_values)  # pyright: ignore[reportPrivateUsage]


def serial_of(edge: Edge) -> int:
    """The serial of the bundle that runs."""
    return serial(edge._installer)  # pyright: ignore[reportPrivateUsage]


# -- trip.json


@each_damage
def test_a_trip_that_cannot_be_read_keeps_the_contactor_open_and_is_said(bench: Bench, shelf: Shelf, how: str) -> None:
    installed(bench.folder, bench.trust, shelf.first)
    damage(bench.folder / "trip.json", how)
    said: list[str] = []
    told = one_turn(bench, said, newest)
    reason = "the contactor stays open: trip.json cannot be read: "
    assert told[metrics.VERDICT] == "tripped"
    assert str(told[metrics.VERDICT_REASON]).startswith(reason)
    assert any(line.startswith(reason) and "--reset-trip" in line for line in said)
    assert any(f"the gate tripped: {reason}" in line for line in said)


def test_a_trip_on_probation_is_kept_like_any_other(
    bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.proven(shelf.first)
    bench.keeper.install(shelf.second.read_bytes(), NOW, 0.0)
    real = PackRuntime.turn

    def tripping(pack: PackRuntime) -> TurnResult:
        turn, why = real(pack), "cell_07 above 4.25 V"
        return replace(turn, tripped=why, health=HealthSample(trip=why))

    monkeypatch.setattr(PackRuntime, "turn", tripping)
    said: list[str] = []
    assert one_turn(bench, said, serial_of) == 1, "it reverts at once"
    assert json.loads((bench.folder / "trip.json").read_text()) == {"reason": "cell_07 above 4.25 V"}
    monkeypatch.undo()
    told = one_turn(bench, said, newest)
    assert (told[metrics.VERDICT], told[metrics.VERDICT_REASON]) == ("tripped", "cell_07 above 4.25 V")
    assert any("a trip was not reset: cell_07 above 4.25 V" in line for line in said)


def test_without_a_trip_file_the_gate_is_not_tripped(bench: Bench, shelf: Shelf) -> None:
    installed(bench.folder, bench.trust, shelf.first)
    assert one_turn(bench, [], newest)[metrics.VERDICT] != "tripped"


@each_damage
def test_a_damaged_trip_is_reset_with_a_reason_and_not_without(tmp_path: Path, how: str) -> None:
    path = tmp_path / "trip.json"
    damage(path, how)
    with pytest.raises(Usage):
        reset_trip(path, " ")
    assert TripFile(path, list[str]().append).reason
    reset_trip(path, "the card was exchanged, the pack is at rest")
    assert not TripFile(path, list[str]().append).reason


def test_a_trip_that_cannot_be_removed_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trip.json"
    path.write_text('{"reason": "cell_07"}')

    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.unlink", read_only)
    with pytest.raises(Refused, match="the trip is not reset"):
        reset_trip(path, "safe")


def test_a_trip_that_the_disk_did_not_take_is_written_once_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    trip = TripFile(tmp_path / "trip.json", said.append)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge_bridge.edge.trip_file.write_state", full)
    trip.latch("cell_07")
    trip.save()
    assert not (tmp_path / "trip.json").exists()
    monkeypatch.undo()
    trip.save()
    trip.latch("another")
    assert json.loads((tmp_path / "trip.json").read_text()) == {"reason": "cell_07"}
    assert len(said) == 2


# -- slots


@each_damage
def test_a_damaged_pointer_runs_nothing_and_says_so(bench: Bench, shelf: Shelf, how: str) -> None:
    bench.proven(shelf.second)
    damage(bench.folder / "slots" / "pointer.json", how)
    keeper = bench.restarted()
    keeper.count_start()
    with pytest.raises(CheckFailed, match=r"contactor stays open: pointer\.json cannot be read: .+--bundle"):
        keeper.resume(0.0)
    assert not keeper.is_running


@pytest.mark.parametrize("fields", [{"active": 7, "good": None}, {"active": {"slot": "../x", "serial": 1}}, {}])
def test_a_pointer_to_no_bundle_is_damaged(tmp_path: Path, fields: dict[str, Any]) -> None:
    (tmp_path / "pointer.json").write_text(json.dumps(fields))
    assert Slots(tmp_path).damage


def test_a_damaged_pointer_gives_way_to_a_bundle_that_somebody_gives_but_to_no_older_one(
    bench: Bench, shelf: Shelf
) -> None:
    bench.proven(shelf.second)
    (bench.folder / serials.SERIALS).unlink()
    damage(bench.folder / "slots" / "pointer.json", "torn")
    keeper = bench.restarted()
    with pytest.raises(BundleRefused, match="older than 2"):
        start_configuration(keeper, settings_of(bench, shelf.first), NOW, lambda: False, bench.said.append)
    keeper.install(shelf.third.read_bytes(), NOW, 0.0)
    assert serial(keeper) == 3
    assert any("pointer.json cannot be read" in line and "the file is renamed" in line for line in bench.said)
    assert (bench.folder / "slots" / "pointer.json.broken-1").exists()
    assert not Slots(bench.folder / "slots").damage


@each_damage
def test_a_lost_count_of_starts_goes_back_to_the_last_good_one(bench: Bench, shelf: Shelf, how: str) -> None:
    bench.proven(shelf.first)
    bench.keeper.install(shelf.second.read_bytes(), NOW, 10.0)
    damage(bench.folder / "slots" / "boots.json", how)
    keeper = bench.restarted()
    keeper.count_start()
    keeper.resume(0.0)
    assert serial(keeper) == 1
    assert keeper.status.state == REVERTED
    assert "boots.json cannot be read" in keeper.status.reason


@each_damage
def test_with_a_lost_list_of_failures_no_bundle_is_installed_by_itself(bench: Bench, shelf: Shelf, how: str) -> None:
    bench.proven(shelf.first)
    damage(bench.folder / "slots" / "given_up.json", how)
    keeper = bench.restarted()
    start_configuration(keeper, settings_of(bench, shelf.second), NOW, lambda: False, bench.said.append)
    assert serial(keeper) == 1
    assert any("given_up.json cannot be read" in line for line in bench.said)
    assert isinstance(keeper.slots.read_failed_hashes(), DamagedFile)


def test_a_failure_more_does_not_make_a_lost_list_whole(bench: Bench, shelf: Shelf) -> None:
    bench.proven(shelf.first)
    damage(bench.folder / "slots" / "given_up.json", "torn")
    bench.keeper.install(shelf.second.read_bytes(), NOW, 10.0)
    bench.keeper.slots.revert()
    assert isinstance(bench.keeper.slots.read_failed_hashes(), DamagedFile)


# -- serials, download, number of the connection


@each_damage
def test_damaged_serials_refuse_every_new_bundle(bench: Bench, shelf: Shelf, how: str) -> None:
    damage(bench.folder / serials.SERIALS, how, b'{"hil24": {"serial": 1, "sha256": "aa"}}')
    with pytest.raises(BundleRefused, match=r"serials\.json cannot be read") as refused:
        bench.keeper.install(shelf.first.read_bytes(), NOW, 0.0)
    assert refused.value.key == "damaged_state"


@each_damage
def test_a_damaged_download_is_said_and_begins_anew(tmp_path: Path, how: str) -> None:
    (tmp_path / "download.part").write_bytes(b"half of a bundle")
    damage(tmp_path / "download.json", how)
    download = Download(tmp_path)
    assert "download.json cannot be read" in download.notice
    assert (download.sha256, download.received) == ("", 0)
    assert not Download(tmp_path).notice


@each_damage
def test_a_lost_number_of_the_connection_is_said(bench: Bench, shelf: Shelf, how: str) -> None:
    installed(bench.folder, bench.trust, shelf.first)
    damage(bench.folder / "bd_seq.json", how)
    said: list[str] = []
    one_turn(bench, said, id)
    assert any("bd_seq.json cannot be read" in line for line in said)


# -- databases


@pytest.mark.parametrize("how", ["empty", "zeros", "no text", FOLDER, "link to nothing"])
def test_an_outbox_that_is_damaged_is_put_aside_and_said(tmp_path: Path, how: str) -> None:
    path = tmp_path / "o.sqlite"
    damage(path, how)
    with closing(Outbox(path, BOOT)) as outbox:
        assert "broken-1" in outbox.notice
        outbox.put({}, 0, 0.0)
        outbox.commit(0, 0.0)
        assert outbox.depth == 1


def test_a_new_outbox_has_nothing_to_say(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        assert not outbox.notice


@pytest.mark.parametrize("body", ["", "null", "[]", '{"torn', "[" * 100_000])
def test_a_spoilt_row_is_not_sent_but_named_in_a_gap(tmp_path: Path, body: str) -> None:
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        outbox.put({"Pack/Current": 1.0}, 0, 0.0)
        outbox.commit(0, 0.0)
        outbox._database.execute(  # pyright: ignore[reportPrivateUsage]
            "UPDATE row SET body = ?", (body,)
        )
        (row,) = outbox.due(1, 0.0)
        assert (row.key.seq, gaps([row])) == (2, {RowKey(BOOT, 1)})
        assert f"1 of boot {BOOT}" in outbox.notice
        assert (outbox.damaged, outbox.evicted) == (1, 1)


@pytest.mark.parametrize("how", ["empty", "zeros", "no text", FOLDER, "torn"])
def test_a_damaged_fleet_is_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "fleet.db"
    SqliteStore(path).close()
    damage(path, how, path.read_bytes())
    with pytest.raises(Usage) as refused:
        SqliteStore(path)
    assert refused.value.key == "db"


@pytest.mark.parametrize("status", ["", "null", "[]", '{"torn'])
def test_a_damaged_status_of_a_node_is_refused(tmp_path: Path, status: str) -> None:
    path = tmp_path / "fleet.db"
    with closing(SqliteStore(path)) as store:
        store.commit(Batch(notes={"pack-1": NodeRecord("pack-1", online=True, last_ms=0, status={})}))
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE node SET status = ?", (status,))
        database.commit()
    with closing(SqliteStore(path)) as store, pytest.raises(Usage, match="status of pack-1 that cannot be read"):
        store.read_nodes()
