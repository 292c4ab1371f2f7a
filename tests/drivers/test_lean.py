"""What every process of a bench pays for python-can."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"asammdf", "pandas", "sympy", "scipy"}


def loaded(*modules: str) -> set[str]:
    """The heavy libraries that a fresh process has after it imported `modules` one after the other."""
    lines = "\n".join(f"import {name}" for name in modules)
    told = subprocess.run(
        [sys.executable, "-c", f"import sys\n{lines}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return HEAVY & set(told.stdout.split())


@pytest.mark.parametrize("name", ["drivers.canbus.dut", "workbench.engine.engine", "workbench.engine.guard_entry"])
def test_a_process_of_the_bench_loads_no_heavy_library_with_python_can(name: str) -> None:
    assert loaded(name) == set()


def test_asammdf_can_be_imported_before_and_after() -> None:
    assert "asammdf" in loaded("drivers.canbus.lean_can", "asammdf")
    assert "asammdf" in loaded("asammdf", "drivers.canbus.lean_can")
