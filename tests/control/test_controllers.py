from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from control import cccv, profile
from control.current_profile import CurrentProfile, read_current_profile
from control.ports import CurrentRange
from drivers.errors import BenchFileError
from drivers.snapshot import Estimate, PackReading
from twin.cell_parameters import CELL, load_cell
from twin.ports import PackSpec
from twin.smooth_cell import fit_cell

if TYPE_CHECKING:
    from pathlib import Path

CELLS = 2
PACK = PackSpec(CELLS, 12, 5.0, np.full(CELLS, 0.6), np.ones(CELLS), np.ones(CELLS), 298.15)
WIDE = CurrentRange(60.0, 60.0)
BELIEF = Estimate(np.full(CELLS, 0.6), np.full(CELLS, 0.01))


def reading(*volts: float, current_a: float = 0.0) -> PackReading:
    return PackReading(0.0, current_a, np.zeros(CELLS), np.array(volts), np.full(CELLS, 298.15))


def written(folder: Path, text: str) -> str:
    path = folder / "duty.csv"
    path.write_text(text)
    return str(path)


STEPS = "t_s,current_a\n0,0\n2,0\n2,30\n4,30\n6,-10\n8,0\n"


def test_a_duty_is_straight_between_points_and_steps_at_a_repeated_time(tmp_path: Path) -> None:
    duty = read_current_profile({"file": written(tmp_path, STEPS)}, 60.0)
    assert duty.at(np.array([0.0, 1.9, 2.0, 3.0, 5.0, 7.0])).tolist() == [0.0, 0.0, 30.0, 30.0, 10.0, -5.0]


@pytest.mark.parametrize("repeat", [True, False])
def test_a_duty_of_one_instant_is_to_the_last_bit_the_duty_of_many(*, repeat: bool) -> None:
    t_s = np.array([0.0, 2.0, 2.0, 4.3, 8.0])
    duty = CurrentProfile(t_s, np.array([0.0, 0.0, 30.0, -11.7, -5.0]), repeat=repeat)
    instants = np.concatenate([t_s, np.random.default_rng(1).uniform(0.0, 40.0, 2_000), [np.nan]])
    assert [duty.now(instant) for instant in instants.tolist()] == duty.at(instants).tolist()


def test_a_duty_repeats_or_ends_at_zero(tmp_path: Path) -> None:
    name = written(tmp_path, STEPS)
    assert read_current_profile({"file": name}, 60.0).at(np.array([8.0, 11.0])).tolist() == [0.0, 30.0]
    assert read_current_profile({"file": name, "repeat": False}, 60.0).at(np.array([8.0, 11.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("a,b\n0,0\n", "is not a current profile", 1),
        ("t_s,current_a\n0,0\n1,x\n", "is not two numbers", 3),
        ("t_s,current_a\n0,0\n1,nan\n", "is not two numbers", 3),
        ("t_s,current_a\n0,0\n1\n", "is not two numbers", 3),
        ("t_s,current_a\n0,0\n2,1\n1,1\n", "time decreases", 4),
        ("t_s,current_a\n0,0\n", "has no length", 2),
        ("t_s,current_a\n1,0\n2,0\n", "has no length", 3),
        ("", "is not a current profile: it is empty", 1),
        (
            "\n\nt_s current_a\n0 0\n",
            'its first line is "t_s current_a"; write t_s,current_a or t_s,c_rate in',
            3,
        ),
        ("t_s,current_a\n0,0\n0,5,10,0\n", "two numbers; .*decimal points, or semicolons between", 3),
        ("t_s;current_a\n0;0\n1;1.234,5\n", "two numbers; .*without a separator of thousands", 3),
        ("t_s,current_a\n0,0\n1,1_000\n", "is not two numbers", 3),
        ("t_s,current_a\n0,0\n1,5 A\n", "is not two numbers", 3),
        ('t_s,current_a\n0,0\n\n1,"' + "1" * 200_000 + '"\n', "cannot be read: field larger", 4),
    ],
)
def test_a_wrong_duty_names_its_line(tmp_path: Path, text: str, words: str, line: int) -> None:
    with pytest.raises(BenchFileError, match=words) as caught:
        read_current_profile({"file": written(tmp_path, text)}, 60.0)
    assert caught.value.line == line


PLAIN = "t_s,current_a\n0,0\n1.5,-2.25\n3,0\n"
GERMAN = PLAIN.replace(",", ";").replace(".", ",")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode() + b"\r\n\r\n",
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("1.5", "\n1.5").encode() + b"\n,\n ,\n",
        PLAIN.replace(",", " , ").encode(),
        PLAIN.replace(",", ",\u00a0").encode(),
        PLAIN.replace("\n", ",,\n").encode(),
        PLAIN.replace("t_s,current_a", '"t_s","current_a"').encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", ";").encode(),
        GERMAN.encode(),
        b"\xef\xbb\xbf" + GERMAN.replace("\n", "\r\n").encode(),
        b"sep=;\r\n" + GERMAN.replace("\n", "\r\n").encode(),
        GERMAN.replace(";", "\t").encode("utf-16"),
    ],
)
def test_a_duty_is_read_as_editors_and_spreadsheets_write_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "duty.csv"
    path.write_bytes(content)
    duty = read_current_profile({"file": str(path)}, 60.0)
    assert (duty.duration_s, duty.at(np.array([0.0, 1.5, 2.25])).tolist()) == (3.0, [0.0, -2.25, -1.125])


def test_a_duty_in_another_encoding_is_refused_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "duty.csv"
    path.write_bytes("t_s,current_a\n0,0\n1,5 \xb5A\n".encode("cp1252"))
    with pytest.raises(BenchFileError, match=r"duty\.csv is not UTF-8 text; save it as UTF-8"):
        read_current_profile({"file": str(path)}, 60.0)


@pytest.mark.parametrize("settings", [{}, {"file": 3}, {"file": "/nowhere/duty.csv"}])
def test_a_duty_that_is_not_there_is_an_error_of_the_bench_file(settings: dict[str, Any]) -> None:
    with pytest.raises(BenchFileError):
        read_current_profile(settings, 60.0)


def test_the_profile_follows_its_duty_and_costs_nothing(tmp_path: Path) -> None:
    lane = profile.build(PACK, {"file": written(tmp_path, STEPS)})
    currents = [lane.decide(reading(3.7, 3.7), BELIEF, WIDE, 0.5).current_a for _ in range(8)]
    assert currents == [0.0, 0.0, 0.0, 0.0, 30.0, 30.0, 30.0, 30.0]
    assert lane.decide(reading(3.7, 3.7), BELIEF, WIDE, 0.5).cost == 0.0


def test_the_profiles_cost_is_the_mean_square_of_what_it_could_not_follow() -> None:
    lane = profile.ProfileController(CurrentProfile(np.array([0.0, 10.0]), np.array([20.0, 20.0])))
    decision = [lane.decide(reading(3.7, 3.7), BELIEF, CurrentRange(60.0, 15.0), 0.1) for _ in range(4)][-1]
    assert (decision.current_a, decision.cost, decision.violations) == (15.0, pytest.approx(25.0), 4)


def charged(soc: float, current_a: float) -> float:
    """A cell as the test's own plant: open-circuit voltage less its drop."""
    return float(fit_cell(load_cell()).compute_ocv(soc)) - 0.002 * current_a


def test_cccv_charges_constant_then_holds_the_highest_cell_and_ends_at_a_twentieth() -> None:
    lane = cccv.build(PACK, {"current_a": 30.0, "voltage_v": 4.05})
    soc, current_a, dt_s = np.array([0.70, 0.69]), 0.0, 0.1
    currents: list[float] = []
    highest: list[float] = []
    for _ in range(60_000):
        volts = [charged(float(one), current_a) for one in soc]
        current_a = lane.decide(reading(*volts), BELIEF, WIDE, dt_s).current_a
        soc -= current_a * dt_s / 3600.0 / 60.0
        currents.append(current_a)
        highest.append(max(volts))
        if current_a == 0.0 and len(currents) > 100:
            break
    assert currents[40] == -30.0
    assert max(highest) < 4.05 + 0.002
    assert -3.1 <= currents[-2] <= -2.9
    hold = np.array(highest)[np.array(currents) > -29.0][100:]
    assert np.abs(hold - 4.05).max() < 0.001


def test_cccv_does_not_wind_up_while_the_pack_allows_less() -> None:
    lane = cccv.build(PACK, {"current_a": 30.0, "voltage_v": 4.1})
    first = [lane.decide(reading(3.7, 3.7), BELIEF, CurrentRange(5.0, 5.0), 0.1).current_a for _ in range(100)]
    assert first[:2] == pytest.approx([-3.0, -5.0])
    assert min(first) == -5.0
    over = [lane.decide(reading(4.12, 4.0), BELIEF, CurrentRange(5.0, 5.0), 0.1).current_a for _ in range(12)]
    assert over[-1] > -2.0


def test_cccv_counts_an_overshoot_of_its_voltage() -> None:
    lane = cccv.build(PACK, {"current_a": 30.0, "voltage_v": 4.1})
    assert lane.decide(reading(4.104, 4.0), BELIEF, WIDE, 0.1).violations == 0
    decision = lane.decide(reading(4.2, 4.0), BELIEF, WIDE, 0.1)
    assert decision.violations == 1
    assert decision.cost == pytest.approx((0.004**2 + 0.1**2) / 2)


@pytest.mark.parametrize("settings", [{"current_a": -3, "voltage_v": 4.1}, {"current_a": 3, "voltage_v": "x"}])
def test_cccv_without_sense_in_its_settings_is_an_error_of_the_bench_file(settings: dict[str, Any]) -> None:
    with pytest.raises(BenchFileError, match="CC-CV needs a positive number"):
        cccv.build(PACK, settings)


def test_cccv_follows_from_the_cell_where_nobody_says_otherwise() -> None:
    lfp = replace(PACK, cell=load_cell(CELL.with_name("prada2013.toml")))
    for pack, full_v in ((PACK, 4.18), (lfp, 3.58)):
        lane = cccv.build(pack, {})
        decisions = [lane.decide(reading(full_v - 0.3, full_v - 0.3), BELIEF, WIDE, 0.1) for _ in range(600)]
        assert decisions[-1].current_a == pytest.approx(-0.5 * pack.element_ah)
        assert lane.decide(reading(full_v + 0.006, full_v), BELIEF, WIDE, 0.1).violations == 1
        assert cccv.build(pack, {}).decide(reading(full_v + 0.004, full_v), BELIEF, WIDE, 0.1).violations == 0


def test_a_duty_in_c_scales_with_the_pack(tmp_path: Path) -> None:
    name = written(tmp_path, "t_s,c_rate\n0,0\n1,0.5\n2,-0.2\n")
    for pack_ah in (60.0, 5.0):
        duty = read_current_profile({"file": name}, pack_ah)
        assert duty.at(np.array([0.5, 1.0])) == pytest.approx([0.25 * pack_ah, 0.5 * pack_ah])


def test_a_duty_waits_for_the_run(tmp_path: Path) -> None:
    lane = profile.build(PACK, {"file": written(tmp_path, STEPS)})
    for _ in range(50):
        waiting = lane.decide(reading(3.7, 3.7), BELIEF, CurrentRange(0.0, 0.0), 0.0)
        assert (waiting.current_a, waiting.cost, waiting.violations) == (0.0, 0.0, 0)
    currents = [lane.decide(reading(3.7, 3.7), BELIEF, WIDE, 1.0).current_a for _ in range(3)]
    assert currents == [0.0, 0.0, 30.0]
