"""The gate beside a pack: the bench's gate on the channels of the pack's BMS, within the pack's own limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from control.gate import BenchLimits, Gate, GateConfig
from control.snapshot_builder import Wiring
from drivers import source_names
from drivers.benchfile.limits import lay_over_channels
from drivers.channel_names import (
    BMS,
    BMS_CONTACTOR,
    CELL,
    CHARGE_LIMIT,
    DISCHARGE_LIMIT,
    EDGE_CHAIN,
    PACK_CURRENT,
    SUPPLY_CURRENT,
    sensed_temperature,
    sensed_voltage,
)
from drivers.ports import Health, LinkState
from drivers.snapshot import Channel, Command, Quality

if TYPE_CHECKING:
    from drivers.benchfile import Bench
    from drivers.ports import Clock
    from drivers.snapshot import Bytes, ChannelTable, Floats

ADVERTISED_LIMITS: Final = (CHARGE_LIMIT, DISCHARGE_LIMIT)
CHAIN_LATE_S, CHAIN_LOST_S = 1.0, 5.0
CHAIN_CHANNEL: Final = Channel(EDGE_CHAIN, "1", 0.0, 1.0)
ZERO_COMMAND: Final = Command(0.0, np.empty(0), np.empty(0))


class ChainSource:
    """A source of the hard-wired chain's column, which a gate requires: a pack in the field has no such chain."""

    def __init__(self, clock: Clock) -> None:
        self.name: Final = "edge"
        self.channels: Final[tuple[Channel, ...]] = (CHAIN_CHANNEL,)
        self._clock = clock

    def read(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        values[:], sampled_s[:], quality[:] = 1.0, self._clock.now(), Quality.GOOD

    def health(self) -> Health:
        return Health(self.name, LinkState.OK)


def make_wiring(cells: int, thermistors: int) -> Wiring:
    """Make the wiring with BMS channels only: its shunt is the loop current, no channel has a cell's extra current."""
    numbers = range(1, cells + 1)
    return Wiring(
        loop_current=PACK_CURRENT,
        pack_current=PACK_CURRENT,
        cell_voltage=tuple(sensed_voltage(n) for n in numbers),
        cell_current=(),
        cell_temperature=tuple(sensed_temperature((n - 1) * thermistors // cells + 1) for n in numbers),
        contactor=BMS_CONTACTOR,
        charge_limit=ADVERTISED_LIMITS[0],
        discharge_limit=ADVERTISED_LIMITS[1],
    )


def pack_gate(bench: Bench, table: ChannelTable, wired: Wiring, *, rate_hz: float | None = None) -> Gate:
    """Make a gate: trip beyond the device limits; hold for a value past its age, a silent BMS or too much current.

    It also holds if the BMS no longer sends a limit, and the current ramps to zero. `rate_hz`: turns a second of the
    loop that calls the gate (None: the bench's rate).
    """
    limits = _read_limits(bench, table)
    needed = table.indices({PACK_CURRENT, *wired.cell_voltage, *wired.cell_temperature, *ADVERTISED_LIMITS})
    late_s = np.full(len(table), np.inf)
    late_s[needed] = table.max_age_s[needed]
    lost_s = np.full(len(table), np.inf)  # a silent BMS causes zero current, not a trip
    chain = table.index(EDGE_CHAIN)
    late_s[chain], lost_s[chain] = CHAIN_LATE_S, CHAIN_LOST_S
    spec = GateConfig(
        table=table,
        limits=limits,
        current=PACK_CURRENT,
        cell_voltage=(),
        cell_temperature=(),
        late_s=late_s,
        lost_s=lost_s,
        device=np.array([n for n, name in enumerate(table.names) if name != EDGE_CHAIN], dtype=np.intp),
        device_silent_s=bench.gate.late_ms.seconds[source_names.DUT],
        estop=chain,
        hold_ticks=bench.gate.hold_ticks(rate_hz or bench.bench.rate_hz),
        ramp_a_s=bench.gate.ramp_a_s,
        advertised=(table.index(ADVERTISED_LIMITS[0]), table.index(ADVERTISED_LIMITS[1])),
    )
    return Gate(spec, ZERO_COMMAND)


def find_bench_name(name: str) -> str:
    """Return the bench file's name of what this channel measures."""
    if name == PACK_CURRENT:
        return SUPPLY_CURRENT
    return name.removeprefix(BMS) if name.startswith(BMS + CELL) else name


def _read_limits(bench: Bench, table: ChannelTable) -> BenchLimits:
    """Return the file's device limits of the BMS's channels; where there are none, those of the bench."""
    over_channels = lay_over_channels(bench, table, called=find_bench_name, whole=False)
    of_device = np.isfinite(over_channels.device_low)
    low, high = (
        np.where(of_device, over_channels.device_low, over_channels.low),
        np.where(of_device, over_channels.device_high, over_channels.high),
    )
    lines = [
        "" if n is None else f"{bench.path.name}:{bench.document.line(('limit', n))}" for n in over_channels.numbers
    ]
    return BenchLimits(table.channels, low, high, tuple(lines))
