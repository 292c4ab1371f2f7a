"""`doctor --bench` refuses what a connect would refuse, and asks each instrument who it is."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BenchError, BenchFileError
from tests.drivers.scripted import Scripted
from tests.workbench.live import HIL24
from workbench.report import Exit, Report
from workbench.verbs import doctor
from workbench.verbs.doctor_bench import check_bench

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.verbs.doctor_check import DoctorCheck


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    shutil.copytree(HIL24.parent, tmp_path / "benches")
    shutil.copytree(HIL24.parents[1] / "bms", tmp_path / "bms", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "benches" / HIL24.name


def test_the_device_map_is_read_too(bench: Path) -> None:
    found = {check.name: check.found for check in check_bench(bench)}
    assert found["device map"].startswith("pulse24.dut.toml: ")
    assert found["DBC"].startswith("pulse24.dbc: ")
    assert found["device profile"] == "../bms/thresholds.toml"
    assert found["controller lane"] == "RL: control.rl", "the last of the role"
    assert "time to safe" in found


def test_a_mistake_in_the_device_map_is_told_with_its_line(bench: Path) -> None:
    mapped = bench.with_name("pulse24.dut.toml")
    mapped.write_text(mapped.read_text().replace('signal = "PackCurrent"', 'signal = "PackCurent"'))
    with pytest.raises(BenchFileError, match="PackCurent"):
        list(check_bench(bench))


def with_supply(bench: Path, address: str) -> Path:
    text = bench.read_text(encoding="utf-8")
    bench.write_text(text.replace('"emulated:supply"', f'"{address}"'), encoding="utf-8")
    return bench


def supply_of(bench: Path) -> DoctorCheck:
    return next(check for check in check_bench(bench) if check.name == "supply")


def test_an_instrument_that_answers_is_named(bench: Path) -> None:
    with Scripted([(b"*IDN?\n", b"EA Elektro-Automatik GmbH, PSB 10060-120, 1, V1\n")]) as instrument:
        check = supply_of(with_supply(bench, instrument.address))
    assert check.ok
    assert "answers as EA Elektro-Automatik GmbH, PSB 10060-120" in check.found


def test_another_instrument_at_its_address_is_told(bench: Path) -> None:
    with Scripted([(b"*IDN?\n", b"NGI,N83624,1,V1\n")]) as instrument:
        check = supply_of(with_supply(bench, instrument.address))
    assert (check.ok, check.needed) == (False, True)
    assert "answers as NGI,N83624" in check.found


def test_a_silent_instrument_is_missing(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted([(b"*IDN?\n", b"")]) as instrument:  # it accepts the connection and the question, and says nothing
        with_supply(bench, instrument.address)
        monkeypatch.setattr(doctor, "examine", check_bench)
        report = Report("doctor")
        with pytest.raises(BenchError, match=r"supply: .*does not answer within 500 ms") as caught:
            doctor.main(report, bench)
    assert report.finish(ok=False, error=caught.value) is Exit.MISSING
    assert report.body["checks"]  # all of them are told first


def test_an_adapter_that_does_not_open_is_missing(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = bench.read_text(encoding="utf-8")
    text = text.replace('interface = "emulated"', 'interface = "socketcan"')
    bench.write_text(text.replace('channel = "bms"', 'channel = "no_such_can"'), encoding="utf-8")
    monkeypatch.setattr(doctor, "examine", check_bench)
    with pytest.raises(BenchError, match="can adapter: socketcan no_such_can cannot be opened"):
        doctor.main(Report("doctor"), bench)
