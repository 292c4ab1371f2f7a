"""The verb `fleet`, and the verbs below it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli_fleet_people import account, audit
from workbench.fleet_options import (
    DatabaseFile,
    KeepRawDays,
    KeepRollupDays,
    MetricsAddress,
    StoreUrl,
    choose_store,
)
from workbench.option_passing import pass_to_verb
from workbench.options import AsJson, InjectDefect
from workbench.report import Report
from workbench.run_verb import run_verb

_UsageError: Any = typer.BadParameter.__base__  # typer has no public name for it
fleet = typer.Typer(name="fleet", rich_markup_mode=None, pretty_exceptions_enable=False)
fleet.add_typer(account)
fleet.add_typer(audit)


@fleet.callback(invoke_without_command=True, short_help="Receive, store and acknowledge the rows of packs.")
def run_fleet(
    context: typer.Context,
    broker: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="mqtts://HOST:PORT, on this machine also mqtt://127.0.0.1:1883, or local[:PORT] to start a broker "
            "here; default: that of --tls.",
            show_default=False,
        ),
    ] = "",
    store: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Database of the rows: sqlite:///FILE, created if it does not exist, or "
            "postgresql://USER@HOST/DATABASE.  [required, or --db]",
            show_default=False,
        ),
    ] = "",
    db: DatabaseFile = None,
    *,
    tls: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of fleet init, or of fleet certify --host: certificate and broker."),
    ] = None,
    group: Annotated[
        list[str], typer.Option(metavar="NAME", help="Sparkplug group of the packs; may be given several times.")
    ] = ["pulsebms"],  # noqa: B006  # typer reads it and changes nothing
    shard: Annotated[
        str,
        typer.Option(
            metavar="I/N",
            help="Host I of N that share the groups; it goes on for one that fails. Needs PostgreSQL.",
        ),
    ] = "",
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
    api: Annotated[
        str,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Serve the API /api/v1 here; HOST: 127.0.0.1, another one with --tls.",
            show_default=False,
        ),
    ] = "",
    sites: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="fleet.toml with the sites; with --api, which writes it again on a change."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of public keys; the API takes only bundles that one of them signed."),
    ] = None,
    metrics: MetricsAddress = "",
    log_format: Annotated[
        str, typer.Option(metavar="FORMAT", help="text, or json: one object a line, with the requests of the API.")
    ] = "text",
    archive: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Move rows that are older than --keep-raw-days to Parquet files in DIR; default: keep."
        ),
    ] = None,
    keep_raw_days: KeepRawDays = 30,
    keep_rollup_days: KeepRollupDays = 400,
    send: Annotated[Path | None, typer.Option(metavar="FILE", help="Bundle to send.", show_default=False)] = None,
    to: Annotated[str, typer.Option(metavar="NODE", help="Node that receives the bundle.")] = "",
    duration: Annotated[
        float | None,
        typer.Option(min=1.0, help="Seconds to run; default: until stopped, or until the bundle is installed."),
    ] = None,
    inject_defect: InjectDefect = "",
    as_json: AsJson = False,
) -> None:
    """Receive the packs of some groups, store each row exactly once, acknowledge it, and send bundles.

    With --tls each pack is known by its certificate and can send as itself only. Without it the broker must run on this
    machine, where every program can send as any pack.
    """
    if context.invoked_subcommand is not None:
        pass_to_verb(context)
        return
    if not broker and tls is None:
        raise _UsageError("Missing option '--broker' or '--tls'.", ctx=context)
    where = choose_store(context, store, db)
    from workbench.verbs import fleet as verb

    run_verb(
        Report("fleet", as_json),
        verb.main,
        broker,
        where,
        groups=group,
        shard=shard,
        host=host,
        take_over=take_over,
        api=api,
        sites=sites,
        trust=trust,
        metrics_on=metrics,
        log_format=log_format,
        tls=tls,
        nodes=nodes,
        retention=(keep_raw_days, keep_rollup_days, archive),
        send=send,
        to=to,
        duration_s=duration,
        inject_defect=inject_defect,
    )


@fleet.command("forget", short_help="Remove a node from the database of a fleet.")
def fleet_forget(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Name of the node.")],
    context: typer.Context,
    store: Annotated[
        str, typer.Option(metavar="URL", help="Database of a fleet that does not run now.  [required, or --db]")
    ] = "",
    db: DatabaseFile = None,
    *,
    delete_rows: Annotated[bool, typer.Option("--delete-rows", help="Delete the rows of the node too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove a node from the database of a fleet, for instance one with an invented name.

    A node with rows is not removed without --delete-rows. A node that connects again is known again.
    """
    from workbench.verbs import fleet as verb

    where = choose_store(context, store, db)
    run_verb(Report("fleet forget", as_json), verb.forget, node, where, delete_rows=delete_rows)


@fleet.command("backup", short_help="Back up the database of a fleet, while it runs.")
def fleet_backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Backup to write; it replaces an older file.")],
    context: typer.Context,
    store: StoreUrl = "",
    db: DatabaseFile = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write the database of a fleet into one file with a manifest; the fleet may go on to run.

    The Parquet archive of older rows is not part of it: copy its folder too.
    """
    from workbench.verbs import fleet_backup as verb

    where = choose_store(context, store, db)
    run_verb(Report("fleet backup", as_json), verb.back_up, where, file)


@fleet.command("restore", short_help="Restore the database of a fleet from a backup.")
def fleet_restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Backup that `fleet backup` wrote.")],
    context: typer.Context,
    store: Annotated[
        str, typer.Option(metavar="URL", help="Database to restore to; no fleet may use it.  [required, or --db]")
    ] = "",
    db: DatabaseFile = None,
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a database that is not empty.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a backup, then put its content into an empty database, all of it or nothing."""
    from workbench.verbs import fleet_backup as verb

    where = choose_store(context, store, db)
    run_verb(Report("fleet restore", as_json), verb.restore, file, where, replace=replace)


@fleet.command("upkeep", short_help="Roll up rows and move old ones to the archive, once.")
def fleet_upkeep(
    context: typer.Context,
    store: StoreUrl = "",
    db: DatabaseFile = None,
    archive: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the Parquet files; without it, all rows stay.")
    ] = None,
    *,
    keep_raw_days: KeepRawDays = 30,
    keep_rollup_days: KeepRollupDays = 400,
    as_json: AsJson = False,
) -> None:
    """Do once what a running fleet does each minute: roll up rows by minute and hour, and move old days to Parquet.

    Use it for a database whose fleet runs without --archive, or does not run. A day is dropped from the database only
    after its file was read back.
    """
    from workbench.verbs import fleet_upkeep as verb

    where = choose_store(context, store, db)
    run_verb(Report("fleet upkeep", as_json), verb.main, where, (keep_raw_days, keep_rollup_days, archive))
