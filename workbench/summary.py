"""What a run amounts to, read back from its folder: the figures that `run --json` and the tour report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drivers.runlog.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from drivers.snapshot import Floats

RUNNING: Final = 3.0
# A set-point leaves after its turn and is sampled within the next periods: how far loop and simulator are apart drifts.
WRITTEN_TICKS: Final = (1, 2, 3)
SETTLE_TICKS: Final = 100  # set-points and read-backs need a moment after the first tick
_LANE: Final = re.compile(r"^(twin|estimator|controller)/(.+)/step$")
_CELL: Final = re.compile(r"/cell_(\d\d)/voltage$")


def summarise(folder: Path, *, running_only: bool = False) -> dict[str, Any]:
    """Ticks, lateness and lanes of a run, live or ended; raises `RunLogError`."""
    run = Run.open(folder)
    names = run.table.names
    ticks = run.columns(["loop/late", "loop/number", "loop/missed", "bench/state"])
    numbers, running = ticks["loop/number"], ticks["bench/state"] == RUNNING
    chosen = running if running_only else np.ones(len(numbers), dtype=bool)
    late_ms = 1e3 * ticks["loop/late"][chosen]
    return {
        "ticks": int(numbers[-1]) if len(numbers) else 0,
        "recorded": len(numbers),
        "missed": int(ticks["loop/missed"][chosen].sum()),
        "late_ms": _percentiles(late_ms),
        "safe_ms": dict.fromkeys(("limit", "engine_killed", "window_killed", "outputs_off")),
        "window": dict.fromkeys(("shell_ms", "plots_ms", "fps", "cpu_pct")),
        "lanes": [_lane(run, role, name, names) for role, name in _lanes(names)],
    }


def _percentiles(values: Floats) -> dict[str, float | None]:
    values = values[np.isfinite(values)]
    if not len(values):
        return dict.fromkeys(("p50", "p99", "p999", "max"))
    p50, p99, p999 = np.percentile(values, (50, 99, 99.9))
    return {"p50": float(p50), "p99": float(p99), "p999": float(p999), "max": float(values.max())}


def _active(run: Run, role: str) -> str:
    """The lane that was active when the run began."""
    return str(run.meta["active"][role])


def _lanes(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(found[1], found[2]) for name in names if (found := _LANE.match(name))]


def _lane(run: Run, role: str, name: str, names: tuple[str, ...]) -> dict[str, Any]:
    """One lane; figures that do not apply to it are None."""
    active = name == _active(run, role)
    step_s = run.columns([f"{role}/{name}/step"])[f"{role}/{name}/step"]
    lane: dict[str, Any] = {
        "role": role,
        "name": name,
        "active": active,
        "step_us": float(1e6 * np.nanmedian(step_s)) if np.isfinite(step_s).any() else None,
        "tracking_mv": None,
        "difference_mv": None,
        "residual_mv": None,
        "soc_error": None,
    }
    if role == "twin":
        lane["tracking_mv" if active else "difference_mv"] = _voltage_rmse_mv(run, name, names, active=active)
    if role == "estimator":
        lane["soc_error"] = _soc_error(run, name, names)
    return lane


def _while_running(run: Run, columns: list[str]) -> dict[str, Floats]:
    data = run.columns([*columns, "bench/state"])
    running = data["bench/state"] == RUNNING
    running[:SETTLE_TICKS] = False
    return {name: data[name][running] for name in columns}


def _voltage_rmse_mv(run: Run, twin: str, names: tuple[str, ...], *, active: bool) -> float | None:
    """Active twin: read-back minus the set-point that it may show; others: minus the active twin's voltage."""
    own = [name for name in names if name.startswith(f"twin/{twin}/") and _CELL.search(name)]
    against = _active(run, "twin")
    other = [name.replace(f"twin/{twin}/", "" if active else f"twin/{against}/") for name in own]
    data = _while_running(run, [*own, *other])
    if not own or len(data[own[0]]) < SETTLE_TICKS:
        return None
    lags = WRITTEN_TICKS if active else (0,)
    squares = [squared_gaps(data[mine], data[theirs], lags) for mine, theirs in zip(own, other, strict=True)]
    joined = np.concatenate(squares)
    return float(1e3 * np.sqrt(np.mean(joined))) if len(joined) else None


def squared_gaps(mine: Floats, theirs: Floats, lags: tuple[int, ...]) -> Floats:
    """Of each of `theirs` against the nearest of `mine` that many ticks before."""
    most, count = max(lags), len(mine)
    differences = np.abs([mine[most - lag : count - lag] - theirs[most:] for lag in lags])
    nearest: Floats = np.min(differences, axis=0)
    return nearest[np.isfinite(nearest)] ** 2


def _soc_error(run: Run, estimator: str, names: tuple[str, ...]) -> float | None:
    """RMSE of the pack's SoC against the active twin (a fraction); None in mode pack."""
    truth = [name for name in names if name.startswith(f"twin/{_active(run, 'twin')}/") and name.endswith("/soc")]
    own = f"estimator/{estimator}/soc"
    data = _while_running(run, [own, *truth])
    if not truth or len(data[own]) < SETTLE_TICKS:
        return None
    error: Floats = data[own] - np.mean([data[name] for name in truth], axis=0)
    error = error[np.isfinite(error)]
    return float(np.sqrt(np.mean(error**2))) if len(error) else None
