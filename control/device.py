"""Behaviour of the device under test, as far as the checklist needs it."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.channel_names import BMS_FAULT


@dataclass(frozen=True, slots=True)
class DeviceBehaviour:
    """Times in s, and what the device reports of itself.

    `settle_s`: from a changed cell voltage to its report; `current_s`: the same for a current; `healthy_s`: from live
    cells to no fault; `close_s`: from the request to the closed contact. The device is without fault while
    `health_channel` reads one of `healthy`; `balances`: it reports which cells it balances.
    """

    settle_s: float = 0.3
    current_s: float = 0.3
    healthy_s: float = 2.0
    close_s: float = 2.0
    health_channel: str = BMS_FAULT
    healthy: tuple[float, ...] = (0.0,)
    balances: bool = True
