"""How long a bench may go on after a fault, and how older files say it."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.benchfile import Bench, read_bench
from drivers.benchfile.safety_times import shutdown_time
from drivers.errors import BenchFileError
from workbench.verbs.doctor import examine

if TYPE_CHECKING:
    from collections.abc import Callable

HIL24 = Path(__file__).parents[2] / "fixtures" / "benches" / "hil24.toml"
GOOD = HIL24.read_text(encoding="utf-8")
HOLD = "hold_ms = 100 "


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Bench]:
    for file in HIL24.parent.iterdir():
        shutil.copy(file, tmp_path)

    def changed(*pairs: tuple[str, str]) -> Bench:
        text = GOOD
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "bench.toml").write_text(text, encoding="utf-8")
        return read_bench(tmp_path / "bench.toml")

    return changed


def test_hold_is_a_time_and_the_gate_counts_its_turns(read: Callable[..., Bench]) -> None:
    assert read().hold_ticks == 10
    assert read(("rate_hz = 100", "rate_hz = 1000")).hold_ticks == 100
    assert read((HOLD, "hold_ms = 99.9 ")).hold_ticks == 9
    assert read((HOLD, "hold_ms = 0 ")).hold_ticks == 0


@pytest.mark.parametrize(
    ("ticks", "rate_hz", "hold_ms"), [(10, 100, 100.0), (10, 300, 1000 / 30), (0, 100, 0.0), (50, 100, 500.0)]
)
def test_hold_ticks_of_an_older_file_is_converted_and_said(
    read: Callable[..., Bench], ticks: int, rate_hz: int, hold_ms: float
) -> None:
    bench = read((HOLD, f"hold_ticks = {ticks} "), ("rate_hz = 100", f"rate_hz = {rate_hz}"))
    assert bench.gate.hold_ms == pytest.approx(hold_ms)
    assert bench.hold_ticks == ticks
    (note,) = bench.notes
    line = 1 + next(n for n, text in enumerate(GOOD.splitlines()) if text.startswith("hold_ms"))
    assert note == (
        f"bench.toml:{line} gate.hold_ticks = {ticks} is read as hold_ms = {hold_ms:g} at {rate_hz} Hz; write hold_ms"
    )
    assert pickle.loads(pickle.dumps(bench)).notes == bench.notes  # noqa: S301  # our own bytes


def test_a_file_of_today_has_nothing_to_note(read: Callable[..., Bench]) -> None:
    assert read().notes == ()


def test_both_keys_at_once_are_refused(read: Callable[..., Bench]) -> None:
    with pytest.raises(BenchFileError, match="hold_ms both set how long a command is held; keep hold_ms") as caught:
        read((HOLD, "hold_ticks = 10\nhold_ms = 100 "))
    assert (caught.value.key, caught.value.bound) == ("gate.hold_ticks", "one of hold_ms, hold_ticks")


@pytest.mark.parametrize(
    "pairs",
    [
        [(HOLD, "hold_ticks = 10 "), ("[bench]\n", "bench = 7\n[other]\n")],
        [(HOLD, "hold_ticks = 10 "), ("rate_hz = 100", "rate_hz = 0")],
        [(HOLD, "hold_ticks = 10 "), ("rate_hz = 100", 'rate_hz = "fast"')],
        [("[gate]\n", "gate = 7\n[other]\n")],
    ],
)
def test_an_older_key_in_a_broken_file_is_a_mistake_in_words(
    read: Callable[..., Bench], pairs: list[tuple[str, str]]
) -> None:
    with pytest.raises(BenchFileError):
        read(*pairs)


def test_a_mistake_names_file_line_key_value_and_bound(read: Callable[..., Bench], tmp_path: Path) -> None:
    with pytest.raises(BenchFileError) as caught:
        read(("ramp_a_s = 100.0", "ramp_a_s = 20.0"))
    error = caught.value
    line = 1 + next(n for n, text in enumerate(GOOD.splitlines()) if text.startswith("ramp_a_s"))
    assert (error.where, error.line, error.key, error.value, error.bound) == (
        str(tmp_path / "bench.toml"), line, "gate.ramp_a_s", 20.0, ">= 40 A/s",
    )  # fmt: skip


def test_current_falls_within_its_time_from_the_greatest_bench_current_of_either_sign(
    read: Callable[..., Bench],
) -> None:
    assert read(("ramp_a_s = 100.0", "ramp_a_s = 40.0")).gate.ramp_a_s == 40.0
    with pytest.raises(BenchFileError, match="from the bench limit 90 A"):
        read(("ramp_a_s = 100.0", "ramp_a_s = 40.0"), ("bench = [-80.0, 80.0]", "bench = [-90.0, 80.0]"))


def test_the_way_to_the_safe_state_is_bounded_as_a_whole(read: Callable[..., Bench]) -> None:
    third = '\n[[safe]]\nstep = "cells off"\nwithin_ms = 10000\n'
    with pytest.raises(BenchFileError) as caught:
        read(("within_ms = 1000", f"within_ms = 10000\n{third}"))
    notes = [str(one) for one in caught.value.all]
    assert any("= 21.1 s of at most 15 s" in note for note in notes)


def test_the_longest_way_that_a_file_may_declare_without_a_third_step_is_allowed(read: Callable[..., Bench]) -> None:
    bench = read(
        (HOLD, "hold_ms = 500 "),
        ("ramp_a_s = 100.0", "ramp_a_s = 40.0"),
        ("within_ms = 200", "within_ms = 2000"),
        ("within_ms = 1000", "within_ms = 10000"),
    )
    assert shutdown_time(bench).total_s == pytest.approx(14.5)


def test_doctor_prints_the_sum_and_what_was_converted(read: Callable[..., Bench]) -> None:
    bench = read((HOLD, "hold_ticks = 10 "), ("../bms/thresholds.toml", "foreign24.profile.toml"))
    checks = list(examine(bench.path))
    told = {check.name: check for check in checks}
    assert told["time to safe"].found == (
        "hold 0.1 s + ramp from 80 A 0.8 s + supply off 0.2 s + contactors open 1 s = 2.1 s of at most 15 s"
    )
    notes = [check for check in checks if "hold_ticks = 10 is read as hold_ms = 100" in check.found]
    assert [(check.ok, check.needed) for check in notes] == [(False, False)]


def test_a_lane_whose_module_was_renamed_is_read_under_its_new_name_and_said(read: Callable[..., Bench]) -> None:
    bench = read(('"twin.coulomb_counter"', '"twin.counting"'))
    assert [lane.module for lane in bench.lanes("estimator")] == ["twin.ekf", "twin.coulomb_counter"]
    line = 1 + GOOD[: GOOD.index('"twin.coulomb_counter"')].count("\n")
    renamed = "lane module twin.counting is read as twin.coulomb_counter; write twin.coulomb_counter"
    assert bench.notes == (f"bench.toml:{line} {renamed}",)
