"""The verbs `fleet demo` and `fleet light-nodes`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import AsJson, UntilStopped
from workbench.report import Report
from workbench.run_verb import run_verb


def fleet_demo(
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder of the demo.")] = Path("fleet-demo"),
    *,
    edges: Annotated[int, typer.Option(min=0, max=8, help="Whole edges, each with an emulated pack.")] = 2,
    nodes: Annotated[int, typer.Option(min=0, max=10_000, help="Light nodes, all in one process.")] = 98,
    api: Annotated[int, typer.Option(metavar="PORT", help="Port of the API on 127.0.0.1.")] = 8080,
    sqlite: Annotated[bool, typer.Option("--sqlite", help="Use a file in place of a PostgreSQL server.")] = False,
    duration: UntilStopped = None,
    as_json: AsJson = False,
) -> None:
    """Start a broker, a database, a host, edges and light nodes on this machine; Ctrl-C ends all of them.

    All listens on 127.0.0.1 only and without TLS.
    """
    from workbench.verbs import fleet_demo as verb

    report = Report("fleet demo", as_json)
    run_verb(report, verb.main, folder, edges=edges, nodes=nodes, api=api, sqlite=sqlite, duration_s=duration)


def fleet_light_nodes(
    broker: Annotated[str, typer.Option(metavar="URL", help="MQTT broker, for instance mqtt://127.0.0.1:1883.")],
    *,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of nodes.")] = 98,
    rate: Annotated[float, typer.Option(min=0.01, max=50.0, help="Rows per second of each.")] = 1.0,
    group: Annotated[str, typer.Option(metavar="NAME", help="Sparkplug group of the nodes.")] = "pulsebms",
    host: Annotated[str, typer.Option(metavar="NAME", help="Id of the fleet's host.")] = "fleet",
    duration: UntilStopped = None,
    as_json: AsJson = False,
) -> None:
    """Run nodes with made-up values, which send and repeat rows as an edge does, without a pack and without a disk."""
    from workbench.verbs import fleet_demo as verb

    report = Report("fleet light-nodes", as_json)
    run_verb(*(report, verb.run_nodes, broker), count=count, rate_hz=rate, group=group, host=host, duration_s=duration)
