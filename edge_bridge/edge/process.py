"""The loop of an edge: each turn reads the pack, stores a row and sends; the network cannot block it."""

from __future__ import annotations

import math
import secrets
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.canbus.dut import Dut
from drivers.canbus.dut_map import read_dut_map
from drivers.state_file import DamagedFile, MissingFile, read_state, read_whole, remove, write_state
from edge_bridge import metrics
from edge_bridge.bundle.verify import Acceptance
from edge_bridge.edge.download import Download
from edge_bridge.edge.installer import BundleInstaller
from edge_bridge.edge.node import EdgeNode
from edge_bridge.edge.outbox import Outbox
from edge_bridge.edge.pack_runtime import PackRuntime
from edge_bridge.edge.policy_shadow import make_policy_shadow
from edge_bridge.edge.probation import HealthSample
from edge_bridge.edge.slots import Slots
from edge_bridge.edge.startup import start_configuration
from edge_bridge.edge.trip_file import TripFile
from edge_bridge.edge.update_flow import UpdateFlow
from edge_bridge.edge.uplink import Uplink
from edge_bridge.mqtt import MqttLink
from edge_bridge.sparkplug.wire import SEQ_COUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_bridge.bundle.runtime import Configuration
    from edge_bridge.edge.clocks import MachineClocks
    from edge_bridge.edge.metrics_export import EdgeFigures, EdgeMetrics
    from edge_bridge.edge.pack_runtime import TurnResult
    from edge_bridge.edge.settings import EdgeSettings
    from edge_bridge.metrics import Scalar

BOOT_BYTES: Final = 8
MAX_LATE_S: Final = 1.0  # a loop that is later than this goes on from now and does not catch up
POLL_S: Final = 0.05
MEASURE_S: Final = 1.0
SHUTDOWN_S: Final = 2.0  # for the contactor to open, and for the last acknowledgements


@dataclass(frozen=True)
class EdgeResult:
    """The result of an edge over all its boots; `boots` has the highest row number of each."""

    produced: int
    stored: int
    evicted: int
    damaged: int
    depth: int
    boots: dict[str, int]
    bundle: dict[str, str]
    outage_s: float
    refused: dict[str, int]


class Edge:
    """One edge with all its parts; call `run` until a stop is requested, then `close`."""

    def __init__(
        self,
        settings: EdgeSettings,
        clocks: MachineClocks,
        log: Callable[[str], None],
        *,
        make_outbox: type[Outbox] = Outbox,
        measured: EdgeMetrics | None = None,
    ) -> None:
        """Open the outbox; raise `Refused`. Do not connect to the pack or the broker yet.

        `measured` is for a scraper.
        """
        self._settings, self._clocks, self._log = settings, clocks, log
        self._metrics, self._measured_s, self._late_s = measured, -math.inf, 0.0
        boot = secrets.token_hex(BOOT_BYTES)
        self._outbox = make_outbox(
            settings.outbox, boot, capacity_rows=settings.capacity_rows, keep_days=settings.keep_days
        )
        self._log_notice()
        self._device: tuple[bytes, Dut] | None = None
        self._pack: PackRuntime | None = None
        self._trip_file = TripFile(settings.trip, log)
        self._logged_trip = ""
        self._logged_disk_error = ""
        self._newest_values: Mapping[str, Scalar] = {}
        slots = Slots(settings.slots)
        self._installer = BundleInstaller(
            slots,
            settings.work,
            settings.trust,
            state=settings.state,
            accept=Acceptance(settings.allow_sim, pack_type=settings.pack_type),
            launch=self._launch,
            log=log,
        )

    def run(self, stop: Callable[[], bool], duration_s: float | None = None) -> EdgeResult:
        """Run turns until `stop` or for `duration_s`; raise `PulseError` for a bundle that may not run."""
        settings = self._settings
        start_configuration(self._installer, settings, self._clocks.utc(), stop, self._log)
        until_s = math.inf if duration_s is None else self._clocks.now() + duration_s
        download = Download(settings.state)
        if download.notice:
            self._log(download.notice)
        update = UpdateFlow(download, self._installer, log=self._log)
        node = EdgeNode(settings.names, self._first_bd_seq(), datatypes=settings.datatypes)
        client = f"edge-{settings.names.group}-{settings.names.node}"
        link = MqttLink(
            settings.broker,
            client,
            lambda: node.make_will(self._clocks.stamp_ms()),
            node.subscriptions,
            settings.identity,
        )
        uplink = Uplink(
            link,
            node,
            self._outbox,
            self._clocks,
            store_bd_seq=lambda number: write_state(settings.bd_seq, {"bdSeq": number}),
            log=self._log,
        )
        with ExitStack() as held:
            held.callback(link.close)
            held.callback(update.close)
            try:
                self._run_turns(link, uplink, update, lambda: stop() or self._clocks.now() >= until_s)
            finally:
                self._shut_down(link, uplink, update)
        return self._make_result(uplink, node)

    def close(self) -> None:
        """Close the pack and the outbox."""
        if self._device is not None:
            self._device[1].close()
        self._outbox.close()

    def _run_turns(self, link: MqttLink, uplink: Uplink, update: UpdateFlow, stop: Callable[[], bool]) -> None:
        period_s = 1.0 / self._settings.rate_hz
        due_s = self._clocks.now()
        while not stop():
            self._late_s = max(self._late_s, self._clocks.now() - due_s)
            self._run_turn(update)
            if self._metrics is not None and self._clocks.now() - self._measured_s >= MEASURE_S:
                self._measured_s = self._clocks.now()
                self._metrics.figures = self._measure(link, uplink)
                self._late_s = 0.0
            uplink.send_rows()
            uplink.publish_status(self._make_status(update))
            due_s += period_s
            if self._clocks.now() - due_s > MAX_LATE_S:
                due_s = self._clocks.now()
            while (left_s := due_s - self._clocks.now()) > 0.0 and not stop():
                self._handle_events(link, uplink, update, min(left_s, POLL_S))
            self._handle_events(link, uplink, update, 0.0)

    def _run_turn(self, update: UpdateFlow) -> None:
        """Store one row and update the probation of the configuration."""
        turn = self._running_pack.turn()
        now_s, now_ms = self._clocks.now(), self._clocks.stamp_ms()
        self._newest_values = turn.values
        self._outbox.put(turn.values, now_ms, now_s)
        self._outbox.commit(now_ms, now_s)
        self._log_changes(turn)
        sample = HealthSample(turn.health.estimate_fault, turn.health.trip, self._outbox.disk_error)
        self._installer.update(now_s, sample)
        update.poll(self._clocks.utc(), now_s)

    def _measure(self, link: MqttLink, uplink: Uplink) -> EdgeFigures:
        from edge_bridge.edge.metrics_export import EdgeFigures  # noqa: PLC0415  # only with metrics

        outbox, oldest_ms = self._outbox, self._outbox.read_oldest_ms()
        return EdgeFigures(
            produced=outbox.produced,
            stored=outbox.stored,
            depth=outbox.depth,
            evicted=outbox.evicted,
            capacity=self._settings.capacity_rows,
            oldest_s=None if oldest_ms is None else oldest_ms / 1000.0,
            is_link_up=link.is_up,
            outage_s=uplink.outage_s,
            verdict=str(self._newest_values.get(metrics.VERDICT)),
            late_s=self._late_s,
            has_disk_error=bool(outbox.disk_error),
        )

    def _handle_events(self, link: MqttLink, uplink: Uplink, update: UpdateFlow, wait_s: float) -> None:
        events = link.poll(wait_s)
        if not events:
            return
        for piece in uplink.handle_events(events, {**self._newest_values, **self._make_status(update)}):
            update.add_piece(piece)
        uplink.send_rows()
        uplink.publish_status(self._make_status(update))

    def _shut_down(self, link: MqttLink, uplink: Uplink, update: UpdateFlow) -> None:
        """Open the contactor, receive the last acknowledgements, publish the death."""
        until_s = self._clocks.now() + SHUTDOWN_S
        if self._pack is not None:
            self._pack.open_contactor()
        while self._clocks.now() < until_s and (self._is_contactor_closed() or (link.is_up and self._outbox.depth)):
            self._handle_events(link, uplink, update, POLL_S)
        if self._is_contactor_closed():
            self._log(f"the contactor is still closed {SHUTDOWN_S:g} s after it was requested to open")
        uplink.publish_death()

    def _is_contactor_closed(self) -> bool:
        return self._pack is not None and self._pack.is_contactor_closed()

    @property
    def _running_pack(self) -> PackRuntime:
        assert self._pack is not None  # noqa: S101  # `start_configuration` launched one, or raised
        return self._pack

    def _launch(self, configured: Configuration) -> None:
        """Start a configuration; raise before the old one is touched if it cannot start."""
        map_bytes = configured.dut_map.read_bytes() + read_dut_map(configured.dut_map).dbc_hash.encode()
        old = self._device
        same = old is not None and old[0] == map_bytes
        dut = old[1] if old is not None and same else Dut(read_dut_map(configured.dut_map), *self._settings.bus)
        policy = make_policy_shadow(configured, configured.bench.path.parent)
        pack = PackRuntime(configured, dut, dut, self._clocks, rate_hz=self._settings.rate_hz, policy=policy)
        if self._trip_file.reason:
            pack.trip(self._trip_file.reason)
        if not same:
            if old is not None:
                old[1].close()
            dut.start()
            self._device = (map_bytes, dut)
        self._pack = pack

    def _log_changes(self, turn: TurnResult) -> None:
        """Log what changed: a trip, a disk error."""
        if turn.tripped != self._logged_trip:
            self._logged_trip = turn.tripped
            self._log(
                f"the gate tripped: {turn.tripped}; the contactor is requested to open"
                if turn.tripped
                else "the gate is no longer tripped"
            )
        if turn.tripped:
            self._trip_file.latch(turn.tripped)
        self._trip_file.save()
        self._log_notice()
        if bool(self._outbox.disk_error) != bool(self._logged_disk_error):
            self._log(self._outbox.disk_error or "rows are written to the disk again")
        self._logged_disk_error = self._outbox.disk_error

    def _log_notice(self) -> None:
        """Log what the outbox could not read."""
        if self._outbox.notice:
            self._log(self._outbox.notice)
            self._outbox.notice = ""

    def _first_bd_seq(self) -> int:
        """Return one more than the last number; if that is lost a random one, which is unlikely to be the last."""
        path = self._settings.bd_seq
        last = read_state(path, lambda fields: read_whole(fields, "bdSeq"))
        if isinstance(last, DamagedFile):
            self._log(f"{last.sentence}; the connection numbers restart at a random value")
            with suppress(OSError):
                remove(path)
            return secrets.randbelow(SEQ_COUNT)
        return 0 if isinstance(last, MissingFile) else last + 1

    def _make_status(self, update: UpdateFlow) -> dict[str, Scalar]:
        running, status = self._installer.running, self._installer.status
        manifest = running.verified.bundle.manifest
        return {
            metrics.DEPTH: self._outbox.depth,
            metrics.EVICTED: self._outbox.evicted,
            metrics.SHA256: running.installed.sha256,
            metrics.NAME: manifest.name,
            metrics.EVIDENCE: manifest.evidence,
            metrics.SERIAL: manifest.serial,
            metrics.DESIRED: status.sha256,
            metrics.STATE: status.state,
            metrics.REASON: status.reason,
            metrics.RECEIVED: update.received,
            **self._describe_policy(),
        }

    def _describe_policy(self) -> dict[str, Scalar]:
        policy = None if self._pack is None else self._pack.policy
        return {} if policy is None else policy.describe()

    def _make_result(self, uplink: Uplink, node: EdgeNode) -> EdgeResult:
        status, outbox = self._installer.status, self._outbox
        return EdgeResult(
            produced=outbox.produced,
            stored=outbox.stored,
            evicted=outbox.evicted,
            damaged=outbox.damaged,
            depth=outbox.depth,
            boots=outbox.boots,
            bundle={
                "sha256": self._installer.running.installed.sha256,
                "state": status.state,
                "reason": status.reason,
                "offered": status.sha256,
            },
            outage_s=uplink.outage_s,
            refused=dict(node.refused),
        )
