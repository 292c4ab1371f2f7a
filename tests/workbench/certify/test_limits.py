"""Limits of the device, from the bench file and the device's sheet."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BenchFileError
from workbench.certify.limits import read_limits
from workbench.options import EMULATED_BENCH

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    fixtures = EMULATED_BENCH.parent.parent
    (tmp_path / "bms").mkdir()
    shutil.copytree(fixtures / "benches", tmp_path / "benches")
    shutil.copy(fixtures / "bms" / "thresholds.toml", tmp_path / "bms")
    return tmp_path / "benches" / EMULATED_BENCH.name


def changed(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_what_is_tried_lies_on_both_sides_of_the_limit(bench: Path) -> None:
    limits = read_limits(bench)
    assert (limits.overvoltage.inside, limits.overvoltage.beyond) == pytest.approx((4.23, 4.27))
    assert (limits.undervoltage.inside, limits.undervoltage.beyond) == pytest.approx((2.82, 2.78))
    assert (limits.charge.inside, limits.charge.beyond) == pytest.approx((-58.0, -62.0))
    assert (limits.discharge.inside, limits.discharge.beyond) == pytest.approx((58.0, 62.0))
    assert (limits.overtemperature.inside, limits.overtemperature.beyond) == pytest.approx((326.15, 330.15))
    assert (limits.overvoltage.earliest_s, limits.overvoltage.latest_s) == pytest.approx((0.1, 0.16))
    assert (len(limits.cells), len(limits.sensors)) == (24, 8)


def test_a_sheet_that_trips_earlier_is_not_tried_beyond_itself(bench: Path) -> None:
    changed(bench.parent.parent / "bms" / "thresholds.toml", "limit = 4.25", "limit = 4.22")
    level = read_limits(bench).overvoltage
    assert (level.inside, level.beyond) == pytest.approx((4.20, 4.27))


def test_a_bench_without_device_limits_cannot_be_certified(bench: Path) -> None:
    text = bench.read_text(encoding="utf-8")
    start, end = text.index("[device_limits]"), text.index("[gate]")
    bench.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(BenchFileError, match="nothing to certify by"):
        read_limits(bench)


def test_a_sheet_that_is_not_there_is_named(bench: Path) -> None:
    changed(bench, "../bms/thresholds.toml", "../bms/none.toml")
    with pytest.raises(BenchFileError, match=r"none\.toml"):
        read_limits(bench)


def test_a_limit_without_a_device_side_is_named_by_its_line(bench: Path) -> None:
    changed(bench, "device = [-60.0, 60.0]\n", "")
    with pytest.raises(BenchFileError, match="no device limit to certify by") as caught:
        read_limits(bench)
    assert caught.value.line
