"""The rules by which a certification reads and controls the device under test, from its device map alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from drivers.channel_names import BMS_FAULT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.canbus.dut_map import DutMap


@dataclass(frozen=True)
class DeviceRules:
    """`faults` and `states`: words by number. The device has no fault while channel `health` reads one of `healthy`.

    `recovery`: the request that makes it leave a fault. Times in s: until it has no fault (`healthy_s`), one try of a
    reset (`try_s`) or a close (`close_s`), the longest opening (`open_s`), from the end of a cause to its cleared flag
    (`clear_s`).
    """

    faults: Mapping[int, str]
    states: Mapping[int, str]
    health: str
    healthy: tuple[float, ...]
    recovery: str
    heartbeat: bool
    healthy_s: float
    try_s: float
    close_s: float
    open_s: float
    clear_s: float

    @classmethod
    def of(cls, mapped: DutMap) -> Self:
        """Return the rules of one device map."""
        file, times = mapped.file, mapped.file.times
        return cls(
            faults=mapped.words(BMS_FAULT),
            states=mapped.words(file.health.channel),
            health=file.health.channel,
            healthy=mapped.healthy,
            recovery=file.request.recovery,
            heartbeat=file.heartbeat is not None,
            healthy_s=times.healthy_ms / 1e3,
            try_s=times.try_ms / 1e3,
            close_s=max(times.try_ms, times.close_ms) / 1e3,
            open_s=times.open_ms / 1e3,
            clear_s=times.clear_ms / 1e3,
        )
