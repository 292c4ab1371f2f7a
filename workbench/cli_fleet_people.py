"""The verbs `fleet account` and `fleet audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.fleet_options import DatabaseFile, StoreUrl, choose_store
from workbench.option_passing import pass_to_verb
from workbench.options import AsJson
from workbench.report import Report
from workbench.run_verb import run_verb

account = typer.Typer(
    name="account",
    help="Make and change the accounts of the people of a fleet, which may run meanwhile.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(
    name="audit",
    help="Copy and verify the audit log of a fleet.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]
RoleName = Annotated[str, typer.Option("--role", metavar="ROLE", help="viewer, operator, approver or administrator.")]
SiteName = Annotated[str, typer.Option("--site", metavar="NAME", help="Site of the role; * means all.")]


@account.callback()
def pass_account_options(context: typer.Context) -> None:
    """Pass options before the verb to the verb."""
    pass_to_verb(context)


@audit.callback()
def pass_audit_options(context: typer.Context) -> None:
    """Pass options before the verb to the verb."""
    pass_to_verb(context)


@account.command("add", short_help="Make an account.")
def account_add(
    name: Name,
    context: typer.Context,
    store: StoreUrl = "",
    db: DatabaseFile = None,
    *,
    role: RoleName = "viewer",
    site: SiteName = "*",
    as_json: AsJson = False,
) -> None:
    """Make an account. The password comes from a prompt, or from the first line of the standard input.

    The first account must be an administrator of all sites; from then on nobody works without an account.
    """
    from workbench.verbs import fleet_people as verb

    where = choose_store(context, store, db)
    run_verb(Report("fleet account add", as_json), verb.add, where, name, role=role, site=site)


@account.command("list", short_help="List the accounts and their roles.")
def account_list(
    context: typer.Context, store: StoreUrl = "", db: DatabaseFile = None, *, as_json: AsJson = False
) -> None:
    """List the accounts and their roles."""
    from workbench.verbs import fleet_people as verb

    run_verb(Report("fleet account list", as_json), verb.list_all, choose_store(context, store, db))


@account.command("disable", short_help="Keep an account from signing in.")
def account_disable(
    name: Name, context: typer.Context, store: StoreUrl = "", db: DatabaseFile = None, *, as_json: AsJson = False
) -> None:
    """Keep an account from signing in; its sessions and tokens end at once."""
    from workbench.verbs import fleet_people as verb

    run_verb(Report("fleet account disable", as_json), verb.disable, choose_store(context, store, db), name)


@account.command("enable", short_help="Let an account sign in again.")
def account_enable(
    name: Name, context: typer.Context, store: StoreUrl = "", db: DatabaseFile = None, *, as_json: AsJson = False
) -> None:
    """Let a disabled account sign in again."""
    from workbench.verbs import fleet_people as verb

    run_verb(Report("fleet account enable", as_json), verb.enable, choose_store(context, store, db), name)


@account.command("reset-password", short_help="Give an account another password.")
def account_reset_password(
    name: Name, context: typer.Context, store: StoreUrl = "", db: DatabaseFile = None, *, as_json: AsJson = False
) -> None:
    """Give an account another password, from a prompt or the standard input; its sessions and tokens end."""
    from workbench.verbs import fleet_people as verb

    where = choose_store(context, store, db)
    run_verb(Report("fleet account reset-password", as_json), verb.reset_password, where, name)


@account.command("grant", short_help="Give an account a role, or take it.")
def account_grant(
    name: Name,
    context: typer.Context,
    store: StoreUrl = "",
    db: DatabaseFile = None,
    *,
    role: RoleName = "viewer",
    site: SiteName = "*",
    take: Annotated[bool, typer.Option("--take", help="Take the role.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give an account a role at a site, or take it. It counts from the next request on."""
    from workbench.verbs import fleet_people as verb

    where = choose_store(context, store, db)
    report = Report("fleet account grant", as_json)
    run_verb(report, verb.change_role, where, name, role=role, site=site, is_given=not take)


@audit.command("export", short_help="Copy the audit log to a file.")
def audit_export(
    context: typer.Context,
    store: StoreUrl = "",
    db: DatabaseFile = None,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write, one entry a line.")] = Path(
        "audit.jsonl"
    ),
    as_json: AsJson = False,
) -> None:
    """Copy the audit log to a file, and print its head: keep both on another machine."""
    from workbench.verbs import fleet_people as verb

    run_verb(Report("fleet audit export", as_json), verb.export_audit, choose_store(context, store, db), out)


@audit.command("verify", short_help="Look whether the audit log was changed.")
def audit_verify(
    context: typer.Context,
    store: StoreUrl = "",
    db: DatabaseFile = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="A copy: alone, or as the beginning of the log.")
    ] = None,
    head: Annotated[
        str, typer.Option("--head", metavar="NUMBER:HASH", help="A head that was kept: it must be in the log.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Name the first entry that was changed, added, removed or moved.

    Entries that were cut off at the end show only against a copy or a head that was kept elsewhere.
    """
    from workbench.verbs import fleet_people as verb

    where = None if file is not None and not store and db is None else choose_store(context, store, db)
    run_verb(Report("fleet audit verify", as_json), verb.verify_audit, where, file, head)
