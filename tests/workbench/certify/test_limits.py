"""Limits of the device, from the bench file and the device's sheet."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BenchFileError, NotApplicable
from workbench.certify.limits import read_limits
from workbench.compose.shipped_bench import EMULATED_BENCH

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
    changed(
        bench.parent.parent / "bms" / "thresholds.toml", "[cell_overvoltage]\n", "[cell_overvoltage]\nlimit = 4.22\n"
    )
    level = read_limits(bench).overvoltage
    assert (level.inside, level.beyond) == pytest.approx((4.20, 4.27))


def test_a_bench_without_device_limits_cannot_be_certified(bench: Path) -> None:
    text = bench.read_text(encoding="utf-8")
    start, end = text.index("[device_limits]"), text.index("[gate]")
    bench.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(BenchFileError, match="is missing; certify needs it"):
        read_limits(bench)


def test_a_sheet_that_is_not_there_is_named(bench: Path) -> None:
    changed(bench, "../bms/thresholds.toml", "../bms/none.toml")
    with pytest.raises(BenchFileError, match=r"none\.toml"):
        read_limits(bench)


def test_another_cell_is_certified_by_its_own_limits(bench: Path) -> None:
    changed(bench, 'cell = "chen2020"', 'cell = "prada2013"')
    limits = read_limits(bench)
    assert (limits.overvoltage.inside, limits.overvoltage.beyond) == pytest.approx((3.63, 3.67))
    assert (limits.undervoltage.inside, limits.undervoltage.beyond) == pytest.approx((2.32, 2.28))
    assert (limits.charge.inside, limits.charge.beyond) == pytest.approx((-58.0, -62.0))


def test_a_limit_that_matches_no_channel_is_told_before_anything_starts(bench: Path) -> None:
    changed(bench, 'channels = "io/estop"', 'channels = "io/stop"')
    with pytest.raises(BenchFileError, match="matches no channel"):
        read_limits(bench)


FOREIGN = EMULATED_BENCH.with_name("foreign24.toml")


def test_a_protection_may_have_a_name_and_a_time_of_its_own() -> None:
    level = read_limits(FOREIGN).overtemperature
    assert (level.fault, level.names_place) == ("OVERTEMPERATURE MSL", True)
    assert (level.earliest_s, level.latest_s) == pytest.approx((6.6, 7.1))
    assert read_limits(FOREIGN).overvoltage.latest_s == pytest.approx(0.75)


def test_faults_are_called_by_their_table_where_the_profile_names_none(bench: Path) -> None:
    limits = read_limits(bench)
    assert {name: level.fault for name, level in limits.levels.items()} == {
        "cell_overvoltage": "CELL_OVERVOLTAGE",
        "cell_undervoltage": "CELL_UNDERVOLTAGE",
        "overcurrent_charge": "OVERCURRENT_CHARGE",
        "overcurrent_discharge": "OVERCURRENT_DISCHARGE",
        "overtemperature": "OVERTEMPERATURE",
        "heartbeat": "HEARTBEAT_LOST",
        "open_wire": "OPEN_WIRE",
        "contactor": "CONTACTOR_WELDED",
    }
    assert limits.latching("cell_overvoltage") == limits.overvoltage


def test_what_the_profile_lacks_is_not_applicable_and_named() -> None:
    limits = read_limits(FOREIGN)
    with pytest.raises(NotApplicable, match=r"foreign24\.profile\.toml declares no \[contactor\]"):
        _ = limits.feedback
    with pytest.raises(NotApplicable, match=r"says that \[cell_undervoltage\] is not latched"):
        limits.latching("cell_undervoltage")


def test_a_protection_that_the_profile_lacks_is_not_judged(bench: Path) -> None:
    sheet = bench.parent.parent / "bms" / "thresholds.toml"
    changed(sheet, "[overcurrent_charge]", "[unknown_charge]")
    changed(sheet, "[overcurrent_discharge]", "[unknown_discharge]")
    with pytest.raises(NotApplicable):
        _ = read_limits(bench).charge
