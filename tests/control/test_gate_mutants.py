"""The gate's tests notice every small wrong in the gate: each mutant must fail at least one of them."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from control import gate
from tests.control import test_gate, test_gate_trips
from tests.control.mutants import mutants
from tests.control.smallbench import SmallBench

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

# Mutants that do the same as the gate, with the reason: (line, change).
EQUIVALENT: dict[tuple[str, str], str] = {
    (
        'side, bound = ("below", self.low[n]) if value < self.low[n] else ("above", self.high[n])',
        "Lt -> LtE",
    ): "a value on its bound is not broken, so no sentence is asked for it",
    (
        "for channel, low, high in zip(limits.channels, limits.low, limits.high, strict=True):",
        "True -> False",
    ): "`only` makes all three of one length",
    (
        "for limits, values in zip(self._commanded, parts, strict=True):",
        "True -> False",
    ): "both are triples by construction",
}


def survives(mutant: ModuleType, tests: list[Callable[[SmallBench], None]]) -> bool:
    for test in tests:
        try:
            test(SmallBench(mutant))
        except (Exception, pytest.fail.Exception):  # noqa: BLE001  # a mutant may fail in any way
            tests.remove(test)
            tests.insert(0, test)  # what caught one catches the next
            return False
    return True


def test_every_mutant_of_the_gate_is_caught() -> None:
    found: list[tuple[str, Any]] = [
        member for module in (test_gate, test_gate_trips) for member in inspect.getmembers(module, inspect.isfunction)
    ]
    tests = [test for name, test in found if name.startswith("test_")]
    survivors: set[tuple[str, str]] = set()
    count = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert survives(gate, list(tests)), "the gate itself must pass"
        for mutant in mutants(inspect.getsource(gate)):
            count += 1
            if survives(mutant.module(gate.__name__), tests):
                survivors.add((mutant.line, mutant.what))
    assert count > 150, "the mutator has lost its way"
    assert survivors == set(EQUIVALENT)
