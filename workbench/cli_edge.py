"""The verbs `edge` and `fleet`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import AsJson
from workbench.report import Report
from workbench.run_verb import run_verb


def fleet(
    broker: Annotated[
        str,
        typer.Option(metavar="URL", help="mqtt://HOST:PORT, or local[:PORT] to start a broker on this machine."),
    ],
    db: Annotated[Path, typer.Option(metavar="FILE", help="Database of the rows; created if it does not exist.")],
    *,
    group: Annotated[str, typer.Option(metavar="NAME", help="Sparkplug group of the packs.")] = "pulsebms",
    send: Annotated[Path | None, typer.Option(metavar="FILE", help="Bundle to send.", show_default=False)] = None,
    to: Annotated[str, typer.Option(metavar="NODE", help="Node that receives the bundle.")] = "",
    duration: Annotated[
        float | None,
        typer.Option(min=1.0, help="Seconds to run; default: until stopped, or until the bundle is installed."),
    ] = None,
    inject_defect: Annotated[str, typer.Option(metavar="NAME", hidden=True)] = "",
    as_json: AsJson = False,
) -> None:
    """Receive the packs of a group, store each row exactly once, acknowledge it, and send bundles.

    There is no TLS and no access control per device yet; a local broker listens on 127.0.0.1 only.
    """
    from workbench.verbs import fleet as verb

    run_verb(
        Report("fleet", as_json),
        verb.main,
        broker,
        db,
        group=group,
        send=send,
        to=to,
        duration_s=duration,
        inject_defect=inject_defect,
    )


def edge(
    trust: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the trusted public keys (*.pem).")],
    broker: Annotated[str, typer.Option(metavar="URL", help="MQTT broker, for instance mqtt://127.0.0.1:1883.")],
    *,
    bundle: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bundle to install; default: run the installed one.")
    ] = None,
    node: Annotated[str, typer.Option(metavar="NAME", help="Name of this pack in the fleet.")] = "pack",
    group: Annotated[str, typer.Option(metavar="NAME", help="Sparkplug group of the fleet.")] = "pulsebms",
    host: Annotated[str, typer.Option(metavar="NAME", help="Name of the fleet's host.")] = "fleet",
    state: Annotated[
        Path, typer.Option("--dir", metavar="STATE", help="Folder for the bundle slots and the outbox.")
    ] = Path("edge-state"),
    pack: Annotated[
        str, typer.Option(metavar="PACK", help="emulated, or INTERFACE:CHANNEL[:BITRATE] of a CAN adapter.")
    ] = "emulated",
    duration: Annotated[float | None, typer.Option(min=1.0, help="Seconds to run; default: until stopped.")] = None,
    rate: Annotated[float, typer.Option(min=0.1, max=200.0, help="Rows per second.")] = 10.0,
    capacity: Annotated[int, typer.Option(min=100, help="Rows that the outbox can hold.")] = 500_000,
    reset_trip: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Reset the trip of an earlier run; give the reason why this is safe."),
    ] = None,
    allow_sim: Annotated[
        bool, typer.Option("--allow-sim", help="Accept a bundle with evidence from simulation only.")
    ] = False,
    inject_defect: Annotated[str, typer.Option(metavar="NAME", hidden=True)] = "",
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
        pack=pack,
        allow_sim=allow_sim,
        duration_s=duration,
        rate_hz=rate,
        capacity_rows=capacity,
        reset=reset_trip,
        inject_defect=inject_defect,
    )
