"""A configuration that runs beside a pack: each turn reads one BMS sample, runs the estimator and the gate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from control.gate import Held, Tripped
from control.snapshot_builder import PackView, SnapshotBuilder
from drivers.channel_names import BMS_FAULT, BMS_STATE, PACK_VOLTAGE
from drivers.jsonvalues import nan_to_null
from drivers.snapshot import Command
from edge_bridge import metrics
from edge_bridge.bundle.pack_gate import ZERO_COMMAND, ChainSource, make_wiring, pack_gate
from edge_bridge.edge.contactor_request import ContactorRequest
from edge_bridge.edge.probation import HealthSample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.gate import Verdict
    from drivers.canbus.dut import Contactor
    from drivers.canbus.dut_map import DutMap
    from drivers.ports import Clock, Source
    from drivers.snapshot import Estimate, PackReading, Snapshot
    from edge_bridge.bundle.runtime import Configuration
    from edge_bridge.edge.policy_shadow import PolicyShadow
    from edge_bridge.metrics import Scalar


class PackBms(Protocol):
    """The pack's BMS on its bus: it accepts a heartbeat and contactor requests."""

    map: DutMap

    def heartbeat(self, on: bool) -> None: ...  # noqa: FBT001  # as the driver has it

    def request(self, contactor: Contactor) -> None: ...


@dataclass(frozen=True)
class TurnResult:
    """One sample by metric name, and its health sample for a configuration on probation."""

    values: Mapping[str, Scalar]
    health: HealthSample
    tripped: str
    closed: bool


class PackRuntime:
    """The bundle's estimator and gate over one BMS."""

    def __init__(
        self,
        configured: Configuration,
        bms: PackBms,
        source: Source,
        clock: Clock,
        *,
        rate_hz: float | None = None,
        policy: PolicyShadow | None = None,
    ) -> None:
        """`bms` and `source` are one device, written and read; `rate_hz`: its turns a second (None: the bench's).

        `policy`: a promoted policy that sees every sample and acts on nothing.
        """
        bench = configured.bench
        self._bms, self._clock = bms, clock
        self._senses = SnapshotBuilder((source, ChainSource(clock)))
        wired = make_wiring(bench.pack.cells, bench.io_box.thermistors)
        self._sense = PackView(self._senses.table, wired)
        self._gate = pack_gate(bench, self._senses.table, wired, rate_hz=rate_hz)
        self._estimator = configured.estimator
        self.policy = policy
        self._contactor_request = ContactorRequest(clock.now())
        self._last_s = math.nan
        self._failed = ""
        self._is_trip_earlier = False

    def trip(self, reason: str) -> None:
        """Trip the gate: a trip of an earlier run or bundle has not been reset. It says nothing of this bundle."""
        self._gate.trip(reason)
        self._is_trip_earlier = True

    def turn(self) -> TurnResult:
        """Read the pack, update the estimate, check the gate, and send heartbeat and contactor request."""
        now_s = self._clock.now()
        dt_s = 0.0 if math.isnan(self._last_s) else now_s - self._last_s
        self._last_s = now_s
        snapshot = self._senses.build(now_s, [])
        reading, fault = self._sense.reading(snapshot), self._sense.find_unknown(snapshot)
        estimate = self._estimate(reading, 0.0 if fault else dt_s)  # with an unknown value the estimator holds
        if self.policy is not None:
            self.policy.update(reading, estimate, self._sense.allowed(snapshot), dt_s)
        closed = self._sense.contactor_closed(snapshot)
        requested = (
            Command(reading.current_a, ZERO_COMMAND.cell_voltage_v, ZERO_COMMAND.cell_temperature_k)
            if closed
            else ZERO_COMMAND
        )
        verdict = self._gate.check(snapshot, requested)
        tripped = verdict.reason if isinstance(verdict, Tripped) else ""
        self._bms.heartbeat(True)  # noqa: FBT003  # as the driver has it
        self._bms.request(self._contactor_request.update(now_s, closed=closed, tripped=bool(tripped)))
        health = HealthSample(
            estimate_fault=self._check_estimate(reading, estimate) or fault,
            trip="" if self._is_trip_earlier else tripped,
        )
        return TurnResult(_values(snapshot, reading, estimate, verdict), health, tripped, closed)

    def open_contactor(self) -> None:
        """Request an open contactor; the heartbeat goes on until the BMS is closed."""
        self._bms.request("open")

    def is_contactor_closed(self) -> bool:
        return self._sense.contactor_closed(self._senses.build(self._clock.now(), []))

    def _estimate(self, reading: PackReading, dt_s: float) -> Estimate | None:
        if self._failed:
            return None
        try:
            return self._estimator.update(reading, dt_s)
        except Exception as error:  # noqa: BLE001  # a configuration may fail in any way, the edge may not
            self._failed = f"the estimator failed: {type(error).__name__}: {error}"
            return None

    def _check_estimate(self, reading: PackReading, estimate: Estimate | None) -> str:
        """Return why the estimate cannot be used, empty if it can."""
        if estimate is None:
            return self._failed
        unknown = np.flatnonzero(~np.isfinite(reading.voltage_v))
        if unknown.size == reading.voltage_v.size:
            return "no message is received from the pack's BMS"
        if unknown.size:
            return f"the voltage of cell {unknown[0] + 1} is not known"
        invalid = np.flatnonzero(~(np.isfinite(estimate.soc) & np.isfinite(estimate.soc_std)))
        return f"the estimate of cell {invalid[0] + 1} is not a number" if invalid.size else ""


def _values(snapshot: Snapshot, reading: PackReading, estimate: Estimate | None, verdict: Verdict) -> dict[str, Scalar]:
    """Return a row's values by metric name; an unknown value is null."""
    table = snapshot.table

    def read_channel(channel: str) -> float:
        return float(snapshot.known[table.index(channel)]) if channel in table else math.nan

    word = "tripped" if isinstance(verdict, Tripped) else "held" if isinstance(verdict, Held) else "allowed"
    return {
        metrics.CURRENT: nan_to_null(reading.current_a),
        metrics.VOLTAGE: nan_to_null(read_channel(PACK_VOLTAGE)),
        metrics.SOC: None if estimate is None else nan_to_null(estimate.pack_soc),
        metrics.SOC_STD: None if estimate is None else nan_to_null(float(np.mean(estimate.soc_std))),
        metrics.CELL_MIN: nan_to_null(float(np.fmin.reduce(reading.voltage_v))),
        metrics.CELL_MAX: nan_to_null(float(np.fmax.reduce(reading.voltage_v))),
        metrics.TEMPERATURE: nan_to_null(float(np.fmax.reduce(reading.temperature_k))),
        metrics.BMS_STATE: _whole(read_channel(BMS_STATE)),
        metrics.BMS_FAULT: _whole(read_channel(BMS_FAULT)),
        metrics.VERDICT: word,
        metrics.VERDICT_REASON: str(getattr(verdict, "reason", "")),
        **_health(estimate),
    }


def _health(estimate: Estimate | None) -> dict[str, Scalar]:
    """Return the pack's health by metric name; null where it is not known yet, or the estimator does not tell it."""
    if estimate is None or estimate.soh is None:
        return dict.fromkeys(metrics.HEALTH)
    return dict(zip(metrics.HEALTH, map(nan_to_null, estimate.soh.describe_pack()), strict=True))


def _whole(value: float) -> int | None:
    return int(value) if math.isfinite(value) else None
