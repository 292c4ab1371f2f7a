"""The identity of an edge at its start: enrolled once, chosen, and renewed while it runs."""

from __future__ import annotations

from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import Usage
from edge_bridge.broker_address import check_protection, is_encrypted
from edge_bridge.identity.enrolment import SETTINGS, enrol, is_enrolled, read_enrolment
from edge_bridge.identity.identity_folder import open_identity
from edge_bridge.identity.renewal import CertificateRenewal

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

IDENTITY: Final = "identity"  # in the state folder
NODE: Final = "pack"


def enrol_once(folder: Path, server: str, token: str, log: Callable[[str], None]) -> None:
    """Enrol, unless that was done before: the same command may start the edge again. Raise `PulseError`."""
    if is_enrolled(folder):
        return
    if not (server and token):
        raise Usage("--enroll and --token must be used together", key="enroll", hint="give the address and the token")
    enrol(folder, server, token)
    log(f"enrolled as {open_identity(folder).certificate.name}")


def choose_identity(broker: str, tls: Path | None, own: Path, node: str) -> tuple[str, Path | None, str]:
    """Return broker, identity folder (None: without TLS) and node name; raise `Usage` or `Refused`.

    `own` is the folder of an enrolled edge. A node other than that of the certificate could send nothing.
    """
    if tls is None and is_enrolled(own) and (not broker or is_encrypted(broker)):
        tls = own
    if not broker:
        if tls is None:
            hint = "name it: --broker mqtts://HOST:PORT; or enrol this device: --enroll URL --token TOKEN"
            raise Usage("Missing option '--broker'", key="broker", hint=hint)
        broker = read_enrolment(tls).broker
    check_protection(broker, tls)
    if tls is None:
        return broker, None, node or NODE
    name = open_identity(tls).certificate.name
    if node not in ("", name):
        what = f"the certificate of this device is for {name}, not for {node}"
        raise Usage(what, key="node", value=node, bound=name, hint="leave out --node, or enrol in the other name")
    return broker, tls, name


def renew_in_background(folder: Path | None, log: Callable[[str], None]) -> AbstractContextManager[Any]:
    """Renew the certificate within the block, if the device was enrolled over the network."""
    if folder is None or not (folder / SETTINGS).exists():
        return nullcontext()
    return closing(CertificateRenewal(folder, log))
