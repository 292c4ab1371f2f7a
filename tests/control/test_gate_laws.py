"""Laws of the gate, on commands and snapshots of any kind."""

from __future__ import annotations

import ast
import inspect
import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from control import gate
from control.gate import Allowed, Tripped
from drivers.snapshot import Command
from tests.control.smallbench import HIGH, LOW, TABLE, SmallBench, command

WORDS = {"__future__", "dataclasses", "drivers.snapshot", "math", "numpy", "numpy.typing", "typing"}
ANY = st.floats(allow_nan=True, allow_infinity=True)


def built(current_a: float, volts: list[float], kelvin: list[float]) -> Command:
    return Command(current_a, np.array(volts), np.array(kelvin))


COMMANDS = st.builds(
    built,
    st.one_of(ANY, st.floats(-100, 100)),
    st.lists(st.one_of(ANY, st.floats(0, 6)), min_size=0, max_size=3),
    st.lists(st.one_of(ANY, st.floats(200, 400)), min_size=2, max_size=2),
)
READINGS = st.dictionaries(st.sampled_from(TABLE.names), st.one_of(ANY, st.floats(-100, 400)), max_size=2)
AGES = st.dictionaries(st.sampled_from(TABLE.names), st.one_of(ANY, st.floats(0, 1)), max_size=2)
TURNS = st.lists(st.tuples(COMMANDS, READINGS, AGES), min_size=1, max_size=12)


def inside(applied: Command) -> bool:
    current, cell, kelvin = TABLE.index("supply/current"), 0, TABLE.index("bms/temperature_1")
    return (
        LOW[current] <= applied.current_a <= HIGH[current]
        and all(LOW[cell] <= volt <= HIGH[cell] for volt in applied.cell_voltage_v)
        and all(LOW[kelvin] <= value <= HIGH[kelvin] for value in applied.cell_temperature_k)
        and len(applied.cell_voltage_v) == 2
    )


def test_the_gate_imports_the_words_and_nothing_else() -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(gate))):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    assert imported == WORDS


@settings(max_examples=150, deadline=None)
@given(TURNS)
def test_no_command_leaves_the_gate_outside_its_limits(turns: list[tuple[Command, Any, Any]]) -> None:
    bench = SmallBench()
    made = bench.gate()
    for asked, values, ages_s in turns:
        assert inside(bench.verdict(made, asked, values=values, ages_s=ages_s).apply)


@settings(max_examples=150, deadline=None)
@given(TURNS)
def test_only_what_was_asked_passes_and_only_within_limits(turns: list[tuple[Command, Any, Any]]) -> None:
    bench = SmallBench()
    made = bench.gate()
    for asked, values, ages_s in turns:
        verdict = bench.verdict(made, asked, values=values, ages_s=ages_s)
        if isinstance(verdict, Allowed):
            assert inside(asked)
            assert verdict.apply.current_a == asked.current_a
            assert np.array_equal(verdict.apply.cell_voltage_v, asked.cell_voltage_v)


@settings(max_examples=100, deadline=None)
@given(TURNS)
def test_once_tripped_no_current_flows_until_reset(turns: list[tuple[Command, Any, Any]]) -> None:
    bench = SmallBench()
    made = bench.gate()
    bench.verdict(made, values={"supply/current": 81.0})
    for asked, values, ages_s in turns:
        verdict = bench.verdict(made, asked, values=values, ages_s=ages_s)
        assert isinstance(verdict, Tripped)
        assert verdict.apply.current_a == 0.0


@settings(max_examples=100, deadline=None)
@given(TURNS, st.floats(-80, 80))
def test_held_current_never_grows(turns: list[tuple[Command, Any, Any]], start_a: float) -> None:
    bench = SmallBench()
    made = bench.gate()
    last_a = bench.verdict(made, command(start_a)).apply.current_a
    for asked, values, ages_s in turns:
        verdict = bench.verdict(made, asked, values=values, ages_s=ages_s)
        if not isinstance(verdict, Allowed):
            assert abs(verdict.apply.current_a) <= abs(last_a)
            assert not math.isnan(verdict.apply.current_a)
        last_a = verdict.apply.current_a
