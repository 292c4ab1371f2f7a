"""`doctor --bench` refuses what a connect would refuse, before anything is opened."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BenchFileError
from tests.workbench.live import HIL24
from workbench.verbs import doctor

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    shutil.copytree(HIL24.parent, tmp_path / "benches")
    shutil.copytree(HIL24.parents[1] / "bms", tmp_path / "bms", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "benches" / HIL24.name


def test_the_device_map_is_read_too(bench: Path) -> None:
    found = {check.name: check.found for check in doctor.check_bench(bench)}
    assert found["device map"].startswith("pulse24.dut.toml: ")
    assert "time to safe" in found


def test_a_mistake_in_the_device_map_is_told_with_its_line(bench: Path) -> None:
    mapped = bench.with_name("pulse24.dut.toml")
    mapped.write_text(mapped.read_text().replace('signal = "PackCurrent"', 'signal = "PackCurent"'))
    with pytest.raises(BenchFileError, match="PackCurent"):
        list(doctor.check_bench(bench))
