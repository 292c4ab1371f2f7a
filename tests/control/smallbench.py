"""A bench of two cells for the gate: builders with everything in order, from which a test departs in one thing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from control import gate as real_gate
from drivers.snapshot import Channel, ChannelTable, Command, Quality, Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

CELLS = ("cell_01/voltage", "cell_02/voltage")
TABLE = ChannelTable(
    (
        Channel("cell_01/voltage", "V"),
        Channel("cell_02/voltage", "V"),
        Channel("supply/current", "A"),
        Channel("io/estop", "1"),
        Channel("bms/state", "1"),
        Channel("bms/temperature_1", "K"),
        Channel("bms/charge_limit", "A"),
        Channel("bms/discharge_limit", "A"),
    )
)
LOW = np.array([0.5, 0.5, -80.0, -np.inf, -np.inf, 238.0, -np.inf, -np.inf])
HIGH = np.array([5.0, 5.0, 80.0, np.inf, np.inf, 343.0, np.inf, np.inf])
VALUES = np.array([3.7, 3.8, 1.0, 1.0, 3.0, 298.0, 30.0, 40.0])
LATE_S = np.array([0.04, 0.04, 0.16, 0.4, np.inf, np.inf, np.inf, np.inf])
LOST_S = np.array([0.25, 0.25, 0.5, 1.5, np.inf, np.inf, np.inf, np.inf])
DECLARED = ("hil24.toml:58",) * 2 + ("hil24.toml:70", "", "", "hil24.toml:80", "", "")
HOLD_TICKS = 3
PERIOD_S = 0.01
RAMP_A_S = 100.0


def command(current_a: float = 10.0, volts: tuple[float, ...] = (3.7, 3.8), kelvin: float = 298.0) -> Command:
    return Command(current_a, np.array(volts), np.full(2, kelvin))


@dataclass
class SmallBench:
    """The gate of `module` (a mutant in the mutation test) and snapshots for it, one period apart."""

    module: ModuleType = field(default_factory=lambda: real_gate)
    t_s: float = 100.0

    def spec(self, **changes: Any) -> Any:
        limits = self.module.BenchLimits(TABLE.channels, LOW, HIGH, DECLARED)
        spec = self.module.GateConfig(
            table=TABLE,
            limits=limits,
            current="supply/current",
            cell_voltage=CELLS,
            cell_temperature=("bms/temperature_1",) * 2,
            late_s=LATE_S,
            lost_s=LOST_S,
            device=TABLE.indices(["bms/state", "bms/temperature_1"]),
            device_silent_s=0.3,
            estop=TABLE.index("io/estop"),
            hold_ticks=HOLD_TICKS,
            ramp_a_s=RAMP_A_S,
        )
        return replace(spec, **changes)

    def gate(self, **changes: Any) -> Any:
        return self.module.Gate(self.spec(**changes), command(0.0))

    def snapshot(
        self,
        values: Mapping[str, float] | None = None,
        ages_s: Mapping[str, float] | None = None,
        after_s: float = PERIOD_S,
    ) -> Snapshot:
        """The next instant; `values` and `ages_s` depart from what is in order."""
        self.t_s += after_s
        now, sampled_s = VALUES.copy(), np.full(len(TABLE), self.t_s)
        for name, value in (values or {}).items():
            now[TABLE.index(name)] = value
        for name, age_s in (ages_s or {}).items():
            sampled_s[TABLE.index(name)] = self.t_s - age_s
        return Snapshot(TABLE, self.t_s, now, sampled_s, np.full(len(TABLE), Quality.GOOD, dtype=np.uint8))

    def verdict(self, gate: Any, asked: Command | None = None, **departs: Any) -> Any:
        return gate.check(self.snapshot(**departs), command() if asked is None else asked)

    def held(self, verdict: Any, *words: str) -> bool:
        return isinstance(verdict, self.module.Held) and all(word in verdict.reason for word in words)

    def tripped(self, verdict: Any, *words: str) -> bool:
        return isinstance(verdict, self.module.Tripped) and all(word in verdict.reason for word in words)

    def allowed(self, verdict: Any) -> bool:
        return isinstance(verdict, self.module.Allowed)


def just_above(x: float) -> float:
    return math.nextafter(x, math.inf)


def just_below(x: float) -> float:
    return math.nextafter(x, -math.inf)
