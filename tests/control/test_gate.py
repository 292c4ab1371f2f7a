"""The gate, at each boundary. Plain functions of one bench, because the mutation test calls them on mutants too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.control.smallbench import HIGH, HOLD_TICKS, LOW, TABLE, command, just_above, just_below

if TYPE_CHECKING:
    from tests.control.smallbench import SmallBench


INF = math.inf


def test_gate_allows_what_is_in_order_exactly_as_asked(bench: SmallBench) -> None:
    requested = command(12.5)
    verdict = bench.verdict(bench.gate(), requested)
    assert bench.allowed(verdict)
    assert verdict.requested is requested
    assert verdict.apply.current_a == 12.5
    assert verdict.apply.cell_voltage_v.tolist() == [3.7, 3.8]
    assert verdict.apply.cell_temperature_k.tolist() == [298.0, 298.0]


def test_gate_allows_current_up_to_both_bounds(bench: SmallBench) -> None:
    gate = bench.gate()
    assert bench.allowed(bench.verdict(gate, command(80.0)))
    assert bench.allowed(bench.verdict(gate, command(-80.0)))


def test_gate_holds_current_just_beyond_either_bound(bench: SmallBench) -> None:
    gate = bench.gate()
    assert bench.held(bench.verdict(gate, command(just_above(80.0))), "asked supply/current 80.000 A above 80.000 A")
    assert bench.held(bench.verdict(gate, command(just_below(-80.0))), "asked supply/current -80.000 A below -80.000 A")


def test_gate_blocks_nan_and_infinite_current(bench: SmallBench) -> None:
    for current_a in (math.nan, INF, -INF):
        gate = bench.gate()
        verdict = bench.verdict(gate, command(current_a))
        assert bench.held(verdict, "asked supply/current")
        assert verdict.apply.current_a == 0.0


def test_gate_allows_cell_voltages_up_to_both_bounds(bench: SmallBench) -> None:
    gate = bench.gate()
    assert bench.allowed(bench.verdict(gate, command(volts=(0.5, 5.0))))
    assert bench.allowed(bench.verdict(gate, command(volts=(5.0, 0.5))))


def test_gate_holds_a_cell_voltage_just_beyond_either_bound_and_names_it(bench: SmallBench) -> None:
    gate = bench.gate()
    above = bench.verdict(gate, command(volts=(3.7, just_above(5.0))))
    assert bench.held(above, "asked cell_02/voltage 5.000 V above 5.000 V (hil24.toml:58)")
    below = bench.verdict(gate, command(volts=(just_below(0.5), 3.8)))
    assert bench.held(below, "asked cell_01/voltage 0.500 V below 0.500 V (hil24.toml:58)")


def test_gate_blocks_nan_and_infinite_cell_voltages(bench: SmallBench) -> None:
    for volt in (math.nan, INF, -INF):
        verdict = bench.verdict(bench.gate(), command(volts=(3.7, volt)))
        assert bench.held(verdict, "asked cell_02/voltage")
        assert verdict.apply.cell_voltage_v.tolist() == [3.7, 3.8]


def test_gate_keeps_cell_temperatures_within_their_bound(bench: SmallBench) -> None:
    gate = bench.gate()
    assert bench.allowed(bench.verdict(gate, command(kelvin=343.0)))
    assert bench.allowed(bench.verdict(gate, command(kelvin=238.0)))
    assert bench.held(
        bench.verdict(gate, command(kelvin=just_above(343.0))), "asked bms/temperature_1", "hil24.toml:80"
    )
    assert bench.held(bench.verdict(gate, command(kelvin=just_below(238.0))), "asked bms/temperature_1")
    assert bench.held(bench.verdict(gate, command(kelvin=math.nan)), "asked bms/temperature_1")


def test_gate_holds_a_command_of_another_size(bench: SmallBench) -> None:
    for volts in ((3.7,), (3.7, 3.8, 3.9), ()):
        verdict = bench.verdict(bench.gate(), command(volts=volts))
        assert bench.held(verdict, f"asked for {len(volts)} values where the bench has 2")


def test_held_keeps_the_last_allowed_command_for_the_declared_ticks_then_ramps_to_zero(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate, command(2.5, (3.6, 3.9)))
    verdicts = [bench.verdict(gate, command(99.0, (4.0, 4.0))) for _ in range(HOLD_TICKS + 4)]
    assert [verdict.ticks_left for verdict in verdicts] == [2, 1, 0, 0, 0, 0, 0]
    assert [verdict.apply.current_a for verdict in verdicts] == pytest.approx([2.5, 2.5, 2.5, 1.5, 0.5, 0.0, 0.0])
    assert all(verdict.apply.cell_voltage_v.tolist() == [3.6, 3.9] for verdict in verdicts)
    assert all(verdict.requested.current_a == 99.0 for verdict in verdicts)


def test_held_charging_current_ramps_up_to_zero_and_not_beyond(bench: SmallBench) -> None:
    gate = bench.gate(hold_ticks=0)
    bench.verdict(gate, command(-1.5))
    currents = [bench.verdict(gate, command(math.nan)).apply.current_a for _ in range(3)]
    assert currents == pytest.approx([-0.5, 0.0, 0.0])


def test_the_ramp_takes_the_time_that_has_passed(bench: SmallBench) -> None:
    gate = bench.gate(hold_ticks=0)
    bench.verdict(gate, command(20.0))
    assert bench.verdict(gate, command(99.0), after_s=0.05).apply.current_a == pytest.approx(15.0)


def test_the_ramp_never_raises_current_when_time_goes_back(bench: SmallBench) -> None:
    gate = bench.gate(hold_ticks=0)
    bench.verdict(gate, command(20.0))
    assert bench.verdict(gate, command(99.0), after_s=-0.01).apply.current_a == 20.0


def test_a_good_command_ends_the_hold_and_starts_its_ticks_anew(bench: SmallBench) -> None:
    gate = bench.gate()
    bench.verdict(gate)
    assert bench.verdict(gate, command(99.0)).ticks_left == HOLD_TICKS - 1
    assert bench.verdict(gate, command(99.0)).ticks_left == HOLD_TICKS - 2
    assert bench.allowed(bench.verdict(gate))
    assert bench.verdict(gate, command(99.0)).ticks_left == HOLD_TICKS - 1


def test_the_last_allowed_command_is_kept_as_it_was(bench: SmallBench) -> None:
    gate, requested = bench.gate(), command(5.0)
    bench.verdict(gate, requested)
    requested.cell_voltage_v[:] = 4.9  # a lane writes into its own arrays again
    requested.cell_temperature_k[:] = 340.0
    held = bench.verdict(gate, command(99.0))
    assert held.apply.cell_voltage_v.tolist() == [3.7, 3.8]
    assert held.apply.cell_temperature_k.tolist() == [298.0, 298.0]


def test_at_rest_nothing_flows_and_arming_starts_from_what_was_asked(bench: SmallBench) -> None:
    gate = bench.gate()
    requested = command(25.0, (4.0, 4.1))
    verdict = gate.rest(requested, "not armed")
    assert bench.held(verdict, "not armed")
    assert (verdict.apply.current_a, verdict.ticks_left) == (0.0, 0)
    assert verdict.requested is requested
    held = bench.verdict(gate, command(math.nan))
    assert held.apply.current_a == 0.0
    assert held.apply.cell_voltage_v.tolist() == [4.0, 4.1]


def test_at_rest_a_command_beyond_limits_is_not_remembered(bench: SmallBench) -> None:
    gate = bench.gate()
    gate.rest(command(0.0, (4.0, 9.0)), "not armed")
    assert bench.verdict(gate, command(math.nan)).apply.cell_voltage_v.tolist() == [3.7, 3.8]


def test_a_commanded_value_without_a_bench_limit_is_refused_at_start(bench: SmallBench) -> None:
    for n in (0, 2, 5):
        for bound, missing in (("low", -INF), ("high", INF)):
            arrays: dict[str, Any] = {"low": LOW.copy(), "high": HIGH.copy()}
            arrays[bound][n] = missing
            limits = bench.module.BenchLimits(TABLE.channels, arrays["low"], arrays["high"], ("",) * len(TABLE))
            with pytest.raises(ValueError, match="has no bench limit"):
                bench.gate(limits=limits)


def test_a_command_at_rest_beyond_limits_is_refused_at_start(bench: SmallBench) -> None:
    with pytest.raises(ValueError, match="at rest breaks a bench limit: asked cell_01/voltage"):
        bench.module.Gate(bench.spec(), command(0.0, (9.0, 3.8)))


def test_an_emergency_stop_that_need_not_be_known_is_refused_at_start(bench: SmallBench) -> None:
    free = np.full(len(TABLE), INF)
    with pytest.raises(ValueError, match="must be known"):
        bench.gate(late_s=free)
    with pytest.raises(ValueError, match="must be known"):
        bench.gate(lost_s=free)


def test_limits_that_lie_exactly_on_a_sentence_say_below_only_below(bench: SmallBench) -> None:
    limits = bench.module.BenchLimits(TABLE.channels, LOW, HIGH, ("here:1",) * len(TABLE))
    assert limits.sentence(0, 0.4) == "cell_01/voltage 0.400 V below 0.500 V (here:1)"
    assert limits.sentence(2, 90.0) == "supply/current 90.000 A above 80.000 A (here:1)"


def test_picked_limits_keep_order_and_may_repeat(bench: SmallBench) -> None:
    limits = bench.spec().limits.only(np.array([2, 0, 0]))
    assert [channel.name for channel in limits.channels] == ["supply/current", "cell_01/voltage", "cell_01/voltage"]
    assert limits.low.tolist() == [-80.0, 0.5, 0.5]
    assert limits.high.tolist() == [80.0, 5.0, 5.0]
    assert limits.declared == ("hil24.toml:70", "hil24.toml:58", "hil24.toml:58")


def test_a_pack_bench_commands_no_cells(bench: SmallBench) -> None:
    none = np.empty(0)
    spec = bench.spec(cell_voltage=(), cell_temperature=())
    rest = type(command())(0.0, none, none)
    gate = bench.module.Gate(spec, rest)
    assert bench.allowed(bench.verdict(gate, type(rest)(20.0, none, none)))
