"""The verbs below `fleet` that say who may take part: `cli` adds them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import AsJson
from workbench.report import Report
from workbench.run_verb import run_verb

FleetDir = Annotated[Path, typer.Option("--dir", metavar="DIR", help="Folder of fleet init.")]
Node = Annotated[str, typer.Argument(metavar="NODE", help="Name of the device.")]
BrokerUrl = Annotated[
    str, typer.Option("--broker", metavar="URL", help="Address of the broker; default: that of fleet init.")
]


def fleet_init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder of the fleet.")],
    *,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Name or address of the broker; the packs use the first.  [repeatable]"),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the broker.")] = 8883,
    address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address that the broker listens on; default: all.")
    ] = "",
    renew: Annotated[bool, typer.Option("--renew", help="Make new certificates for broker, host and API.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a secure fleet in one folder: authority, broker configuration, keys, first administrator.

    A second run changes nothing.
    """
    from workbench.verbs import fleet_identity as verb

    report = Report("fleet init", as_json)
    run_verb(report, verb.init, folder, name or [], port=port, address=address, renew=renew)


def fleet_enroll(
    node: Node,
    folder: FleetDir,
    *,
    hours: Annotated[float, typer.Option(min=0.1, max=720.0, help="Hours until the token ends.")] = 24.0,
    broker: BrokerUrl = "",
    as_json: AsJson = False,
) -> None:
    """Print a token with which one device enrols once: edge --enroll URL --token TOKEN."""
    from workbench.verbs import fleet_identity as verb

    run_verb(Report("fleet enroll", as_json), verb.enroll, node, folder, hours=hours, broker=broker)


def fleet_certify(
    node: Annotated[str, typer.Argument(metavar="NAME", help="Name of the device, or of one more host.")],
    folder: FleetDir,
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for the result.")],
    *,
    request: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Request of the device (PKCS 10, PEM); default: make its key here."),
    ] = None,
    host: Annotated[bool, typer.Option("--host", help="Make the identity of one more host, not of a device.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a certificate without the network, to be carried to the device."""
    from workbench.verbs import fleet_identity as verb

    run_verb(Report("fleet certify", as_json), verb.certify, node, folder, out, request=request, host=host)


def fleet_revoke(
    node: Node,
    folder: FleetDir,
    *,
    reason: Annotated[str, typer.Option(metavar="WORDS", help="Why, for the register.")] = "",
    broker: BrokerUrl = "",
    as_json: AsJson = False,
) -> None:
    """Revoke the certificates of a device and cut its connection at once."""
    from workbench.verbs import fleet_identity as verb

    run_verb(Report("fleet revoke", as_json), verb.revoke, node, folder, reason=reason, broker=broker)


def fleet_identities(
    folder: FleetDir,
    node: Annotated[str, typer.Argument(metavar="[NAME]", help="Only those of this name.", show_default=False)] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """List the certificates of a fleet, and which are revoked or expired."""
    from workbench.verbs import fleet_identity as verb

    run_verb(Report("fleet identities", as_json), verb.list_identities, node, folder)
