"""`edge`: run beside a pack, with the configuration of a signed bundle, until stopped."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from drivers.bench_lock import BenchLock, can_address
from drivers.errors import Usage
from drivers.private_files import make_private_folder
from edge_bridge.edge.clocks import MachineClocks
from edge_bridge.edge.defects import find_outbox
from edge_bridge.edge.kept_rows import KEEP_DAYS
from edge_bridge.edge.node import NodeNames
from edge_bridge.edge.process import Edge
from edge_bridge.edge.settings import EdgeSettings
from edge_bridge.edge.trip_file import check_reason, reset_trip
from edge_bridge.sparkplug.payload import PayloadError
from workbench.compose.edge_identity import IDENTITY, choose_identity, enrol_once, renew_in_background
from workbench.compose.edge_pack import check_pack, open_edge_pack
from workbench.run_folders import require_folder
from workbench.signals import leave_once

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.edge.metrics_export import EdgeMetrics
    from workbench.report import Report

_PACK: Final = "pack"


def main(
    report: Report,
    bundle: Path | None,
    trust: Path,
    broker: str,
    state: Path,
    *,
    names: tuple[str, str, str],
    pack: str,
    allow_sim: bool,
    pack_type: str,
    duration_s: float | None,
    rate_hz: float,
    capacity_rows: int,
    reset: str | None,
    inject_defect: str,
    datatypes: bool = True,
    keep_days: float = KEEP_DAYS,
    tls: Path | None = None,
    enrolment: tuple[str, str] = ("", ""),
    metrics_on: str = "",
) -> bool:
    """Run the edge; `names`: group, node, host; `enrolment`: server and token.

    `metrics_on` is where Prometheus finds its metrics, `[HOST:]PORT`, empty for none.
    Raise `PulseError`; an absent broker is no error.
    """
    make_outbox = find_outbox(inject_defect)
    stopped = False

    def leave() -> None:
        nonlocal stopped
        stopped = True

    leave_once(leave)
    check_pack(pack)
    if tls is None and any(enrolment):
        enrol_once(state / IDENTITY, *enrolment, report.line)
    broker, identity, node = choose_identity(broker, tls, state / IDENTITY, names[1])
    node_names = _make_names((names[0], node, names[2]))
    if reset is not None:
        check_reason(reset)
    _check_files(bundle, state)
    make_private_folder(state)
    with open_edge_pack(pack, state / _PACK) as found:
        settings = EdgeSettings(
            names=node_names,
            broker=broker,
            bundle=bundle,
            trust=trust,
            state=state,
            bus=(found.interface, found.channel, found.bitrate),
            allow_sim=allow_sim,
            pack_type=pack_type,
            rate_hz=rate_hz,
            capacity_rows=capacity_rows,
            datatypes=datatypes,
            keep_days=keep_days,
            identity=identity,
        )
        if reset is not None:
            reset_trip(settings.trip, reset)
        lock = BenchLock.take([can_address(found.interface, found.channel)], f"edge {settings.names.node}")
        with lock, ExitStack() as held:
            metrics = _serve_metrics(held, settings, metrics_on, report)
            edge = Edge(settings, MachineClocks(), report.line, make_outbox=make_outbox, measured=metrics)
            held.callback(edge.close)
            held.enter_context(renew_in_background(identity, report.line))
            result = edge.run(lambda: stopped, duration_s)
    report.body.update(asdict(result))
    report.line(
        f"produced {result.produced}, stored {result.stored}, waiting {result.depth}, evicted {result.evicted}, "
        f"without a broker for {result.outage_s:.1f} s"
    )
    return True


def _serve_metrics(held: ExitStack, settings: EdgeSettings, metrics_on: str, report: Report) -> EdgeMetrics | None:
    """Serve the metrics of the edge if an address is given; raise `Usage`."""
    if not metrics_on:
        return None
    from edge_bridge.edge.metrics_export import EdgeMetrics  # noqa: PLC0415  # an edge without metrics stays small
    from edge_bridge.metrics_server import parse_metrics_address, serve_metrics  # noqa: PLC0415

    metrics = EdgeMetrics(settings.names.node, settings.outbox)
    report.line(f"metrics  {held.enter_context(serve_metrics(metrics.registry, parse_metrics_address(metrics_on)))}")
    return metrics


def _check_files(bundle: Path | None, state: Path) -> None:
    """Check the files before anything is started or written; raise `Usage` or `RunLogError`."""
    if bundle is not None and not bundle.is_file():
        what = "is not a file" if bundle.exists() else "does not exist"
        raise Usage(what, where=str(bundle), key="bundle", value=str(bundle), hint="name a bundle file")
    require_folder(state, "name another folder with --dir")


def _make_names(given: tuple[str, str, str]) -> NodeNames:
    try:
        return NodeNames(*given)
    except PayloadError as error:
        raise Usage(error.what, key=error.key, value=error.value, hint="choose another name") from error
