"""From a run to a file: the same octets for the same, and no bundle from a run that proves nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.benchfile import read_bench
from drivers.benchfile.inputs import hash_inputs
from drivers.errors import CheckFailed, Refused, RunLogError, Usage
from drivers.event import KIND, Event, EventKind, EventRecord, Level
from drivers.runlog.events import event_line
from drivers.runlog.folder import ABOUT, EVENTS
from edge_bridge.bundle.evidence import weakest
from tests.edge_bridge.bundle.conftest import HIL24
from tests.edge_bridge.bundle.proof import copied_bench, edited, refused
from tests.edge_bridge.bundle.run import synthetic_run
from tests.workbench import plant
from workbench.bundling.bench_members import make_members
from workbench.bundling.build import BuiltBundle, BundleOrder, build

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench


def test_the_same_gives_the_same_octets(order: BundleOrder, built: BuiltBundle) -> None:
    assert build(order).data == built.data


def test_another_serial_gives_another_file(order: BundleOrder, built: BuiltBundle) -> None:
    assert build(replace(order, serial=8)).verified.sha256 != built.verified.sha256


def test_it_holds_what_was_proven(built: BuiltBundle, bench: Bench, run_folder: Path) -> None:
    bundle = built.verified.bundle
    assert bundle.bench_text == bench.document.text
    assert bundle.files["pulse24.dbc"] == (HIL24.parent / "pulse24.dbc").read_bytes()
    assert {"pulse24.dut.toml", "duty.csv", "parameters/chen2020.toml"} <= bundle.files.keys()
    assert bundle.manifest.lanes == {"twin": "SPMe pack", "estimator": "EKF", "controller": "Profile"}
    assert {row["module"] for row in bundle.lanes["lanes"]} >= {"twin.ekf", "control.mpc"}
    hashes = bundle.evidence["run"]["sha256"]
    assert hashes["ticks.parquet"] == hashlib.sha256((run_folder / "ticks.parquet").read_bytes()).hexdigest()
    current = next(row for row in bundle.limits["channels"] if row["channel"][0] == "supply/current")
    assert (current["bench"]["low"], current["bench"]["high"]) == (-80.0, 80.0)


def test_the_private_key_is_not_in_it(order: BundleOrder, built: BuiltBundle) -> None:
    assert order.private.read_bytes().splitlines()[1] not in built.data
    assert b"PRIVATE" not in built.data


def test_no_path_of_this_machine_is_in_it(order: BundleOrder, built: BuiltBundle) -> None:
    for path in (order.run.parent, HIL24.parent, order.private.parent):
        assert str(path).encode() not in built.data


def test_the_weakest_link_is_the_class(built: BuiltBundle) -> None:
    # the run says HIL, its bench file names emulated instruments
    assert {link["class"] for link in built.verified.bundle.evidence["links"]} == {"HIL", "SIM"}
    assert built.verified.bundle.manifest.evidence == "SIM"


@pytest.mark.parametrize(
    ("links", "found"), [(("PACK",), "PACK"), (("PACK", "HIL"), "HIL"), (("HIL", "SIM", "PACK"), "SIM")]
)
def test_classes_are_ordered(links: tuple[str, ...], found: str) -> None:
    assert weakest(links) == found


@pytest.mark.parametrize("links", [(), ("REAL",)])
def test_no_link_and_an_unknown_class_prove_nothing(links: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says
        weakest(links)


def test_a_run_that_is_still_recorded_is_refused(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    folder = synthetic_run(tmp_path / "open", bench, ticks=5)
    said = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(said | {"state": "open"}))
    assert "still being recorded" in refused(replace(order, run=folder))
    (folder / ABOUT).write_text(json.dumps(said | {"state": "open", "writer": {"pid": 1, "born": 0.0}}))
    assert "not sealed" in refused(replace(order, run=folder))
    assert json.loads((folder / ABOUT).read_text())["state"] == "open"  # building does not seal


def test_a_folder_that_is_no_run_is_refused(order: BundleOrder, tmp_path: Path) -> None:
    assert "not a run" in refused(replace(order, run=tmp_path), RunLogError)


def test_a_run_that_lost_a_tick_is_refused(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    def lost(number: int, row: dict[str, float]) -> bool:
        return number != 150

    folder = synthetic_run(tmp_path / "lossy", bench, change=lost)
    assert "gaps in its tick numbers" in refused(replace(order, run=folder))


def test_a_run_whose_record_says_more_ticks_is_refused(order: BundleOrder, tmp_path: Path) -> None:
    assert "of 301 ticks" in refused(edited(order, tmp_path, ticks=301))


def test_a_killed_run_that_lacks_its_last_ticks_is_the_base_of_a_bundle(order: BundleOrder, tmp_path: Path) -> None:
    assert "17 were lost" in refused(edited(order, tmp_path / "inside", lost=17))
    killed = build(edited(order, tmp_path / "killed", lost=17, recovered=True))
    assert any("its last 17 ticks are lost" in note for note in killed.notes)


def test_a_run_that_hardly_ran_is_refused(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    folder = synthetic_run(tmp_path / "short", bench, ticks=100)
    assert "running for only 60 ticks" in refused(replace(order, run=folder))


def test_a_run_that_says_no_class_is_refused(order: BundleOrder, tmp_path: Path) -> None:
    assert "class" in refused(edited(order, tmp_path, meta={"evidence": "CERTAIN"}))


def test_a_run_of_another_bench_is_refused_by_name(order: BundleOrder, tmp_path: Path) -> None:
    for path in HIL24.parent.iterdir():
        shutil.copy(path, tmp_path)
    other = tmp_path / "hil24.toml"
    other.write_text(other.read_text().replace("hold_ms = 100", "hold_ms = 110"))
    assert "--bench" in refused(replace(order, bench=read_bench(other)))


def test_a_file_outside_the_benchs_folder_cannot_go_along(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    for path in HIL24.parent.iterdir():
        shutil.copy(path, away if path.name == "duty.csv" else tmp_path)
    odd = tmp_path / "sub"
    odd.mkdir()
    text = HIL24.read_text().replace('"duty.csv"', '"../away/duty.csv"')
    for name in ("pulse24.dut.toml", "pulse24.dbc"):
        shutil.copy(HIL24.parent / name, odd)
    (odd / "hil24.toml").write_text(text)
    moved = read_bench(odd / "hil24.toml")
    said = {"bench": {"name": "hil24", "file": "hil24.toml", "text": text}, "files": hash_inputs(moved)}
    copied = edited(order, tmp_path, meta=said)
    assert "beside the bench file" in refused(replace(copied, bench=moved))


def test_another_dbc_than_the_declared_one_is_refused(order: BundleOrder, tmp_path: Path) -> None:
    path = copied_bench(tmp_path)
    dbc = path.with_name("pulse24.dbc")
    dbc.write_bytes(dbc.read_bytes() + b"\n")
    assert "pulse24.dbc" in refused(replace(order, bench=read_bench(path)))
    with pytest.raises(Refused, match="another DBC"):
        make_members(read_bench(path), plant.table()[0])


def test_a_trip_is_allowed_and_said(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    def tripped(number: int, row: dict[str, float]) -> bool:
        row["bench/state"] = 4.0 if number > 280 else row["bench/state"]
        return True

    done = build(replace(order, run=synthetic_run(tmp_path / "tripped", bench, change=tripped)))
    assert "the bench tripped in this run" in done.notes
    assert "the bench tripped in this run" in done.verified.bundle.evidence["run"]["notes"]


def test_alarms_and_changes_of_lanes_in_the_run_are_said_to_who_signs(order: BundleOrder, tmp_path: Path) -> None:
    changed = edited(order, tmp_path)
    lane = {KIND: EventKind.LANE_ACTIVE, "role": "twin", "lane": "DFN"}
    events = (
        Event(Level.INFO, "loop", "twin DFN leads", lane),
        Event(Level.WARNING, "loop", "the chain is active"),
        Event(Level.ALARM, "guard", "off"),
    )
    lines = [event_line(EventRecord(number, 1.0, 1.8e9, event)) for number, event in enumerate(events)]
    (changed.run / EVENTS).write_bytes(b"".join(lines))
    assert list(build(changed).notes) == ["twin DFN leads", "off"]


def test_a_belief_that_the_bundle_cannot_follow_is_refused(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    def elsewhere(number: int, row: dict[str, float]) -> bool:
        row["estimator/EKF/soc"] = 0.95
        return True

    folder = synthetic_run(tmp_path / "elsewhere", bench, change=elsewhere)
    assert "0.950" in refused(replace(order, run=folder), CheckFailed)


def test_a_lane_that_failed_in_the_run_is_refused(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    def failed(number: int, row: dict[str, float]) -> bool:
        row["estimator/EKF/soc"] = float("nan")
        return True

    refused(replace(order, run=synthetic_run(tmp_path / "failed", bench, change=failed)), CheckFailed)


def test_a_gate_that_allowed_nothing_is_refused(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    def stopped(number: int, row: dict[str, float]) -> bool:
        row["io/estop"] = 0.0
        return True

    folder = synthetic_run(tmp_path / "stopped", bench, change=stopped)
    assert "allows no command" in refused(replace(order, run=folder), CheckFailed)


@pytest.mark.parametrize("changes", [{"name": "../x"}, {"name": "a b"}, {"serial": -1}, {"serial": 2**60}])
def test_a_name_or_serial_that_no_bundle_has_is_a_usage_error(order: BundleOrder, changes: dict[str, Any]) -> None:
    refused(replace(order, **changes), Usage)


def test_it_expires_after_it_is_made(order: BundleOrder) -> None:
    refused(replace(order, expires=order.made), Usage)
