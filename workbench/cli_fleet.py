"""The verb `fleet`, and the verbs below it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.option_passing import pass_to_verb
from workbench.options import AsJson
from workbench.report import Report
from workbench.run_verb import run_verb

_UsageError: Any = typer.BadParameter.__base__  # typer has no public name for it
fleet = typer.Typer(name="fleet", rich_markup_mode=None, pretty_exceptions_enable=False)


@fleet.callback(invoke_without_command=True, short_help="Receive, store and acknowledge the rows of packs.")
def run_fleet(
    context: typer.Context,
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="mqtt://HOST:PORT, or local[:PORT] to start a broker on this machine.  [required]",
            show_default=False,
        ),
    ] = "",
    db: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Database of the rows; created if it does not exist.  [required]"),
    ] = None,
    *,
    group: Annotated[str, typer.Option(metavar="NAME", help="Sparkplug group of the packs.")] = "pulsebms",
    host: Annotated[
        str, typer.Option(metavar="NAME", help="Id of this host; the packs accept acknowledgements of one id only.")
    ] = "fleet",
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Start although another fleet with this host id is online.")
    ] = False,
    nodes: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Admit only the nodes that this file lists, one name a line."),
    ] = None,
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

    There is no TLS and no access control per device yet: whoever reaches the broker can send rows, births and
    acknowledgements under any name. A local broker listens on 127.0.0.1 only.
    """
    if context.invoked_subcommand is not None:
        pass_to_verb(context)
        return
    for name, given in (("broker", broker), ("db", db)):
        if not given:
            raise _UsageError(f"Missing option '--{name}'.", ctx=context)
    assert db is not None  # noqa: S101  # the loop checked it
    from workbench.verbs import fleet as verb

    run_verb(
        Report("fleet", as_json),
        verb.main,
        broker,
        db,
        group=group,
        host=host,
        take_over=take_over,
        nodes=nodes,
        send=send,
        to=to,
        duration_s=duration,
        inject_defect=inject_defect,
    )


@fleet.command("forget", short_help="Remove a node from the database of a fleet.")
def fleet_forget(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Name of the node.")],
    db: Annotated[Path, typer.Option(metavar="FILE", help="Database of a fleet that does not run now.")],
    *,
    delete_rows: Annotated[bool, typer.Option("--delete-rows", help="Delete the rows of the node too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a node from the database of a fleet, for instance one with an invented name.

    A node with rows is not removed without --delete-rows. A node that connects again is known again.
    """
    from workbench.verbs import fleet as verb

    run_verb(Report("fleet forget", as_json), verb.forget, node, db, delete_rows=delete_rows)
