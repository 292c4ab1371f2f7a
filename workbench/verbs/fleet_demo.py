"""`fleet demo`: a whole fleet on this machine; `fleet light-nodes`: its light nodes alone."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from drivers.errors import Usage
from drivers.private_files import make_private_folder
from edge_bridge.broker_address import check_protection
from edge_bridge.fleet.api.server import check_port
from edge_bridge.fleet.api.settings import parse_listen
from edge_bridge.fleet.names import check_name
from workbench.demo.fleet_demo import DemoOrder, FleetDemo, wait_for_packs, watch
from workbench.demo.light_nodes import run_light_nodes
from workbench.signals import leave_once, leave_with_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report


def main(
    report: Report, folder: Path, *, edges: int, nodes: int, api: int, sqlite: bool, duration_s: float | None
) -> bool:
    """Run the demo until Ctrl-C or for `duration_s`; raise `PulseError`."""
    listen = parse_listen(str(api))
    stop = threading.Event()
    leave_once(stop.set)  # the start asks: a break at any line could leave a part behind
    leave_with_terminal()
    make_private_folder(folder)
    with FleetDemo(DemoOrder(folder.resolve(), edges, nodes, api, sqlite), report.line) as demo:
        check_port(listen)
        demo.start()
        wait_for_packs(demo, edges + nodes)
        report.line(f"ready    {demo.url}/ is the dashboard; Ctrl-C ends all parts")
        report.line(f"         {demo.url}/api/v1/devices lists the packs, {demo.url}/metrics has the metrics")
        if demo.asks_for_sign_in():
            report.line(f"         sign in: the database in {folder} has accounts")
        watch(demo, stop.is_set, duration_s)
        report.line("ending   edges and nodes, then the host, the database and the broker")
    report.body.update(api=demo.url, edges=edges, nodes=nodes)
    return True


def run_nodes(
    report: Report, broker: str, *, count: int, rate_hz: float, group: str, host: str, duration_s: float | None
) -> bool:
    """Run light nodes; return True if the fleet has acknowledged all their rows. Raise `Usage`."""
    check_protection(broker, None)
    for name, what in ((group, "group"), (host, "host")):
        check_name(name, what)
    if not count:
        raise Usage("no nodes are to be run", key="count", value=count, bound=[1, None], hint="write --count 98")
    stop = threading.Event()
    leave_once(stop.set)
    timer = threading.Timer(duration_s, stop.set) if duration_s is not None else None
    if timer is not None:
        timer.start()
    names = [f"light-{number:04d}" for number in range(1, count + 1)]
    try:
        nodes = asyncio.run(run_light_nodes(broker, names, stop, group=group, host=host, rate_hz=rate_hz))
    finally:
        if timer is not None:
            timer.cancel()
            timer.join()
    produced, waiting = sum(node.produced for node in nodes), sum(node.depth for node in nodes)
    report.body.update(nodes=count, produced=produced, waiting=waiting)
    report.line(f"{count} nodes produced {produced} rows, {waiting} of them are not acknowledged")
    return not waiting
