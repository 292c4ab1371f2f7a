"""`doctor --report`: what goes into the file for support, what never does, and that it replaces nothing."""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BenchFileError, Usage
from edge_bridge.bundle import keys
from workbench.report import Report
from workbench.verbs import doctor, doctor_report

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(report: Report, bench: Path) -> bool:
        report.line("ok    Python")
        if b"broken" in bench.read_bytes():
            raise BenchFileError("is broken", where=bench.name, hint="mend it")
        return True

    monkeypatch.setattr(doctor, "main", check)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text("name = 1\n", encoding="utf-8")
    return path


def make_run(folder: Path) -> Path:
    (folder / "emulated").mkdir(parents=True)
    for name in ("run.json", "events.jsonl", "guard.log", "ticks.parquet", "ticks.arrows", "me.key"):
        (folder / name).write_text(f"{folder.name} {name}", encoding="utf-8")
    for name in ("supply.log", "supply.journal.jsonl"):
        (folder / "emulated" / name).write_text(name, encoding="utf-8")
    return folder


def read(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_versions_lines_bench_file_and_the_events_and_logs_of_the_newest_run(bench: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    make_run(runs / "2026-02-01_120000_hil24")
    make_run(runs / "2026-03-01_120000_hil24")
    report = Report("doctor")
    file = tmp_path / "out.zip"
    assert doctor_report.main(report, bench, runs, file)
    members = read(file)
    of_the_run = {"run/run.json", "run/events.jsonl", "run/guard.log", "run/emulated/supply.log"}
    assert members.keys() == {"doctor.txt", "versions.json", "bench-file/mine.toml", *of_the_run}
    assert members["run/events.jsonl"] == b"2026-03-01_120000_hil24 events.jsonl"
    assert members["doctor.txt"] == b"ok    Python"
    assert json.loads(members["versions.json"])["packages"]["numpy"]
    assert report.body["report"] == str(file)


def test_a_broken_bench_file_is_reported_and_is_in_the_file(bench: Path, tmp_path: Path) -> None:
    bench.write_text("broken", encoding="utf-8")
    file = tmp_path / "out.zip"
    with pytest.raises(BenchFileError):
        doctor_report.main(Report("doctor"), bench, tmp_path / "absent", file)
    assert read(file)["doctor.txt"] == b"ok    Python\nerror: mine.toml is broken; mend it"
    assert read(file)["bench-file/mine.toml"] == b"broken"


def test_a_private_key_never_goes_in_under_whatever_name(bench: Path, tmp_path: Path) -> None:
    private, _ = keys.make_key(tmp_path / "keys", "me")
    run = make_run(tmp_path / "runs" / "one")
    bench.write_bytes(private.read_bytes())
    (run / "guard.log").write_bytes(b"log\n" + private.read_bytes())
    (run / "emulated" / "linked.log").symlink_to(private)
    os.mkfifo(run / "emulated" / "pipe.log")
    doctor_report.main(Report("doctor"), bench, run.parent, file := tmp_path / "out.zip")
    members = read(file)
    assert members.keys() & {"bench-file/mine.toml", "run/guard.log"} == set()
    assert not [name for name in members if "linked" in name or "pipe" in name]
    assert not any(b"PRIVATE" in data for data in members.values())


def test_the_file_is_bounded_and_keeps_the_end_of_a_long_log(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_report, "MAX_BYTES", 10)
    monkeypatch.setattr(doctor_report, "MAX_FILES", 5)
    run = make_run(tmp_path / "runs" / "one")
    (run / "events.jsonl").write_text("first ... the newest", encoding="utf-8")
    for number in range(20):
        (run / "emulated" / f"{number}.log").touch()
    doctor_report.main(Report("doctor"), bench, run, file := tmp_path / "out.zip")
    members = read(file)
    assert members["run/events.jsonl"] == b"the newest"
    assert len(members) == 3 + 5


@pytest.mark.parametrize("kind", ["file", "link"])
def test_an_existing_file_is_refused_before_anything_is_checked(kind: str, bench: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.zip"
    file.write_text("mine", encoding="utf-8") if kind == "file" else file.symlink_to(tmp_path / "nowhere")
    report = Report("doctor")
    with pytest.raises(Usage, match="exists already"):
        doctor_report.main(report, bench, tmp_path, file)
    assert not report.recent
    assert file.is_symlink() or file.read_text(encoding="utf-8") == "mine"
