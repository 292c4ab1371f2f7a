from __future__ import annotations

import math

import pytest

from workbench.window.widgets import format as fmt


@pytest.mark.parametrize(
    ("channel", "unit", "si", "text"),
    [
        ("cell_07/voltage", "V", 3.6124, "3.612 V"),
        ("supply/current", "A", 24.8, "+24.80 A"),
        ("supply/current", "A", -12.0, f"{fmt.MINUS}12.00 A"),
        ("supply/voltage", "V", 11.618, "11.62 V"),
        ("bms/pack_voltage", "V", 87.384, "87.38 V"),
        ("bms/soc", "1", 0.621, "62.1 %"),
        ("bms/temperature_3", "K", 304.35, "31.2 °C"),
        ("bms/charge_limit", "A", 35.0, "35.0 A"),
        ("supply/output", "1", 1.0, "on"),
        ("io/estop", "1", 1.0, "closed"),
        ("gate/verdict", "1", 2.0, "tripped"),
        ("bms/balancing", "1", float(0b1000), "1 cell"),
        ("bms/balancing", "1", float(0b1101), "3 cells"),
        ("bms/balancing", "1", 0.0, "none"),
        ("loop/late", "s", 3.1e-4, "0.31 ms"),
    ],
)
def test_values_show_with_fixed_decimals_and_unit(channel: str, unit: str, si: float, text: str) -> None:
    assert fmt.find_display(channel, unit).text(si) == text


def test_words_of_the_bench_name_its_states() -> None:
    shown = fmt.find_display("bms/state", "1", {"bms/state": {3: "NORMAL"}})
    assert shown.text(3.0) == "NORMAL"
    assert shown.text(9.0) == "9"


def test_missing_value_is_a_dash_without_unit() -> None:
    assert fmt.VOLT.text(math.nan) == fmt.DASH
    assert fmt.AMPERE.text(math.inf) == fmt.DASH


def test_small_negative_value_is_no_negative_zero() -> None:
    assert fmt.MILLIVOLT.text(-1e-6) == "0.0 mV"


def test_difference_of_temperatures_has_no_offset() -> None:
    assert fmt.CELSIUS.difference(2.0) == "+2.0 °C"


@pytest.mark.parametrize(
    ("seconds", "text"), [(3e-6, "3 µs"), (7.1e-4, "0.71 ms"), (0.0124, "12.4 ms"), (math.nan, fmt.DASH)]
)
def test_step_times_pick_their_unit(seconds: float, text: str) -> None:
    assert fmt.step_time(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.42, "0.4 s"), (12.3, "12 s"), (185.0, "3 min")])
def test_ages_are_short(seconds: float, text: str) -> None:
    assert fmt.age(seconds) == text


def test_run_time_and_counts_are_of_fixed_form() -> None:
    assert fmt.run_time(192.9) == "00:03:12"
    assert fmt.count(19214) == "19\u202f214"
    assert fmt.format_bytes(3_200_000) == "3.2 MB"
    assert fmt.format_bytes(812) == "812 B"
