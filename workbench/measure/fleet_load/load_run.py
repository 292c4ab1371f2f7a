"""What is done to a fleet under load: wait until it is steady, measure it, kill a part of it, count its rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.clock import monotonic
from workbench.measure.fleet_load.bare_subscriber import BareSubscriber, find_program
from workbench.measure.fleet_load.fleet_stack import read_cpu_s, read_memory_mb
from workbench.measure.fleet_load.load_fleet import CONNECTS_PER_S
from workbench.measure.fleet_load.stored_rows import count_rows

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats
    from workbench.measure.fleet_load.api_subscriber import ApiSubscriber
    from workbench.measure.fleet_load.fleet_stack import FleetStack, Part
    from workbench.measure.fleet_load.load_process import LoadProcess
    from workbench.measure.fleet_load.stored_rows import RowBalance

LOOK_S: Final = 0.1
SETTLE_S: Final = 45.0  # after all devices could be connected
PATIENCE_S: Final = 120.0
FULL: Final = 0.95  # share of the rate that counts as the former one


@dataclass(frozen=True, slots=True)
class SteadyFigures:
    """Delays in s and what was used in the time of the measurement."""

    api_s: Floats
    commit_s: Floats
    broker_s: Floats
    rows: int
    core_us: dict[str, float]  # of a row, by process
    host_mb: float
    skipped: int


class LoadRun:
    """One store under one load, with a client of the API; `folder` is scratch.

    Steady is what stays so for `steady_s`.
    """

    def __init__(
        self,
        stack: FleetStack,
        store: str,
        load: LoadProcess,
        subscriber: ApiSubscriber,
        *,
        folder: Path,
        steady_s: float,
    ) -> None:
        self._stack, self._store, self._load, self._api = stack, store, load, subscriber
        self._folder, self._steady_s = folder, steady_s

    def settle(self) -> bool:
        """Wait until all devices are acknowledged at their rate; return False if that does not come about."""
        until_s, since_s = monotonic() + SETTLE_S + self._load.devices / CONNECTS_PER_S, monotonic()
        while monotonic() < until_s:
            state = self._load.read_state()
            is_steady = state.born == self._load.devices and state.waiting <= self._load.devices
            if not is_steady or state.acknowledged_per_s < FULL * self._load.devices:
                since_s = monotonic()
            elif monotonic() - since_s >= self._steady_s:
                return True
            time.sleep(LOOK_S)
        return False

    def measure(self, seconds: float) -> SteadyFigures:
        """Measure the steady load for so long."""
        program = find_program()
        bare = BareSubscriber(program, self._stack.broker.port, self._load.devices, self._folder) if program else None
        try:
            time.sleep(self._steady_s)
            if bare is not None:
                bare.begin()
            before, skipped = self._read_cpu_s(), self._load.read_state().skipped
            self._api.take_delays()
            self._load.take_delays()
            time.sleep(seconds)
            api_s, commit_s = self._api.take_delays(), self._load.take_delays()
            after, host_mb = self._read_cpu_s(), read_memory_mb(self._stack.pids["host"])
        finally:
            broker_s = bare.stop() if bare is not None else np.zeros(0)
        rows = max(1, len(commit_s))
        core_us = {name: 1e6 * (after[name] - before[name]) / rows for name in after}
        skipped = self._load.read_state().skipped - skipped
        return SteadyFigures(api_s, commit_s, broker_s, len(commit_s), core_us, host_mb, skipped)

    def kill(self, part: Part, pause_s: float) -> float:
        """Kill a part and start it after `pause_s`; return the seconds until all devices are acknowledged again.

        That is when each device has an acknowledged row that was made after the kill, at the former rate.
        """
        killed_s = monotonic()
        self._stack.kill(part)
        self._stack.start_again(part, pause_s)
        while (passed_s := monotonic() - killed_s) < PATIENCE_S:
            state = self._load.read_state()
            if state.proven_s > killed_s and state.acknowledged_per_s >= FULL * self._load.devices:
                return monotonic() - killed_s
            time.sleep(LOOK_S)
        return passed_s

    def count(self) -> RowBalance:
        """Let the devices make no new rows until all are acknowledged, count the tables, go on."""
        self._load.hold()
        until_s = monotonic() + PATIENCE_S
        while self._load.read_state().waiting and monotonic() < until_s:
            time.sleep(LOOK_S)
        found = count_rows(self._store, self._load.read_produced())
        self._load.resume()
        return found

    def _read_cpu_s(self) -> dict[str, float]:
        return read_cpu_s({**self._stack.pids, "devices": self._load.pid, "client": self._api.pid})
