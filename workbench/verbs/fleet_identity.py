"""`fleet init`, `enroll`, `certify`, `revoke`, `identities`: who may take part in a fleet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drivers.errors import BrokerMissing, Usage
from drivers.regular_file import read_regular
from drivers.state_file import write_bytes
from edge_bridge.identity import broker_control, initial_setup, x509
from edge_bridge.identity.authority import Authority
from edge_bridge.identity.initial_setup import ADMINISTRATOR, read_fleet_folder, write_revocation_list
from edge_bridge.identity.x509 import CertificateKind

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.report import Report

HOUR_S: Final = 3600.0
CERTIFICATE_FILE: Final = "certificate.pem"
RELOAD: Final = "copy its folder `broker` to the machine of the broker, if it is another one, and reload it there"


def init(report: Report, folder: Path, names: list[str], *, port: int, address: str, renew: bool) -> bool:
    """Make the folder of a fleet, or renew its certificates; raise `Usage` or `Refused`."""
    if renew:
        fleet = initial_setup.renew(folder)
        report.line("the certificates of broker, host and API are new")
        _reload(report, broker_control.reload_files(fleet))
    else:
        fleet, is_new = initial_setup.set_up(folder, names, port, address=address)
        if not is_new:
            report.line(
                f"{folder} is the folder of a fleet already; nothing is changed (--renew makes new certificates)"
            )
        else:
            for line in (
                f"broker         mosquitto -c {fleet.broker}/mosquitto.conf",
                f"fleet          fleet --tls {folder} --db FILE",
                f"a device       fleet enroll NODE --dir {folder}",
                f"administrator  {fleet.path / ADMINISTRATOR}",
                f"keep a copy of {fleet.path / 'authority'} in a safe place: without it no certificate can be made",
            ):
                report.line(line)
    report.body.update(folder=str(fleet.path), broker=fleet.broker_url, names=list(fleet.names))
    return True


def enroll(report: Report, node: str, folder: Path, *, hours: float, broker: str) -> bool:
    """Print a token for one device; raise `Usage`, `Refused` or `BrokerMissing`."""
    fleet, authority = read_fleet_folder(folder), Authority(folder)
    if any(one.revoked_s is not None for one in authority.list_certificates(node)):
        write_revocation_list(authority, fleet)  # before its name has rights again
        _reload(report, broker_control.reload_files(fleet))
        broker_control.unblock(fleet, node, broker)
    token = authority.offer(node, hours * HOUR_S)
    report.body.update(node=node, token=str(token), hours=hours)
    report.line(f"token for {node}, for one device, valid for {hours:g} h:")
    report.line(str(token))
    return True


def certify(report: Report, name: str, folder: Path, out: Path, *, request: Path | None, host: bool) -> bool:
    """Make a certificate without the network; raise `Usage` or `Refused`."""
    fleet, authority = read_fleet_folder(folder), Authority(folder)
    if out.exists() and any(out.iterdir()):
        raise Usage("exists and is not empty", where=str(out), key="out", hint="name a new folder")
    if host:
        if request is not None:
            raise Usage("--host makes its own key", key="request", hint="leave out --request")
        initial_setup.add_host(authority, fleet, name, out)
        _reload(report, broker_control.reload_files(fleet))
    elif request is not None:
        try:
            asked = read_regular(request, x509.MAX_PEM)
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise Usage(what, where=str(request), key="request", hint="name the file of a request") from error
        made = authority.certify(asked, CertificateKind.DEVICE, name=name)
        write_bytes(out / initial_setup.AUTHORITY, authority.certificate, private=True)
        write_bytes(out / CERTIFICATE_FILE, made.pem, private=True)
    else:
        authority.make_identity(out, name, CertificateKind.DEVICE)
    report.body.update(name=name, out=str(out))
    report.line(f"{name}: {', '.join(sorted(path.name for path in out.iterdir()))} in {out}")
    return True


def revoke(report: Report, node: str, folder: Path, *, reason: str, broker: str) -> bool:
    """Revoke a name and cut its connection; return False if the broker could not be told."""
    fleet, authority = read_fleet_folder(folder), Authority(folder)
    count = authority.revoke(node, reason)
    write_revocation_list(authority, fleet)
    report.line(f"{node}: {count} certificate{'' if count == 1 else 's'} revoked")
    reloaded = broker_control.reload_files(fleet)
    _reload(report, reloaded)
    try:
        broker_control.block(fleet, node, broker)
    except BrokerMissing as error:
        report.line(f"the connection of {node} could not be cut: {error}")
        report.line("the broker refuses the certificate from its next start or reload on")
        cut = False
    else:
        report.line(f"{node} is cut off and has no rights at the broker")
        cut = True
    report.body.update(node=node, certificates=count, cut=cut, reloaded=reloaded)
    return cut


def list_identities(report: Report, name: str, folder: Path) -> bool:
    """List certificates; raise `Usage`."""
    found = Authority(folder).list_certificates(name)
    now_s = datetime.now(UTC).timestamp()
    rows = [
        {
            "name": one.name,
            "kind": one.kind,
            "serial": f"{one.serial:x}",
            "expires": f"{datetime.fromtimestamp(one.expires_s, UTC):%Y-%m-%d}",
            "state": "revoked" if one.revoked_s is not None else "expired" if one.expires_s < now_s else "valid",
            "reason": one.reason,
        }
        for one in found
    ]
    for row in rows:
        report.line(
            f"{row['name']:<20} {row['kind']:<8} {row['state']:<8} until {row['expires']}  {row['reason']}".rstrip()
        )
    report.body.update(identities=rows)
    return True


def _reload(report: Report, reloaded: bool) -> None:  # noqa: FBT001  # what the broker did
    report.line("the broker of this machine read its files again" if reloaded else f"no broker runs here: {RELOAD}")
