"""What a bench file need not say, as it follows from its cell: device limits, and the thresholds of an emulated BMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from drivers.benchfile.units import to_si
from drivers.channel_names import SUPPLY_CURRENT, cell_voltage, sensed_temperature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.benchfile.cell_file import Cell
    from drivers.benchfile.document import Document
    from drivers.benchfile.model import Bench, LimitSection, Pack
    from drivers.errors import BenchFileError

RECOVERS_V: Final = 0.10  # above the undervoltage threshold
RECOVERS_K: Final = 5.0
RECOVERS_A: Final = 1.0
CHARGE_SHARE, DISCHARGE_SHARE = 0.75, 11.0 / 12.0  # of the threshold: what the BMS allows
# advertised currents end before the protection: all and nothing left, so far within the threshold
FULL_TAPER_V, EMPTY_TAPER_V = (0.09, 0.02), (0.25, 0.05)
HOT_TAPER_K: Final = (9.0, 1.0)
CHARGE_COLD_K, DISCHARGE_COLD_K = (30.0, 15.0), (20.0, 0.0)  # above the low threshold
REST_SOC: Final = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_DEGC: Final = "degC"


class DeviceRange(NamedTuple):
    """What a device of the cell keeps (`bounds`), and the widest that the cell bears (`widest`), in `unit`."""

    channels: tuple[str, ...]
    unit: str
    bounds: tuple[float, float]
    widest: tuple[float, float]


def list_ranges(cell: Cell, pack: Pack, sensors: int) -> tuple[DeviceRange, ...]:
    """Return the device limits of a pack of the cell, with so many temperature sensors."""
    element_ah = pack.element_ah
    voltages = tuple(map(cell_voltage, range(1, pack.cells + 1)))
    limits, bms = cell.file.limits, cell.file.bms
    rated = (-bms.charge_c * element_ah, bms.discharge_c * element_ah)
    borne = (-limits.charge_c * element_ah, limits.discharge_c * element_ah)
    return (
        DeviceRange(voltages, "V", bms.voltage_v, _widen(limits.voltage_v, bms.voltage_v)),
        DeviceRange((SUPPLY_CURRENT,), "A", rated, _widen(borne, rated)),
        DeviceRange(
            tuple(map(sensed_temperature, range(1, sensors + 1))),
            _DEGC,
            bms.temperature_degc,
            _widen(limits.temperature_degc, bms.temperature_degc),
        ),
    )


def _widen(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), max(one[1], other[1])


def fill_limits(limits: tuple[LimitSection, ...], ranges: tuple[DeviceRange, ...]) -> tuple[LimitSection, ...]:
    """Return the rows with the cell's device limits where no row states one for the channel."""
    stated = [row for row in limits if row.device is not None]
    filled = list(limits)
    for found in ranges:
        silent = [channel for channel in found.channels if not any(row.has_channel(channel) for row in stated)]
        for number, row in enumerate(limits):
            if row.device is None and any(map(row.has_channel, silent)):
                filled[number] = row.model_copy(update={"device": _express(found, row.unit)})
    return tuple(filled)


def _express(found: DeviceRange, unit: str) -> tuple[float, float]:
    """Return the bounds in the unit of a row: as they are, or in SI times the row's own scale."""
    if unit == found.unit:
        return found.bounds
    zero, one = to_si(0.0, unit), to_si(1.0, unit)
    low, high = ((to_si(bound, found.unit) - zero) / (one - zero) for bound in found.bounds)
    return low, high


def list_beyond_cell(bench: Bench, ranges: tuple[DeviceRange, ...]) -> Iterator[BenchFileError]:
    """Yield an error for each stated device limit that the cell does not bear, with both numbers."""
    for number, row in enumerate(bench.limit):
        for found in ranges:
            if (
                row.device is None
                or not any(map(row.has_channel, found.channels))
                or not _is_stated(bench.document, number)
            ):
                continue
            for side, (stated, bears) in enumerate(zip(row.device, found.widest, strict=True)):
                inside, bound = to_si(stated, row.unit), to_si(bears, found.unit)
                if inside < bound - 1e-9 if side == 0 else inside > bound + 1e-9:
                    what = (
                        f"= {stated:g} {row.unit} is {('below', 'above')[side]} the {bears:g} {found.unit} "
                        f"that {bench.cell.file.name} bears"
                    )
                    hint = f"{('raise', 'lower')[side]} it, or name another cell in [pack]"
                    at = ("limit", number, "device", side)
                    yield bench.document.mistake(at, what, value=stated, bound=f"{bears:g} {found.unit}", hint=hint)


def _is_stated(document: Document, number: int) -> bool:
    rows: Any = document.values.get("limit")
    return isinstance(rows, list) and "device" in cast("list[Any]", rows)[number]


def make_thresholds(cell: Cell, element_ah: float) -> dict[str, dict[str, Any]]:
    """Return the tables of a BMS's sheet that follow from the cell, for series elements of `element_ah` (Ah)."""
    limits, bms = cell.file.limits, cell.file.bms
    (low_v, high_v), (low_c, high_c) = bms.voltage_v, bms.temperature_degc
    charge_a, discharge_a = bms.charge_c * element_ah, bms.discharge_c * element_ah
    return {
        "pack": {"capacity_ah": element_ah},
        "cell_overvoltage": _protect("V", high_v, min(limits.voltage_v[1], high_v)),
        "cell_undervoltage": _protect("V", low_v, low_v + RECOVERS_V),
        "overcurrent_charge": _protect("A", charge_a, RECOVERS_A),
        "overcurrent_discharge": _protect("A", discharge_a, RECOVERS_A),
        "overtemperature": _protect(_DEGC, high_c, high_c - RECOVERS_K),
        "undertemperature": _protect(_DEGC, low_c, low_c + RECOVERS_K),
        "balancing": {"above_v": bms.balance_above_v},
        "rest": _list_rest_voltages(cell),
        "limits": {
            "charge_a": CHARGE_SHARE * charge_a,
            "discharge_a": DISCHARGE_SHARE * discharge_a,
            "charge_taper_v": [high_v - part for part in FULL_TAPER_V],
            "discharge_taper_v": [low_v + part for part in EMPTY_TAPER_V],
            "charge_cold_degc": [low_c + part for part in CHARGE_COLD_K],
            "discharge_cold_degc": [low_c + part for part in DISCHARGE_COLD_K],
            "hot_degc": [high_c - part for part in HOT_TAPER_K],
        },
    }


def _list_rest_voltages(cell: Cell) -> dict[str, Any]:
    """Return the coarse table that a BMS has of its cell: the voltage at rest over state of charge."""
    ocv_v = (cell.file.estimator or cell.file.circuit).ocv_v
    places = [soc * (len(ocv_v) - 1) for soc in REST_SOC]
    lefts = [min(int(place), len(ocv_v) - 2) for place in places]
    rests = [
        ocv_v[left] + (place - left) * (ocv_v[left + 1] - ocv_v[left])
        for place, left in zip(places, lefts, strict=True)
    ]
    return {"soc": list(REST_SOC), "ocv_v": [round(value, 4) for value in rests]}


def _protect(unit: str, limit: float, recover: float) -> dict[str, Any]:
    return {"unit": unit, "limit": round(limit, 6), "recover": round(recover, 6)}
