"""The SPMe cell as two compiled functions: exported once from PyBaMM's equations, then loaded without PyBaMM."""

from __future__ import annotations

import json
import logging
import multiprocessing
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.errors import BenchFileError
from drivers.state_file import write_bytes
from twin import cache, casadi_functions
from twin.thermal import step_temperature

if TYPE_CHECKING:
    from drivers.snapshot import Floats
    from twin.casadi_functions import Function, Sx
    from twin.cell_physics import CellPhysics
    from twin.pybamm_models import SpmeEquations

_LOG: Final = logging.getLogger(__name__)
# One linear-implicit stage per step. 1/2 is second order but lets the separator's fast modes oscillate at 1 s steps;
# 0.55 damps them: error 0.001 mV at 10 ms, 0.07 mV at 1 s, for half the work of two stages.
THETA: Final = 0.55
_HAS_TABLES: Final = 3  # exit status of an export
_SHAPE_A: Final = 2.0
_SHAPE_S: Final = 300
_SHAPE_K: Final = 298.15


@dataclass(frozen=True)
class SpmeModel:
    """One cell of `capacity_ah`, current in that cell's own amperes.

    `step(x, t, i, dt, ambient, resistance) -> x, t, v, soc` and `terminal(x, t, i, resistance) -> v, soc`.
    Rested state at s: `empty + s (full - empty)`; `polarised` is the deviation per A after 5 min of current, which
    holds no charge.
    """

    step: Function
    terminal: Function
    empty: Floats
    full: Floats
    polarised: Floats
    capacity_ah: float

    def find_rest_state(self, soc: Floats) -> Floats:
        """Return the states `[n, cells]` at rest."""
        return self.empty[:, None] + (self.full - self.empty)[:, None] * soc


def load(physics: CellPhysics, folder: Path | None = None) -> SpmeModel:
    """Read the exported model; where it is missing or damaged, export it first (seconds), in a separate process.

    With a folder that cannot be written, each start exports it again and logs a warning. Raise `BenchFileError` for
    a parameter set with tables.
    """
    path = cache.find_spme_file(folder or cache.find_cache_folder(), physics)
    try:
        return _parse_model(path.read_text())
    except FileNotFoundError:
        pass  # the first start of these versions
    except (OSError, ValueError) as error:
        _LOG.warning("%s: %s; the model is exported again", path, error)
    text = _run_export(physics)
    try:
        write_bytes(path, text.encode(), durable=False)
    except OSError as error:
        _LOG.warning("%s cannot be written: %s; each start exports the model again (seconds)", path, error.strerror)
    return _parse_model(text)


def _parse_model(text: str) -> SpmeModel:
    parts = json.loads(cache.unseal(text))
    arrays = {name: np.array(parts[name]) for name in ("empty", "full", "polarised")}
    step, terminal = casadi_functions.deserialise(parts["step"]), casadi_functions.deserialise(parts["terminal"])
    return SpmeModel(step, terminal, **arrays, capacity_ah=float(parts["capacity_ah"]))


def _run_export(physics: CellPhysics) -> str:
    """Return the text of `export`, run in a process that may import PyBaMM; raise `BenchFileError` for tables."""
    with tempfile.TemporaryDirectory() as spare:
        path = Path(spare) / "spme"
        worker = multiprocessing.get_context("spawn").Process(target=export, args=(physics, path))
        worker.start()
        worker.join()
        if worker.exitcode == _HAS_TABLES:
            what = f"twin.spme needs formulas, and {physics.name} has tables"
            raise BenchFileError(what, hint="use twin.dfn, which runs them, or twin.ecm")
        if worker.exitcode != 0:
            raise RuntimeError(
                f"the export of the SPMe ended with exit status {worker.exitcode}; its output shows the error"
            )
        return path.read_text()


def export(physics: CellPhysics, path: Path) -> None:
    """Write the model of a cell from PyBaMM's equations to `path`; exit with `_HAS_TABLES` where it cannot expand."""
    from twin.pybamm_models import build_spme_equations  # noqa: PLC0415  # takes seconds, and only where the file is missing

    try:
        equations = build_spme_equations(physics)
    except casadi_functions.ExpansionError:
        sys.exit(_HAS_TABLES)
    step, terminal = _build_step(equations), _build_terminal(equations)
    parts: dict[str, Any] = {
        "step": casadi_functions.serialise(step),
        "terminal": casadi_functions.serialise(terminal),
        "empty": equations.empty.tolist(),
        "full": equations.full.tolist(),
        "polarised": _compute_polarisation(equations, step).tolist(),
        "capacity_ah": equations.cell.capacity_ah,
    }
    path.write_text(cache.seal(json.dumps(parts)))


def _build_step(equations: SpmeEquations) -> Function:
    size = len(equations.full)
    x, t, i, dt, ambient, resistance = _symbols(size, "t", "i", "dt", "ambient", "resistance")
    rates = equations.rates(x, i, t)
    implicit = casadi_functions.identity(size) - THETA * dt * casadi_functions.jacobian(rates, x)
    ahead = x + dt * casadi_functions.tridiagonal_solve(implicit, rates)
    v, u_bulk, soc = _express_outputs(equations, ahead, i, t, resistance)
    settled = ambient + i * (u_bulk - v) / equations.cell.cooling_w_k
    heated = step_temperature(t, settled, dt * equations.cell.cooling_w_k / equations.cell.heat_capacity_j_k)
    inputs = {"x": x, "t": t, "i": i, "dt": dt, "ambient": ambient, "resistance": resistance}
    return casadi_functions.function("step", inputs, {"x_next": ahead, "t_next": heated, "v": v, "soc": soc})


def _build_terminal(equations: SpmeEquations) -> Function:
    x, t, i, resistance = _symbols(len(equations.full), "t", "i", "resistance")
    v, _, soc = _express_outputs(equations, x, i, t, resistance)
    return casadi_functions.function(
        "terminal", {"x": x, "t": t, "i": i, "resistance": resistance}, {"v": v, "soc": soc}
    )


def _express_outputs(equations: SpmeEquations, x: Sx, i: Sx, t: Sx, resistance: Sx) -> tuple[Sx, Sx, Sx]:
    """Return voltage (each loss but solid diffusion times `resistance`), bulk open-circuit voltage, state of charge."""
    v, u_surface, u_bulk, soc = equations.outputs(x, i, t)
    return u_surface - resistance * (u_surface - v), u_bulk, soc


def _compute_polarisation(equations: SpmeEquations, step: Function) -> Floats:
    """Return the deviation from rest per ampere after five minutes of current from half charge."""
    x = 0.5 * (equations.empty + equations.full)
    soc = 0.5
    for _ in range(_SHAPE_S):
        x, _, _, soc = casadi_functions.evaluate(step, [x, _SHAPE_K, _SHAPE_A, 1.0, _SHAPE_K, 1.0])
    return (np.ravel(x) - equations.empty - float(np.ravel(soc)[0]) * (equations.full - equations.empty)) / _SHAPE_A


def _symbols(states: int, *names: str) -> tuple[Sx, ...]:
    return casadi_functions.symbol("x", states), *(casadi_functions.symbol(name) for name in names)
