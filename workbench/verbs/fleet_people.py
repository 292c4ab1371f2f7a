"""`fleet account` and `fleet audit`: for somebody with access to the database of a fleet, which may run meanwhile."""

from __future__ import annotations

import getpass
import sys
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import CheckFailed, Usage
from drivers.output_file import make_draft
from drivers.private_files import open_private
from edge_bridge.fleet.audit import audit_log
from edge_bridge.fleet.audit.chain import ChainHead, find_broken_link, parse_head, parse_record
from edge_bridge.fleet.fleet_thread import read_clocks
from edge_bridge.fleet.people import accounts, administration
from edge_bridge.fleet.people.roles import ALL_SITES, FleetRole, RoleGrant
from edge_bridge.fleet.store.fleet_reader import FleetReader
from edge_bridge.fleet.store.open_writer import open_writer
from edge_bridge.sparkplug.payload import PayloadError
from edge_bridge.sparkplug.topics import check_name

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from edge_bridge.fleet.audit.chain import AuditRecord, BrokenLink
    from edge_bridge.fleet.people.accounts import Account
    from edge_bridge.fleet.store.fleet_writer import FleetWriter
    from workbench.report import Report

MAX_LINE: Final = 1 << 20  # characters of one entry in an export


def add(report: Report, store: Path | str, name: str, *, role: str, site: str) -> bool:
    """Make an account; its password comes from the prompt, or from the first line of the standard input."""
    grant = parse_grant(role, site)
    accounts.check_account_name(name)
    with _open(store) as writer:
        password = read_password(name)
        made = administration.add_account(writer, read_who(), name, password, grants=[grant], now_ms=read_clocks().ms)
    return _report_account(report, made, "made")


def list_all(report: Report, store: Path | str) -> bool:
    """Print the accounts with their roles."""
    with _read(store) as connection:
        found = accounts.list_accounts(connection)
    report.body.update(accounts=[_describe(one) for one in found])
    for one in found:
        report.line(_format_account(one))
    if not found:
        report.line("there is no account: who reaches the API on this machine is its administrator")
    return True


def disable(report: Report, store: Path | str, name: str) -> bool:
    """Keep an account from signing in; end its sessions and tokens."""
    with _open(store) as writer:
        changed = administration.disable_account(writer, read_who(), name, read_clocks().ms)
    return _report_account(report, changed, "disabled; its sessions and tokens ended")


def enable(report: Report, store: Path | str, name: str) -> bool:
    """Let an account sign in again."""
    with _open(store) as writer:
        changed = administration.enable_account(writer, read_who(), name, read_clocks().ms)
    return _report_account(report, changed, "enabled")


def reset_password(report: Report, store: Path | str, name: str) -> bool:
    """Give an account another password; end its sessions and tokens."""
    with _read(store) as connection:
        accounts.read_account(connection, name)  # before somebody types a password in vain
    password = read_password(name)
    with _open(store) as writer:
        changed = administration.reset_password(writer, read_who(), name, password, read_clocks().ms)
    return _report_account(report, changed, "given another password; its sessions and tokens ended")


def change_role(report: Report, store: Path | str, name: str, *, role: str, site: str, is_given: bool) -> bool:
    """Give an account a role, or take it."""
    grant = parse_grant(role, site)
    with _read(store) as connection:
        former = accounts.read_account(connection, name).grants
    if not is_given and grant not in former:
        raise Usage(f"{name} has no role {role} at {site}", key="role", value=role, hint="list the accounts")
    wanted = former | {grant} if is_given else former - {grant}
    with _open(store) as writer:
        changed = administration.set_grants(writer, read_who(), name, wanted, read_clocks().ms)
    return _report_account(report, changed, "changed")


def export_audit(report: Report, store: Path | str, out: Path) -> bool:
    """Write the audit log to a file, one entry a line; print its head."""
    head = ChainHead()
    with _read(store) as connection, make_draft(out) as draft, open_private(draft, "xb") as file:
        for record in audit_log.read_records(connection):
            file.write(f"{record.as_line()}\n".encode())
            head = ChainHead(record.id, record.hash)
    report.body.update(entries=head.number, head=str(head), file=str(out))
    report.line(f"{head.number} entries in {out}")
    report.line(f"head {head}")
    return True


def verify_audit(report: Report, store: Path | str | None, file: Path | None, head: str) -> bool:
    """Walk the audit log of a database or of an exported file; raise `CheckFailed` at the first broken link."""
    anchor = _parse_anchor(head)
    if file is not None:
        found, broken = find_broken_link(read_export(file), anchor)
        if store is not None and broken is None:
            anchor = found  # the database must continue the copy
    if store is not None:
        with _read(store) as connection:
            found, broken = find_broken_link(audit_log.read_records(connection), anchor)
    elif file is None:
        raise Usage("name a database or a file", key="store", hint="use --store or --file")
    return _report_chain(report, found, broken)  # pyright: ignore[reportPossiblyUnboundVariable]  # one of both is given


def read_password(name: str) -> str:
    """Read a new password, never from an argument: other users of the machine see those."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    try:
        first, again = getpass.getpass(f"password of {name}: "), getpass.getpass("again: ")
    except EOFError as error:
        raise Usage(
            "no password was typed", key="password", hint="type it, or send it to the standard input"
        ) from error
    if first != again:
        raise Usage("the two passwords differ", key="password", hint="type the same one twice")
    return first


def read_who() -> str:
    """Return the name of this person in the audit log."""
    try:
        return f"console {getpass.getuser()}"
    except (OSError, KeyError):  # a user without a name
        return "console"


def parse_grant(role: str, site: str) -> RoleGrant:
    """Return the role at a site that two options name; raise `Usage`."""
    roles = [one.value for one in FleetRole]
    if role not in roles:
        raise Usage(f"{role!r} is not a role", key="role", value=role, bound=roles, hint=f"use {', '.join(roles)}")
    if site != ALL_SITES:
        try:
            check_name(site, "site")
        except PayloadError as error:
            raise Usage(error.what, key="site", value=site, hint="name a site of the fleet, or * for all") from error
    return RoleGrant(FleetRole(role), site)


def read_export(path: Path) -> Iterator[AuditRecord]:
    """Read the entries of an exported file; raise `Usage` for a line that is none."""
    try:
        with path.open(encoding="utf-8") as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                yield parse_record(line)
    except OSError as error:
        raise Usage(error.strerror or str(error), where=str(path), key="file", hint="name an exported file") from error
    except ValueError as error:
        hint = "name a file that `fleet audit export` wrote"
        raise Usage(f"{error}", where=str(path), line=number, key="file", hint=hint) from error  # pyright: ignore[reportPossiblyUnboundVariable]  # only lines raise it


@contextmanager
def _read(store: Path | str) -> Generator[Connection]:
    """Read on a connection that locks nothing: the fleet may run."""
    open_writer(store).close()  # it makes the tables that are missing
    with closing(FleetReader(store)) as reader, reader.begin() as connection:
        yield connection


@contextmanager
def _open(store: Path | str) -> Generator[FleetWriter]:
    with closing(open_writer(store)) as writer:
        yield writer


def _parse_anchor(head: str) -> ChainHead | None:
    try:
        return parse_head(head) if head else None
    except ValueError as error:
        hint = "copy the line `head` that `fleet audit export` printed"
        raise Usage(f"{head[:80]!r} is {error}", key="head", value=head[:80], hint=hint) from error


def _report_chain(report: Report, found: ChainHead, broken: BrokenLink | None) -> bool:
    report.body.update(entries=found.number, head=str(found))
    if broken is not None:
        report.body.update(broken=broken.number)
        hint = "compare with a copy; until it is explained trust no entry from there on"
        raise CheckFailed(f"entry {broken.number}: {broken.finding}", key="audit", value=broken.number, hint=hint)
    report.line(f"{found.number} entries, each continues the one before")
    report.line(f"head {found}")
    return True


def _report_account(report: Report, account: Account, done: str) -> bool:
    report.body.update(account=_describe(account))
    report.line(f"account {account.name} is {done}")
    report.line(_format_account(account))
    return True


def _describe(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "made_ms": account.made_ms,
        "disabled_ms": account.disabled_ms,
        "roles": administration.format_grants(account.grants),
    }


def _format_account(account: Account) -> str:
    roles = ", ".join(_format_roles(account.grants)) or "no role"
    since = "" if account.disabled_ms is None else f"  disabled {_format_day(account.disabled_ms)}"
    return f"{account.name:<20} {roles}{since}"


def _format_roles(grants: Collection[RoleGrant]) -> list[str]:
    return [f"{one.role.value} at {'all sites' if one.site == ALL_SITES else one.site}" for one in sorted(grants)]


def _format_day(t_ms: int) -> str:
    return datetime.fromtimestamp(t_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
