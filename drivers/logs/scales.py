"""Columns wrong by a factor of 1000, or in another unit than their header says: found by what a cell can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.logs.column_names import Role
from drivers.logs.counters import count_charge, find_logged
from drivers.logs.response import judge_response

if TYPE_CHECKING:
    from drivers.logs.samples import Samples
    from drivers.logs.table import RepairJournal
    from drivers.snapshot import Floats

HIGHEST_V: Final = 1500.0  # of a pack; a greater median is in mV
LOWEST_V: Final = 0.01  # a smaller median is in kV
CELL_V: Final = 6.0  # a log with a smaller median is that of one cell
LEAST_OHM: Final = 3e-5  # of one cell; less means that the current is in mA
LEAST_MA: Final = 50.0  # a smaller current in mA is not told from one in A
COLDEST_K: Final = 200.0  # a greater median in degC is in K
HOTTEST_K: Final = 600.0  # a greater one is in thousandths
KILO: Final = (400.0, 2500.0)  # a ratio of counter and integral that means 1000
LONG_STEP: Final = 50.0  # a usual step of so many "seconds" is one of ms
RESTART: Final = 100.0  # times the usual increment of a counter; more is a restart
ZERO_CELSIUS_K: Final = 273.15


def scale_voltage(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with the voltage in V where its size shows mV or kV."""
    size = _median(samples[Role.VOLTAGE])
    scale = 1e-3 if size > HIGHEST_V else 1e3 if 0 < size < LOWEST_V else 1.0
    if scale == 1.0:
        return samples
    unit = "mV" if scale < 1 else "kV"
    return _rescale(samples, Role.VOLTAGE, scale, journal, f"has a median of {size:.4g} V: it is in {unit}")


def scale_temperature(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with the temperature in K where its size shows that it was not in the unit of its header.

    Temperatures outside -90 .. 250 degC are no readings: they are filled from those around them, or none is kept.
    """
    if Role.TEMPERATURE not in samples:
        return samples
    values = samples[Role.TEMPERATURE]
    size = float(np.nanmedian(values)) - ZERO_CELSIUS_K
    header = samples.headers[Role.TEMPERATURE]
    if size > HOTTEST_K:
        thousandth = size / 1000 if size / 1000 < COLDEST_K else size / 1000 - ZERO_CELSIUS_K
        values = (values - ZERO_CELSIUS_K) / 1000 + (ZERO_CELSIUS_K if thousandth == size / 1000 else 0.0)
        journal.count(
            "off_by_scale", 1, f"column {header} has a median of {size:.5g}: it is in thousandths, brought to K"
        )
    elif size > COLDEST_K:
        values = values - ZERO_CELSIUS_K
        journal.count("off_by_scale", 1, f"column {header} has a median of {size:.4g}: it is in K")
    return _fill_temperature(samples.put(Role.TEMPERATURE, values), journal)


def scale_current(samples: Samples, journal: RepairJournal) -> Samples:
    """Return the samples with current, time and counter in A, s and Ah where they contradict one another by 1000.

    The counter of charge and the integral of the current tell that one is wrong, the resistance which one.
    """
    response = judge_response(samples[Role.TIME], samples[Role.VOLTAGE], samples[Role.CURRENT])
    in_ma = _median(samples[Role.VOLTAGE]) < CELL_V and response.ohm < LEAST_OHM
    in_ma &= float(np.abs(samples[Role.CURRENT]).max()) > LEAST_MA
    ratio = _compare(samples)
    if KILO[0] < ratio < KILO[1]:
        steps = float(np.median(np.diff(samples[Role.TIME])))
        if in_ma or steps < LONG_STEP:
            why = f"integrates to {ratio:.4g} times what the counter says: it is in mA"
            return _rescale(samples, Role.CURRENT, 1e-3, journal, why)
        why = f"makes the current integrate to {ratio:.4g} times what the counter says: it is in ms"
        return _rescale(samples, Role.TIME, 1e-3, journal, why)
    if KILO[0] < 1 / ratio < KILO[1]:
        why = f"counts {1 / ratio:.4g} times the integral of the current: it is in mAh"
        return _rescale(samples, Role.AH, 1e-3, journal, why)
    if in_ma:
        why = f"shows a resistance of only {response.ohm:.2g} ohm: it is in mA"
        samples = _rescale(samples, Role.CURRENT, 1e-3, journal, why)
        if Role.AH in samples:
            return _rescale(samples, Role.AH, 1e-3, journal, "agrees with a current in mA: it is in mAh")
    return samples


def _compare(samples: Samples) -> float:
    """Return the integral of the size of the current as a multiple of what the counter counted; 1 where none did."""
    if Role.AH not in samples:
        return 1.0
    logged = find_logged(samples)
    rise = np.abs(np.diff(samples[Role.AH]))[logged]
    usual = rise[rise <= RESTART * (np.median(rise[rise > 0]) if (rise > 0).any() else 0.0)]
    moved = float(np.abs(count_charge(samples)[logged]).sum())
    counted = float(usual.sum())
    return moved / counted if counted > 0 and moved > 0 else 1.0


def _rescale(samples: Samples, role: Role, scale: float, journal: RepairJournal, why: str) -> Samples:
    header = samples.headers[role]
    unit = {Role.TIME: "s", Role.VOLTAGE: "V", Role.CURRENT: "A", Role.AH: "Ah"}[role]
    journal.count("off_by_scale", 1, f"column {header} {why}; multiplied by {scale:g} to {unit}")
    return samples.put(role, samples[role] * scale)


def _fill_temperature(samples: Samples, journal: RepairJournal) -> Samples:
    values = samples[Role.TEMPERATURE]
    known = (values > ZERO_CELSIUS_K - 90) & (values < ZERO_CELSIUS_K + 250)
    header = samples.headers[Role.TEMPERATURE]
    if not known.any():
        journal.count("bad_temperatures", len(values), f"column {header} holds no temperature of a cell: none is kept")
        return samples.drop(Role.TEMPERATURE)
    if known.all():
        return samples
    number = int((~known).sum())
    first = samples.locate(int(np.argmax(~known)), Role.TEMPERATURE)
    journal.count("bad_temperatures", number, f"{number} temperatures filled from those around them, first {first}")
    at = np.arange(len(values))
    return samples.put(Role.TEMPERATURE, np.interp(at, at[known], values[known]))


def _median(values: Floats) -> float:
    size = np.abs(values[np.isfinite(values) & (values != 0.0)])
    return float(np.median(size)) if len(size) else 0.0
