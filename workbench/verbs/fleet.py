"""`fleet`: receive, store and acknowledge the rows of the packs, and send them bundles."""

from __future__ import annotations

import gc
import threading
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from drivers.errors import BrokerMissing, Usage
from edge_bridge import metrics
from edge_bridge.fleet.api.settings import parse_listen
from edge_bridge.fleet.bundle_transfer import TransferProgress, read_bundle
from edge_bridge.fleet.defects import find_store
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.names import check_name
from edge_bridge.fleet.node_list import read_node_list
from edge_bridge.fleet.process import HOST, FleetHost
from edge_bridge.fleet.store.audit_chain import AuditNote
from edge_bridge.fleet.store.open_store import open_store, parse_address
from edge_bridge.fleet.store.upkeep import RAW_DAYS, ROLLUP_DAYS, Retention
from edge_bridge.fleet.store.upkeep_thread import UpkeepThread
from workbench.compose.broker import choose_broker, is_local, open_broker
from workbench.compose.fleet_measurement import FleetMeasurement
from workbench.compose.fleet_shards import choose_shard, open_shards
from workbench.fleet_log import open_log
from workbench.run_folders import require_folder
from workbench.signals import leave_once

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from edge_bridge.fleet.sharded_fleet import ShardedFleet
    from edge_bridge.fleet.summary import NodeSummary
    from edge_bridge.fleet.view import FleetView, NodeView
    from workbench.compose.fleet_api import HostSide
    from workbench.report import Report

REACH_S: Final = 10.0
TURN_S: Final = 0.1
COLLECT_AFTER: Final = (50_000, 20, 100)  # objects, young and middle collections before the next older one
LOOK_S: Final = 0.5
LOOK_PAUSES: Final = 100.0  # a look at very many nodes takes long: then it comes after so many times its length


@dataclass(frozen=True, slots=True)
class BundleToSend:
    """A bundle for a node; the node need not have connected yet."""

    data: bytes
    node: str


def main(
    report: Report,
    broker: str,
    store: Path | str,
    *,
    groups: Sequence[str],
    send: Path | None,
    to: str,
    duration_s: float | None,
    inject_defect: str,
    host: str = HOST,
    nodes: Path | None = None,
    retention: tuple[int, int, Path | None] = (RAW_DAYS, ROLLUP_DAYS, None),
    take_over: bool = False,
    shard: str = "",
    api: str = "",
    tls: Path | None = None,
    metrics_on: str = "",
    log_format: str = "text",
    sites: Path | None = None,
    trust: Path | None = None,
) -> bool:
    """Run the fleet; `store` is a file or a URL of its database, `nodes` lists the nodes that may join.

    `shard` is I/N if this is one host of several; empty for one that serves all groups alone.
    `api` is where its API listens, `metrics_on` where Prometheus finds its metrics, `[HOST:]PORT`, empty for none.
    `tls` is the folder of its certificate; without a `broker` it names that too. `sites` is the file of the sites,
    `trust` the folder of the keys that bundles are verified with.

    Return True if no row was stored twice and a bundle that was to be sent proved healthy.
    """
    log = open_log(report, log_format)
    open_rows = find_store(inject_defect)
    address = parse_address(store)
    listen = parse_listen(api, tls) if api else None
    measured = FleetMeasurement.make(api, metrics_on)
    _check_options(api, sites, send, to)
    sending = BundleToSend(read_bundle(send), to) if send else None
    kept = Retention(*retention)
    admitted = None if nodes is None else read_node_list(nodes)
    for name, what in (*((group, "group") for group in groups), (host, "host"), *([(to, "to")] if to else [])):
        check_name(name, what)
    choice = choose_shard(shard, address, archive=kept.folder, defect=inject_defect)
    if isinstance(address, Path):
        require_folder(address.parent, "name another file with --db or --store")
    broker = choose_broker(broker, tls)
    stop = threading.Event()
    leave_once(stop.set)  # a requested end is an end in order
    with open_broker(broker) as url:
        report.line(f"broker   {url}")
        side = _make_host_side(url) if listen is not None else None
        if is_local(broker):
            report.line("broker   without TLS, for up to 1 000 connections, loopback only; fleet init makes a real one")
        tap = None if side is None else side.hub
        opened: FleetHost | ShardedFleet
        if choice is not None and not isinstance(address, Path):
            opened = open_shards(
                *(url, address, choice),
                groups=groups,
                host=host,
                admitted=admitted,
                tap=tap,
                meter=measured.meter,
                identity=tls,
            )
        else:
            opened = FleetHost(
                *(url, store, read_clocks),
                group=groups,
                host=host,
                open_store=open_rows,
                admitted=admitted,
                take_over=take_over,
                tap=tap,
                meter=measured.meter,
                identity=tls,
            )
        with closing(opened) as fleet, ExitStack() as serving, _collect_rarely():
            for notice in fleet.notices:
                report.line(f"database {notice}")
            for words in measured.open(serving, store, tls):
                report.line(words)
            if listen is not None and side is not None:
                from workbench.compose.fleet_api import describe_missing_accounts, find_claim, open_api  # noqa: PLC0415  # FastAPI takes half a second to load

                claim = find_claim(tls)
                served = open_api(
                    *(fleet, store, listen, side),
                    claim=claim,
                    registry=measured.registry,
                    log=log,
                    sites=sites,
                    trust=trust,
                    tls=tls,
                    report=report.line,
                )
                report.line(f"api      {serving.enter_context(served)}")
                if words := describe_missing_accounts(store, claim):
                    report.line(f"people   {words}")
            _wait_for_broker(fleet, url, stop, report)
            reporter = FleetReporter(fleet, report, sending, side)
            with closing(UpkeepThread(store, kept, lambda words: report.line(f"upkeep   {words}"))):
                reporter.run(duration_s, stop)
            view, summary = fleet.view(), fleet.summary()
    return _report_totals(report, view, summary, reporter.sent)


def _check_options(api: str, sites: Path | None, send: Path | None, to: str) -> None:
    """Raise `Usage` for options that need another one."""
    if sites is not None and not api:
        raise Usage("--sites needs --api", key="sites", value=str(sites), hint="add --api 8080")
    if (send is None) != (not to):
        raise Usage("--send and --to must be used together", key="send", hint="name a file and a node")


@contextmanager
def _collect_rarely() -> Generator[None]:
    """Let Python look for cycles rarely: the objects of 10 000 nodes cost a third of a commit to look at."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECT_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _make_host_side(broker: str) -> HostSide:
    from workbench.compose.fleet_api import HostSide  # noqa: PLC0415  # FastAPI takes half a second to load

    return HostSide(broker)


def forget(report: Report, node: str, store: Path | str, *, delete_rows: bool) -> bool:
    """Remove a node from the database of a fleet that does not run; raise `Usage` or `StoreFailed`."""
    from workbench.verbs.fleet_people import read_who  # noqa: PLC0415  # the hashes of passwords load with it

    address = parse_address(store)
    if isinstance(address, Path) and not address.is_file():
        where = str(address)
        raise Usage("does not exist", where=where, key="db", value=where, hint="name the database of a fleet")
    with closing(open_store(store)) as opened:
        note = AuditNote(read_clocks().ms, read_who(), "node.forget", f"node/{node}")
        rows = opened.forget(node, delete_rows=delete_rows, note=note)
    report.body.update(node=node, rows_deleted=rows)
    report.line(f"{node} is forgotten, {rows} rows were deleted")
    return True


class FleetReporter:
    """The reporter of a fleet: it prints one line for each change."""

    def __init__(
        self,
        fleet: FleetHost | ShardedFleet,
        report: Report,
        sending: BundleToSend | None,
        side: HostSide | None = None,
    ) -> None:
        self._fleet, self._report, self._side = fleet, report, side
        self._sending, self._has_begun = sending, False
        self._reported = dict[str, tuple[object, ...]]()  # what the line of a node was made of
        self._trouble = ""
        self._shards: tuple[int, ...] | None = None
        self.sent: TransferProgress | None = None

    def run(self, duration_s: float | None, stop: threading.Event) -> None:
        """Run until the time is over, `stop` is set or, without a time, the transfer of the bundle has ended."""
        started_s = looked_s = monotonic()
        pause_s = LOOK_S
        self._report_changes()
        while not stop.is_set():
            self._fleet.turn(TURN_S)
            now_s = monotonic()
            if self._side is not None:
                self._side.turn(self._fleet, now_s)
            if now_s - looked_s >= pause_s:
                self._report_changes()
                looked_s = monotonic()
                pause_s = max(LOOK_S, LOOK_PAUSES * (looked_s - now_s))
                if duration_s is None and self.sent is not None and self.sent.is_over:
                    break
            if duration_s is not None and now_s - started_s >= duration_s:
                break
        self._report_changes()

    def _report_changes(self) -> None:
        sending = self._sending
        if sending is not None and not self._has_begun:
            self._send_when_known(sending)
        view = self._fleet.view()
        for node in view.nodes:
            told = (node.online, node.bundle, node.status.get(metrics.VERDICT), node.sending)
            if self._reported.get(node.node) != told:
                self._reported[node.node] = told
                self._report.line(f"{node.node:<20} {_format_node(node)}  {node.rows} rows")
            if sending is not None and node.node == sending.node:
                self.sent = node.sending
        if view.shards != self._shards:
            self._shards = view.shards
            words = ", ".join(str(shard + 1) for shard in view.shards or ())
            self._report.line(f"shards   {words or 'none'}")
        if view.trouble != self._trouble:
            self._trouble = view.trouble
            self._report.line(f"broker   {view.trouble or 'connected again'}")

    def _send_when_known(self, sending: BundleToSend) -> None:
        if not self._fleet.has_node(sending.node):
            self._fleet.request_birth(sending.node)
            return
        self._has_begun = True
        self._fleet.send_bundle(sending.data, sending.node)
        self._report.line(f"sending  {len(sending.data)} bytes to {sending.node}")


def _format_node(node: NodeView) -> str:
    """Return the state of a node."""
    verdict = node.status.get(metrics.VERDICT)
    parts = ["online " if node.online else "offline", f"bundle {node.bundle[:12] or 'unknown'}"]
    if verdict is not None:
        parts.append(f"gate {verdict}")
    if node.sending is not None:
        parts.append(_format_progress(node.sending))
    return "  ".join(parts)


def _format_progress(sending: TransferProgress) -> str:
    reason = f" ({sending.reason})" if sending.reason else ""
    if not sending.is_over and sending.received < sending.size:
        return f"bundle {sending.sha256[:12]} {100 * sending.received // sending.size} % sent"
    return f"bundle {sending.sha256[:12]} {sending.state}{reason}"


def _wait_for_broker(fleet: FleetHost | ShardedFleet, url: str, stop: threading.Event, report: Report) -> None:
    """Wait until the fleet is online; raise `BrokerMissing`, or `OtherHostOnline` if another one does not leave."""
    until_s, told = monotonic() + REACH_S, ""
    while not fleet.is_connected and not stop.is_set():
        why = fleet.view().trouble
        if fleet.has_broker:
            if why and why != told:
                report.line(f"broker   {why}")
            told = why
        elif monotonic() > until_s:
            hint = "start a broker, or use --broker local"
            raise BrokerMissing(f"no MQTT broker answers at {url}: {why}", key="broker", value=url, hint=hint)
        fleet.turn(TURN_S)


def _report_totals(report: Report, view: FleetView, nodes: list[NodeSummary], sent: TransferProgress | None) -> bool:
    totals = {name: sum(getattr(node, name) for node in nodes) for name in ("produced", "stored", "duplicates")}
    missing, named = sum(node.missing for node in nodes), sum(node.named for node in nodes)
    report.body.update(
        nodes=[node.as_json() for node in nodes],
        **totals,
        missing=missing,
        named_in_gaps=named,
        resent=view.resent,
        outage_s=round(view.outage_s, 3),
        refused=dict(view.refused),
        flagged=dict(view.flagged),
        sent=_as_json(sent),
    )
    for node in nodes:
        words = f"{node.stored} of {node.produced} rows, {node.missing} missing, {node.duplicates} stored twice"
        evicted = f", {node.named} evicted by the edge" if node.named else ""
        report.line(f"{node.node:<20} {words}{evicted}")
    for reason, count in view.refused.items():
        if count:
            report.line(f"refused  {count} x {reason}")
    return not totals["duplicates"] and (sent is None or sent.is_ok)


def _as_json(sent: TransferProgress | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    names = ("node", "sha256", "size", "received", "state", "reason")
    return {name: getattr(sent, name) for name in names}
