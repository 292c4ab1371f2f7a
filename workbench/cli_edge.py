"""The verb `edge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.fleet_options import MetricsAddress
from workbench.options import AsJson, InjectDefect, TrustedKeys, UntilStopped
from workbench.report import Report
from workbench.run_verb import run_verb


def edge(
    trust: TrustedKeys,
    *,
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="mqtts://HOST:PORT, on this machine also mqtt://127.0.0.1:1883; default: where it was enrolled.",
        ),
    ] = "",
    bundle: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bundle to install; default: run the installed one.")
    ] = None,
    node: Annotated[
        str, typer.Option(metavar="NAME", help="Name of this pack in the fleet; default: that of its certificate.")
    ] = "",
    group: Annotated[str, typer.Option(metavar="NAME", help="Sparkplug group of the fleet.")] = "pulsebms",
    host: Annotated[str, typer.Option(metavar="NAME", help="Name of the fleet's host.")] = "fleet",
    state: Annotated[
        Path, typer.Option("--dir", metavar="STATE", help="Folder for the bundle slots and the outbox.")
    ] = Path("edge-state"),
    pack: Annotated[
        str,
        typer.Option(metavar="PACK", help="emulated[:CELLS[:CELL]], or INTERFACE:CHANNEL[:BITRATE] of a CAN bus."),
    ] = "emulated",
    duration: UntilStopped = None,
    rate: Annotated[float, typer.Option(min=0.1, max=200.0, help="Rows per second.")] = 10.0,
    capacity: Annotated[int, typer.Option(min=100, help="Rows that the outbox can hold.")] = 500_000,
    keep_days: Annotated[
        float,
        typer.Option(
            min=0.0, help="Days to keep acknowledged rows, in up to a fifth of the outbox, for a fleet that lost them."
        ),
    ] = 7.0,
    omit_datatypes: Annotated[
        bool,
        typer.Option("--omit-datatypes", help="Send the datatypes in births only; saves 2 bytes a metric."),
    ] = False,
    metrics: MetricsAddress = "",
    reset_trip: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Reset the trip of an earlier run; give the reason why this is safe."),
    ] = None,
    allow_sim: Annotated[
        bool, typer.Option("--allow-sim", help="Accept a bundle with evidence from simulation only.")
    ] = False,
    pack_type: Annotated[
        str, typer.Option(metavar="TYPE", help="Type of this pack; default: that of its first healthy bundle.")
    ] = "",
    tls: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of this device's certificate; default: STATE/identity, if it is there."
        ),
    ] = None,
    enroll: Annotated[
        str,
        typer.Option(
            metavar="URL", help="https://HOST:PORT of the fleet: get a certificate first, unless it is there."
        ),
    ] = "",
    token: Annotated[str, typer.Option(metavar="TOKEN", help="Token of fleet enroll.", show_default=False)] = "",
    inject_defect: InjectDefect = "",
    as_json: AsJson = False,
) -> None:
    """Verify and install a bundle, run its estimator and gate beside a pack, and report to the fleet.

    Every sample stays on the disk until the fleet has stored it; a missing broker is not an error.
    """
    from workbench.verbs import edge as verb

    run_verb(
        Report("edge", as_json),
        verb.main,
        bundle,
        trust,
        broker,
        state,
        names=(group, node, host),
        tls=tls,
        enrolment=(enroll, token),
        pack=pack,
        allow_sim=allow_sim,
        pack_type=pack_type,
        duration_s=duration,
        rate_hz=rate,
        capacity_rows=capacity,
        keep_days=keep_days,
        datatypes=not omit_datatypes,
        metrics_on=metrics,
        reset=reset_trip,
        inject_defect=inject_defect,
    )
