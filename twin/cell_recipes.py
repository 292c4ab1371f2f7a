"""What the shipped cell files are made from: parameter sets of PyBaMM, each scaled to 5 Ah."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

SCHMALSTIEG: Final = {  # Schmalstieg et al. 2014, linearised by `twin.wear` at the reference age
    "cell_ah": 2.05,
    "calendar_per_v": 7.543e6,
    "calendar_at_0_v": -23.75e6,
    "calendar_k": 6976.0,
    "cycling_per_v2": 7.348e-3,
    "cycling_v": 3.667,
    "cycling_least": 7.6e-4,
    "cycling_per_depth": 4.081e-3,
    "reference_days": 1095.0,
    "reference_cycles": 500.0,  # equivalent full cycles
}
SCHMALSTIEG_SOURCE: Final = "Schmalstieg et al. 2014, J. Power Sources 257, 325-334: NMC against graphite, 2.05 Ah"


class Recipe(NamedTuple):
    """One shipped cell: what is declared; circuit, estimator and plating are then simulated.

    `nominal_ah`: of the parameter set; the file is scaled to `SHIPPED_AH`. `heat`: J/K and W/K of the shipped cell
    where the set has none, else None. `plating`: whether a table of anode potentials is made. `pulses`: the currents
    of the pulse tests over their usual ones.
    """

    chemistry: str
    parameter_set: str
    nominal_ah: float
    voltage_v: tuple[float, float]
    temperature_degc: tuple[float, float]
    charge_c: float
    discharge_c: float
    bms: dict[str, Any]
    limits_source: str
    physics_source: str
    lacks: tuple[str, ...] = ()
    heat: tuple[float, float, str] | None = None
    wear: bool = False
    plating: bool = False
    model: str = "SPMe"
    pulses: float = 1.0


def make_bms(
    voltage_v: tuple[float, float],
    temperature_degc: tuple[float, float],
    charge_c: float,
    discharge_c: float,
    balance_above_v: float,
) -> dict[str, Any]:
    """Return the table `[bms]`."""
    return {
        "voltage_v": voltage_v,
        "temperature_degc": temperature_degc,
        "charge_c": charge_c,
        "discharge_c": discharge_c,
        "balance_above_v": balance_above_v,
    }


SHIPPED_AH: Final = 5.0
_SET_LIMITS: Final = (
    "voltage: the cut-offs of the parameter set; temperature and rates: usual for this chemistry, of no one maker"
)
_NO_AGEING: Final = "ageing parameters of its own"

RECIPES: Final = {
    "chen2020": Recipe(
        "NMC",
        "Chen2020",
        5.0,
        (2.5, 4.2),
        (-10.0, 55.0),
        2.0,
        1.5,
        make_bms((2.8, 4.25), (-20.0, 55.0), 1.0, 1.0, 3.3),
        "voltage and discharge: data sheet of the LG INR21700-M50; charge: the range of the plating table (the data "
        "sheet warrants 0.7 C)",
        "Chen et al. 2020, J. Electrochem. Soc. 167, 080534: LG M50, NMC 811 against graphite with SiOx",
        lacks=(_NO_AGEING,),
        wear=True,
        plating=True,
    ),
    "mohtat2020": Recipe(
        "NMC",
        "Mohtat2020",
        5.0,
        (2.8, 4.2),
        (-10.0, 55.0),
        1.0,
        2.0,
        make_bms((3.0, 4.25), (-20.0, 55.0), 1.0, 1.0, 3.6),
        _SET_LIMITS,
        "Mohtat et al. 2020, J. Electrochem. Soc. 167, 110561: pouch cell, NMC 532 against graphite",
        lacks=(_NO_AGEING,),
        wear=True,
    ),
    "prada2013": Recipe(
        "LFP",
        "Prada2013",
        2.3,
        (2.0, 3.6),
        (-20.0, 60.0),
        1.0,
        2.0,
        make_bms((2.3, 3.65), (-20.0, 60.0), 1.0, 1.0, 3.37),
        _SET_LIMITS,
        "Prada et al. 2013, J. Electrochem. Soc. 160, A616: LFP against graphite, 2.3 Ah",
        lacks=("heat capacity and cooling", "dependence on temperature", _NO_AGEING),
        heat=(152.0, 0.2, "70 g and 1000 J/kg/K of an A123 ANR26650 of 2.3 Ah, and 0.09 W/K in still air; scaled"),
    ),
    "marquis2019": Recipe(
        "LCO",
        "Marquis2019",
        0.680616,
        (3.105, 4.1),
        (-10.0, 50.0),
        1.0,
        2.0,
        make_bms((3.2, 4.15), (-20.0, 50.0), 1.0, 1.0, 3.8),
        _SET_LIMITS,
        "Marquis et al. 2019, J. Electrochem. Soc. 166, A3693: Kokam SLPB78205130H, LCO against graphite",
        lacks=(_NO_AGEING,),
    ),
    "nca_kim2011": Recipe(
        "NCA",
        "NCA_Kim2011",
        0.43,
        (2.7, 4.2),
        (-10.0, 55.0),
        1.0,
        2.0,
        make_bms((2.9, 4.25), (-20.0, 55.0), 1.0, 1.0, 3.5),
        _SET_LIMITS,
        "Kim et al. 2011, J. Electrochem. Soc. 158, A955: NCA against graphite",
        lacks=(_NO_AGEING,),
    ),
    "chayambuka2022": Recipe(
        "Na-ion",
        "Chayambuka2022",
        0.003,
        (2.0, 4.2),
        (-10.0, 50.0),
        0.5,
        1.0,
        make_bms((2.2, 4.25), (-20.0, 50.0), 0.2, 0.5, 3.4),
        _SET_LIMITS,
        "Chayambuka et al. 2022, Electrochim. Acta 404, 139764: NVPF against hard carbon, 3 mAh",
        lacks=("heat capacity and cooling", "dependence on temperature", _NO_AGEING),
        heat=(123.0, 0.15, "37 g and 1000 J/kg/K of an 18650 sodium-ion cell of 1.5 Ah, scaled; cooling assumed"),
        model="BasicDFN",
        pulses=0.5,  # its overpotential grows less than the current: what its BMS allows, not twice that
    ),
}
