"""What goes into a bundle is not believed: certificate, suite, files and run are each refused by name."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.benchfile import read_bench
from drivers.benchfile.inputs import hash_inputs
from drivers.errors import PulseError, Refused, RunLogError, Usage
from drivers.event import INJECTED, Event, EventRecord, Level
from drivers.runlog.events import event_line
from drivers.runlog.folder import EVENTS
from edge_bridge.bundle.consistency import list_accepted
from tests.edge_bridge.bundle.proof import SHIPPED_SHA256, case, certificate, copied_bench, edited, refused
from tests.edge_bridge.bundle.run import synthetic_run
from workbench.bundling.build import BundleOrder, build
from workbench.bundling.summary import summarize
from workbench.certificates.decoder import read_certificate
from workbench.certificates.results import Verdict
from workbench.certificates.suites import SUITES, hash_suite

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench


def test_a_certificate_goes_along_byte_for_byte(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    folder = certificate(tmp_path / "proof", bench)
    done = build(replace(order, certificate=folder))
    assert done.verified.bundle.files["certificate.json"] == (folder / "certificate.json").read_bytes()
    assert {"link": "certificate bms", "class": "HIL"} in done.verified.bundle.evidence["links"]
    assert done.verified.bundle.evidence["files"] == hash_inputs(bench)
    assert done.accepted == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verdict": "FAIL"}, (Refused, "OV-01 FAIL (late)")),
        ({"verdict": "ERROR"}, (Refused, "OV-01 ERROR (late)")),
        ({"verdict": "BLOCKED"}, (Refused, "OV-01 BLOCKED (late)")),
        ({"verdict": "FAIL", "passed": True}, (Refused, "OV-01 FAIL (late)")),
        ({"verdict": "N/A", "passed": True}, (Refused, "no check passed")),
        ({"cases": (replace(case(Verdict.PASS), checks=()),)}, (Refused, "no check passed")),
        ({"cases": (), "counts": {}}, (Refused, "no case")),
        ({"counts": {Verdict.PASS: 66}}, (Refused, "counts")),
        ({"passed": False}, (Refused, "did not pass")),
        ({"trouble": ("test_x.py: SyntaxError",)}, (Refused, "test_x.py: SyntaxError")),
        ({"instruments": ()}, (Refused, "opened the bench")),
        ({"files": {}}, (Refused, "opened the bench")),
        ({"suite_sha256": "0" * 64}, (Refused, "is not the suite bms")),
        ({"suite": "BMS.py", "suite_sha256": "0" * 64}, (Refused, "is not the suite bms")),
        ({"only": ("OV-01/3",)}, (Refused, "--accept")),
        ({"keys": {"passed": "yes"}}, (RunLogError, "passed")),
        ({"keys": {"bench": {"file": "b.toml", "sha256": "0" * 64, "files": {"a": "0"}}}}, (Refused, "another bench")),
        ({"keys": {"bench": {"file": "b.toml"}}}, (RunLogError, "bench.sha256")),
        ({"keys": {"class": "REAL"}}, (RunLogError, "class")),
        ({"keys": {"schema": "pulsebms.certificate/1"}}, (Refused, "earlier version")),
        ({"keys": {"schema": "pulsebms.certificate/3"}}, (RunLogError, "schema")),
        ({"keys": {"cases": [7]}}, (RunLogError, "cannot be read: cases[0]")),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(
    order: BundleOrder, bench: Bench, tmp_path: Path, changes: dict[str, Any], expected: tuple[type[PulseError], str]
) -> None:
    kind, words = expected
    assert words in refused(replace(order, certificate=certificate(tmp_path / "proof", bench, **changes)), kind)


def test_a_suite_of_its_own_under_its_own_name_is_taken(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    folder = certificate(tmp_path / "proof", bench, suite="ours", suite_sha256="0" * 64)
    assert build(replace(order, certificate=folder)).verified.bundle.evidence["certificate"]["suite_sha256"] == "0" * 64


def test_an_accepted_deviation_goes_along_with_its_reason(order: BundleOrder, bench: Bench, tmp_path: Path) -> None:
    folder = certificate(tmp_path / "proof", bench, only=("OV-01/3",))
    done = build(replace(order, certificate=folder, accept="first\n article"))
    bundle = done.verified.bundle
    (row,) = list_accepted(bundle)
    assert (row["kind"], row["reason"]) == ("only", "first article")
    assert "OV-01/3" in row["what"]
    assert done.accepted == (row,)
    told = [fact.text for fact in summarize(bundle, "k") if fact.head == "accepted"]
    assert told == [f"{row['what']}: first article"]


def test_a_reason_that_accepts_nothing_is_not_written(order: BundleOrder) -> None:
    assert list_accepted(build(replace(order, accept="because")).verified.bundle) == []


def test_a_reason_has_an_end(order: BundleOrder) -> None:
    assert "501 characters" in refused(replace(order, accept="x" * 501), Usage)


def injected(order: BundleOrder, folder: Path) -> BundleOrder:
    changed = edited(order, folder)
    event = Event(Level.WARNING, INJECTED, "cell 7 stepped to 4.300 V")
    (changed.run / EVENTS).write_bytes(event_line(EventRecord(0, 1.0, 1.8e9, event)))
    return changed


def test_a_run_with_an_injected_fault_needs_a_reason(order: BundleOrder, tmp_path: Path) -> None:
    faulty = injected(order, tmp_path)
    said = refused(faulty)
    assert "cell 7 stepped to 4.300 V" in said
    assert "--accept" in said
    (row,) = list_accepted(build(replace(faulty, accept="the fault is part of the test")).verified.bundle)
    assert (row["kind"], row["reason"]) == ("fault", "the fault is part of the test")


def test_a_run_with_an_injected_defect_needs_a_reason(order: BundleOrder, tmp_path: Path) -> None:
    faulty = edited(order, tmp_path, meta={"defects": "wrong-cell-named"})
    assert "wrong-cell-named" in refused(faulty)
    assert build(replace(faulty, accept="a rehearsal")).accepted[0]["kind"] == "defect"


def moved(order: BundleOrder, folder: Path) -> tuple[BundleOrder, Path]:
    """The order on a copy of the bench, with a run of its own; return the folder of the bench too."""
    path = copied_bench(folder)
    bench = read_bench(path)
    run = synthetic_run(folder / "run", bench)
    return replace(order, bench=bench, run=run, certificate=certificate(folder / "proof", bench)), path.parent


@pytest.mark.parametrize("name", ["pulse24.dut.toml", "duty.csv", "../bms/thresholds.toml"])
def test_a_file_that_changed_after_run_and_certificate_is_refused_by_name(
    order: BundleOrder, tmp_path: Path, name: str
) -> None:
    changed, home = moved(order, tmp_path)
    build(changed)
    path = home / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert name in refused(changed)


def test_a_cell_that_changed_is_refused_by_name(
    order: BundleOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drivers.benchfile import inputs  # noqa: PLC0415  # its constant is changed

    cell = tmp_path / "chen2020.toml"
    cell.write_bytes((inputs.CELLS / cell.name).read_bytes() + b"\n")
    monkeypatch.setattr(inputs, "CELLS", tmp_path)
    assert "parameters/chen2020.toml" in refused(order)


def test_a_certificate_made_with_other_files_than_the_run_is_refused(
    order: BundleOrder, bench: Bench, tmp_path: Path
) -> None:
    other = hash_inputs(bench) | {"duty.csv": "0" * 64}
    said = refused(replace(order, certificate=certificate(tmp_path / "proof", bench, files=other)))
    assert "duty.csv is not the file with which the certificate was made" in said


def test_a_run_of_an_earlier_version_proves_nothing_about_its_files(order: BundleOrder, tmp_path: Path) -> None:
    assert "earlier version" in refused(edited(order, tmp_path, meta={"files": {}}))


def test_the_hash_of_a_suite_covers_names_and_contents_but_no_caches(tmp_path: Path) -> None:
    copy = tmp_path / "bms"
    shutil.copytree(SUITES / "bms", copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert hash_suite(copy) == SHIPPED_SHA256
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert hash_suite(copy) == SHIPPED_SHA256
    (copy / "data.csv").write_bytes(b"")
    assert hash_suite(copy) != SHIPPED_SHA256
    (copy / "data.csv").unlink()
    (copy / "test_cells.py").rename(copy / "test_others.py")
    assert hash_suite(copy) != SHIPPED_SHA256


def test_an_old_certificate_is_still_read(bench: Bench, tmp_path: Path) -> None:
    folder = certificate(tmp_path / "proof", bench)
    said = json.loads((folder / "certificate.json").read_text())
    del said["suite_sha256"], said["bench"]["files"]
    (folder / "certificate.json").write_text(json.dumps(said | {"schema": "pulsebms.certificate/1"}))
    found = read_certificate(folder)
    assert (found.suite, found.suite_sha256, found.files) == ("bms", "", {})
