"""Where a log starts: its state of charge, and whether the cell has rested before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from drivers.logs.log import CellLog
    from drivers.snapshot import Floats

LOOK_S: Final = 30.0  # at the start of a log
RESTS_C: Final = 0.02  # less current is a rest
FLAT_V: Final = 0.002  # within which the voltage of a rested cell stays
FULL_SOC: Final = 0.97  # such a voltage cannot belong to a cell under load: it is full, as after charging
GIVEN_STD: Final = 0.30  # of a start that a user gives: it may be wrong by 30 %
FLAT_CHEMISTRIES: Final = ("LFP",)
GIVEN_FLAT_STD: Final = 0.05  # where the voltage says little, more is trusted to the user
RESTED_STD: Final = 0.05  # of a start that a rested cell's voltage tells
LOADED_STD: Final = 0.30
AFTER_CHARGE: Final = 1.0  # the hysteresis of a full cell
FULL_STD: Final = 0.3  # of the hysteresis of a full cell
GUESSED: Final = 0.5  # of a hysteresis that the first current tells: a drive charges now and then
GUESSED_STD: Final = 0.6  # of any other


@dataclass(frozen=True)
class LogStart:
    """SoC and its deviation; whether the cell has rested; a sentence on where that comes from."""

    soc: float
    soc_std: float
    why: str
    rested: bool
    hysteresis: float = 0.0  # unknown
    hysteresis_std: float = GUESSED_STD


def find_start(log: CellLog, ocv_v: Floats, capacity_ah: float, chemistry: str, soc0: float | None) -> LogStart:
    """Return the start of a log on a cell of `ocv_v[points]` from SoC 0 to 1; `soc0`: what a user gives, or None."""
    first_v, rested = float(log.voltage_v[0]), is_rested(log, capacity_ah)
    told = float(np.interp(first_v, np.maximum.accumulate(ocv_v), np.linspace(0.0, 1.0, len(ocv_v))))
    full = told >= FULL_SOC and float(log.current_a[0]) < RESTS_C * capacity_ah * 5.0
    if soc0 is not None:
        std = GIVEN_FLAT_STD if chemistry in FLAT_CHEMISTRIES else GIVEN_STD
        return LogStart(
            soc0,
            std,
            f"start at {100 * soc0:.1f} % SoC, as given",
            rested or full,
            AFTER_CHARGE if full else _guess_hysteresis(log, capacity_ah),
            FULL_STD if full else GUESSED_STD,
        )
    if full:
        why = f"the first voltage, {first_v:.3f} V, is that of a full cell"
        return LogStart(1.0, RESTED_STD, why, rested=True, hysteresis=AFTER_CHARGE, hysteresis_std=FULL_STD)
    if rested:
        why = f"start at {100 * told:.1f} % SoC: the cell rests at {first_v:.3f} V"
        return LogStart(told, RESTED_STD, why, rested=True)
    why = f"start near {100 * told:.0f} % SoC: the log starts under load, at {first_v:.3f} V"
    return LogStart(told, LOADED_STD, why, rested=False, hysteresis=_guess_hysteresis(log, capacity_ah))


def _guess_hysteresis(log: CellLog, capacity_ah: float) -> float:
    """Return the hysteresis of a cell that did before what it does at the log's start; 0 for a cell at rest."""
    early = log.time_s - log.time_s[0] <= LOOK_S
    mean_a = float(log.current_a[early].mean())
    return 0.0 if abs(mean_a) < RESTS_C * capacity_ah else -GUESSED * float(np.sign(mean_a))


def is_rested(log: CellLog, capacity_ah: float) -> bool:
    """Return whether no current flows at the start, and the voltage does not move."""
    early = log.time_s - log.time_s[0] <= LOOK_S
    quiet = np.abs(log.current_a[early]) < RESTS_C * capacity_ah
    return bool(quiet.all() and early.sum() > 1 and np.ptp(log.voltage_v[early]) < FLAT_V)
