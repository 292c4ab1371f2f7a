"""The channels of a fake bench and plausible rows for them."""

from __future__ import annotations

import numpy as np

from control.shadow.scores import OF_SHADOW
from control.tick import OF_HEALTH
from drivers.snapshot import Channel, ChannelTable, Floats
from workbench.session.status import LaneInfo

CELLS = 24
HZ = 100.0
LANES = (
    LaneInfo("twin", "SPMe pack", active=True),
    LaneInfo("twin", "ECM pack", active=False),
    LaneInfo("twin", "DFN, cell 1", active=False),
    LaneInfo("estimator", "EKF", active=True),
    LaneInfo("estimator", "Coulomb counting", active=False),
    LaneInfo("controller", "Profile", active=True),
    LaneInfo("controller", "CC-CV", active=False),
    LaneInfo("controller", "MPC", active=False),
    LaneInfo("controller", "RL", active=False),
)

SCORES = {"Profile": (4.6e-6, 4.7e-6), "MPC": (4.5e-6, 4.6e-6), "RL": (5.3e-6, 4.9e-6)}  # EUR a second


def table() -> tuple[ChannelTable, int]:
    cells = [f"cell_{n:02d}" for n in range(1, CELLS + 1)]
    measured = [Channel(f"{cell}/voltage", "V") for cell in cells]
    measured += [Channel(f"{cell}/current", "A") for cell in cells]
    measured += [Channel(f"supply/{name}", unit) for name, unit in (("output", "1"), ("voltage", "V"))]
    measured += [Channel("supply/current", "A"), Channel("supply/power", "W")]
    bms = ("state", "fault", "fault_cell", "soc", "pack_voltage", "link_voltage", "pack_current", "contactor")
    units = {"soc": "1", "pack_voltage": "V", "link_voltage": "V", "pack_current": "A"}
    measured += [Channel(f"bms/{name}", units.get(name, "1")) for name in (*bms, "balancing")]
    measured += [Channel("bms/charge_limit", "A"), Channel("bms/discharge_limit", "A")]
    measured += [Channel(f"bms/{cell}/voltage", "V") for cell in cells]
    measured += [Channel(f"bms/temperature_{n}", "K") for n in range(1, 9)]
    measured += [Channel(f"io/{name}", "1") for name in ("estop", "contactor", "bms_power")]
    measured += [Channel(f"io/thermistor_{n}", "K") for n in range(1, 9)]
    derived = [Channel("loop/late", "s"), Channel("loop/turn", "s")]
    derived += [Channel("gate/verdict", "1"), Channel("gate/ticks_left", "1")]
    derived += [Channel("command/current", "A"), Channel("allowed/current", "A")]
    for lane in LANES:
        path = f"{lane.role}/{lane.name}"
        if lane.role == "twin":
            own = cells[:1] if "cell 1" in lane.name else cells
            for what, unit in (("voltage", "V"), ("temperature", "K"), ("soc", "1")):
                derived += [Channel(f"{path}/{cell}/{what}", unit) for cell in own]
            derived += [Channel(f"{path}/age", "s")]
        elif lane.role == "estimator":
            derived += [Channel(f"{path}/{cell}/{what}", "1") for what in ("soc", "soc_std") for cell in cells]
            derived += [Channel(f"{path}/{what}", "1") for what in ("soc", "soc_std", *OF_HEALTH)]
        else:
            derived += [Channel(f"{path}/current", "A"), Channel(f"{path}/cost", "1")]
            derived += [Channel(f"{path}/{what}", "1") for what in ("violations", "interventions", "fallback")]
            derived += [Channel(f"{path}/{what}", unit) for what, unit in (*OF_SHADOW, ("shadow_age", "s"))]
        derived += [Channel(f"{path}/step", "s")]
    derived += [Channel("bench/state", "1")]
    return ChannelTable((*measured, *derived)), len(measured)


class Plant:
    """Rows of the fake bench at any time since its start."""

    def __init__(self, channels: ChannelTable) -> None:
        self._at = {name: column for column, name in enumerate(channels.names)}
        self._noise = np.random.default_rng(24)
        self._soc = 0.62 + 0.01 * self._noise.standard_normal(CELLS)
        self._volts_off = 0.006 * self._noise.standard_normal(CELLS)
        self._volts_off[6] = -0.025
        self._columns = {
            key: np.array([self._at[key.format(n)] for n in range(1, CELLS + 1)])
            for key in (
                "cell_{:02d}/voltage", "cell_{:02d}/current", "bms/cell_{:02d}/voltage",
                "twin/SPMe pack/cell_{:02d}/voltage", "twin/ECM pack/cell_{:02d}/voltage",
                "twin/SPMe pack/cell_{:02d}/soc", "twin/ECM pack/cell_{:02d}/soc",
            )
        }  # fmt: skip

    @staticmethod
    def amps(t: float) -> float:
        phase = t % 60.0
        if phase < 8.0:
            return 0.0
        if phase < 22.0:
            return 30.0
        if phase < 30.0:
            return -12.0
        return 25.0 + (6.0 * np.sin((phase - 30.0) / 1.4) if phase < 44.0 else 0.0)

    def _score(self, values: Floats, name: str, t: float) -> None:
        """Fill the shadow score: it comes every half second, and CC-CV has none."""
        if name not in SCORES:
            return
        step, (opened, closed) = 0.5 * int(2.0 * t), SCORES[name]
        wave = 1.0 + 0.1 * np.sin(step / 3.0)
        more = float(step > 20.0) if name == "RL" else 0.0
        score = (opened * step * wave, 0.0, more * int(step / 4.0), closed * step * wave, 0.0, more * int(step / 5.0))
        for (what, _), value in zip((*OF_SHADOW, ("shadow_age", "s")), (*score, t - step), strict=True):
            values[self._at[f"controller/{name}/{what}"]] = value

    def row(self, t: float) -> Floats:  # one line a column
        values = np.full(len(self._at), np.nan)
        at, noise, amps = self._at, self._noise, float(self.amps(t))
        soc = self._soc - t * 25.0 / 60.0 / 3600.0
        volts = 3.50 + 0.25 * soc - 0.0012 * amps + self._volts_off + 0.01 * np.sin(t / 9.0)
        spme = volts + 2e-4 * noise.standard_normal(CELLS)
        values[self._columns["cell_{:02d}/voltage"]] = volts
        values[self._columns["cell_{:02d}/current"]] = 0.002 * noise.standard_normal(CELLS)
        values[self._columns["bms/cell_{:02d}/voltage"]] = np.round(volts / 0.00125) * 0.00125
        values[self._columns["twin/SPMe pack/cell_{:02d}/voltage"]] = spme
        values[self._columns["twin/ECM pack/cell_{:02d}/voltage"]] = spme - 0.004 - 0.0001 * amps
        values[self._columns["twin/SPMe pack/cell_{:02d}/soc"]] = soc
        values[self._columns["twin/ECM pack/cell_{:02d}/soc"]] = soc
        values[at["twin/DFN, cell 1/cell_01/voltage"]] = spme[0] + 0.002 + 0.0004 * np.sin(t / 3.0)
        values[at["twin/DFN, cell 1/cell_01/soc"]] = soc[0]
        for name, value in (
            ("supply/output", 1.0), ("supply/voltage", 11.6), ("supply/current", amps + 0.02 * noise.standard_normal()),
            ("supply/power", 11.6 * amps), ("bms/state", 3.0), ("bms/fault", 0.0), ("bms/fault_cell", 0.0),
            ("bms/soc", 0.618), ("bms/pack_voltage", float(volts.sum())), ("bms/link_voltage", 86.9),
            ("bms/pack_current", amps), ("bms/contactor", 1.0), ("bms/balancing", 0.0), ("bms/charge_limit", 35.0),
            ("bms/discharge_limit", 60.0), ("io/estop", 1.0), ("io/contactor", 1.0), ("io/bms_power", 1.0),
            ("loop/late", 1e-4), ("loop/turn", 2e-3), ("gate/verdict", 0.0), ("gate/ticks_left", 0.0),
            ("command/current", amps), ("allowed/current", amps), ("bench/state", 3.0),
            ("estimator/EKF/soh", 0.873), ("estimator/EKF/soh_std", 0.012), ("estimator/EKF/soh_min", 0.81),
            ("estimator/EKF/resistance_growth", 1.24), ("estimator/EKF/resistance_growth_std", 0.05),
            ("estimator/EKF/soc", float(soc.mean()) + 0.005), ("estimator/EKF/soc_std", 0.008),
            ("estimator/Coulomb counting/soc", float(soc.mean()) + 0.016), ("estimator/Coulomb counting/soc_std", 0.0),
            ("controller/Profile/current", amps), ("controller/CC-CV/current", 30.0),
            ("controller/MPC/current", amps * 0.97 + 0.5), ("controller/Profile/cost", 0.83),
            ("controller/CC-CV/cost", 1.0), ("controller/MPC/cost", 0.71), ("controller/RL/cost", 0.74),
            ("controller/RL/current", amps * 0.94 + 0.8 * np.sin(t / 2.0)),
        ):  # fmt: skip
            values[at[name]] = value
        for lane, step in zip(LANES, (7.1e-4, 3e-6, 2.6e-3, 1.9e-4, 1e-6, 2e-6, 1e-6, 1.4e-3, 4e-5), strict=True):
            values[at[f"{lane.role}/{lane.name}/step"]] = step
            if lane.role == "controller":
                shielded = lane.name == "RL"
                values[at[f"{lane.role}/{lane.name}/violations"]] = float(int(t / 40.0)) if shielded else 0.0
                values[at[f"{lane.role}/{lane.name}/interventions"]] = float(int(t / 7.0)) if shielded else 0.0
                values[at[f"{lane.role}/{lane.name}/fallback"]] = 0.0
                self._score(values, lane.name, t)
        for n in range(1, 9):
            kelvin = 300.0 + 0.35 * n + 0.01 * (t % 300.0)
            values[at[f"bms/temperature_{n}"]] = round(kelvin, 1)
            values[at[f"io/thermistor_{n}"]] = kelvin
        return values
