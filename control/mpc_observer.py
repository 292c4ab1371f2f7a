"""What the MPC starts from: state and limits of the mean cell, from measured and estimated values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from control import shield
from control.observed_pack import ObservedPack
from twin import casadi_functions as sy
from twin.cell_table import OCV, R0
from twin.half_cycles import DIRECTION, TURN_SOC, follow_charge, make_turns
from twin.smooth_cell import fit_cell

if TYPE_CHECKING:
    from control.mpc_model import ModelSettings, MpcLimits
    from drivers.snapshot import Estimate, Floats, PackReading

OBSERVE_S: Final = 2.0  # time constant of the observed distance of the extreme cells from the model


class PackObserver:
    """Observes a pack of `abreast` parallel cells of the cell file; `ambient_k` is the first temperature if not given.

    `start[5]` is the state of the mean cell with the hottest temperature (see `mpc_model`), `seen[8, 1]` what a shield
    needs, `direction` that of the present half cycle: 1 discharges, -1 charges.
    """

    def __init__(self, settings: ModelSettings, abreast: float, ambient_k: float = math.nan) -> None:
        self._abreast, self._circuit = abreast * settings.capacity, _compile_circuit(settings)
        self._observed = ObservedPack(settings.cell, self._abreast)
        self.ambient_k = ambient_k
        self.start: Floats = np.zeros(5)
        self.seen: Floats = np.full((8, 1), np.nan)
        self.direction = 0.0
        self._off_v: Floats = np.zeros(2)  # highest and lowest cell, above the model
        self._beyond_soc: Floats = np.zeros(2)  # highest cell above and lowest cell below the mean
        self._cold_k, self._follows = 0.0, False
        self._turns = make_turns(np.array([np.nan]))[0]
        follow_charge(self._turns, np.nan, TURN_SOC)  # compiles the kernel: no turn of a loop has seconds for that

    def observe(self, reading: PackReading, estimate: Estimate, dt_s: float) -> bool:
        """Update everything; return False, and keep the past, if an input is not a number.

        Until a run's first turn a measurement counts at once: values of cells unpowered until arming must not remain.
        """
        volts, kelvins, socs = (
            np.array([[values.min()], [values.max()]])
            for values in (reading.voltage_v, reading.temperature_k, estimate.soc)
        )
        soc = estimate.pack_soc
        known = np.isfinite([volts, kelvins, socs]).all()
        if not (known and math.isfinite(reading.current_a) and math.isfinite(soc)):
            self.seen = np.full((8, 1), np.nan)
            return False
        self.seen = self._observed.observe(np.array([reading.current_a]), socs, volts, kelvins, dt_s)
        if not math.isfinite(self.ambient_k):
            self.ambient_k = float(kelvins.mean())
        v1, v2 = float(self.seen[shield.V1, 0]), float(self.seen[shield.V2, 0])
        hot_k = float(kelvins[1, 0])
        self._follow_extremes(soc, hot_k, v1 + v2, volts, reading.current_a, dt_s)
        self._beyond_soc = np.array([socs[1, 0] - soc, soc - socs[0, 0]])
        self._cold_k = hot_k - float(kelvins[0, 0])
        self.start = np.array([soc, v1, v2, hot_k, self._follow_depth(soc)])
        return True

    def narrow(self, limits: MpcLimits) -> tuple[float, ...]:
        """Return the limits of the mean cell, as `mpc_model.StageLimits`."""
        above_v, below_v = float(self._off_v[0]), -float(self._off_v[1])
        above_soc, below_soc = self._beyond_soc
        return limits.narrow(above_v, below_v, above_soc, below_soc).list_rows(self.ambient_k, self._cold_k)

    def _follow_extremes(  # noqa: PLR0917  # the parts of one voltage
        self, soc: float, kelvin: float, polarised_v: float, volts: Floats, current_a: float, dt_s: float
    ) -> None:
        """Follow how far the highest and the lowest cell are from the model."""
        self._circuit.inputs[0][:] = soc, kelvin
        ocv_v, ohm = self._circuit()[0]
        now_v = volts[::-1, 0] - (ocv_v - ohm * current_a / self._abreast - polarised_v)
        share = 1.0 - math.exp(-dt_s / OBSERVE_S) if self._follows else 1.0
        self._off_v = self._off_v + share * (now_v - self._off_v)
        self._follows = dt_s > 0.0

    def _follow_depth(self, soc: float) -> float:
        """Return the depth of the present half cycle: since the charge turned, more than noise."""
        depth = follow_charge(self._turns, soc, TURN_SOC)
        self.direction = -float(self._turns[DIRECTION])
        return float(depth)


def _compile_circuit(settings: ModelSettings) -> sy.CompiledFunction:
    """Return SoC and temperature to open-circuit voltage and R0 of the model: a call costs microseconds."""
    any_sy, smooth, at = cast("Any", sy), fit_cell(settings.cell), sy.symbol("at", 2)
    rows = smooth.compute_rows(at[0], any_sy.exp)
    ohm = settings.resistance * rows[R0] * smooth.scale_r0(at[1], any_sy.exp)
    values = {"values": sy.dense(any_sy.vertcat(rows[OCV], ohm))}
    return sy.CompiledFunction(sy.function("mpc_circuit", {"at": at}, values))
