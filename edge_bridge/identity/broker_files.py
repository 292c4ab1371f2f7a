"""The files of a mosquitto that only a fleet's own devices and hosts may use: configuration, rights, control.

A device's rights are patterns with its name (`%u`), so they need no entry for each device. The plugin for dynamic
security serves one purpose: it cuts and blocks a revoked device at once.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from drivers.state_file import write_bytes
from edge_bridge.identity.identity_folder import AUTHORITY, IDENTITY
from edge_bridge.identity.revocation_notice import FILTER
from edge_bridge.sparkplug.topics import NAMESPACE, STATE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER: Final = "broker"
CONFIGURATION: Final = "mosquitto.conf"
RIGHTS: Final = "rights.acl"
CONTROL: Final = "dynamic-security.json"
REVOKED: Final = "revoked.crl"
PROCESS: Final = "mosquitto.pid"
PLUGIN: Final = "mosquitto_dynamic_security.so"  # the loader finds it where the system keeps its libraries
PORT: Final = 8883
REVOKED_ROLE: Final = "revoked"
CONTROL_ROLE: Final = "control"
CONTROL_TOPIC: Final = "$CONTROL/dynamic-security/v1"

_CONFIGURATION: Final = """\
# Made by `fleet init`. Start it with: mosquitto -c {folder}/{configuration}
# Read again, with certificates, rights and revocations, on SIGHUP (systemctl reload).
user {user}
pid_file {folder}/{process}
listener {port}{address}
cafile {folder}/{authority}
certfile {folder}/{identity}
keyfile {folder}/{identity}
crlfile {folder}/{revoked}
tls_version tlsv1.2
require_certificate true
# The common name of the certificate is the user; it is the client id too, so that nobody can take over the
# connection of another by its id.
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {folder}/{rights}
plugin {plugin}
plugin_opt_config_file {folder}/{control}
# The edges keep what was not stored; the broker keeps nothing.
persistence false
max_packet_size 262144
# No host and no edge reads a larger payload.
message_size_limit 65536
# What waits for a host that is slower than all devices together; more is dropped and sent again by the edges.
max_queued_messages 20000
max_queued_bytes 67108864
log_dest stderr
log_type error
log_type warning
log_type notice
"""


def make_configuration(folder: Path, user: str, port: int = PORT, address: str = "") -> str:
    """Return the text of `mosquitto.conf`; without an `address` it listens on all."""
    return _CONFIGURATION.format(
        folder=folder,
        user=user,
        port=port,
        address=f" {address}" if address else "",
        configuration=CONFIGURATION,
        process=PROCESS,
        authority=AUTHORITY,
        identity=IDENTITY,
        revoked=REVOKED,
        rights=RIGHTS,
        plugin=PLUGIN,
        control=CONTROL,
    )


def make_rights(hosts: Iterable[str]) -> str:
    """Return the text of the access control list: each device as itself only, each host as a host."""
    lines = ["# A device: its own births, data and deaths; its own commands and the STATE of hosts."]
    lines += [f"pattern write {NAMESPACE}/+/{kind}/%u" for kind in ("NBIRTH", "NDATA", "NDEATH")]
    lines += [f"pattern read {NAMESPACE}/+/NCMD/%u", f"pattern read {NAMESPACE}/{STATE}/+"]
    for host in hosts:
        lines += ["", f"user {host}"]
        lines += [f"topic read {NAMESPACE}/+/{kind}/+" for kind in ("NBIRTH", "NDATA", "NDEATH")]
        lines += [f"topic write {NAMESPACE}/+/NCMD/+", f"topic readwrite {NAMESPACE}/{STATE}/+"]
        lines += [f"topic read {FILTER}"]
    return "\n".join(lines) + "\n"


def make_control(control: str) -> str:
    """Return the start of the plugin's state: one client that may control it, and the role of a revoked device."""
    kinds = ("publishClientSend", "publishClientReceive", "subscribePattern")
    state = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": False,
            "subscribe": False,
            "unsubscribe": True,
        },
        "clients": [{"username": control, "textName": "controls this plugin", "roles": [{"rolename": CONTROL_ROLE}]}],
        "roles": [
            {"rolename": CONTROL_ROLE, "acls": [_make_acl(kind, f"{CONTROL_TOPIC}/#", allow=True) for kind in kinds]},
            {"rolename": REVOKED_ROLE, "acls": [_make_acl(kind, "#", allow=False) for kind in kinds]},
        ],
    }
    return json.dumps(state, indent=1)


def write_for_broker(folder: Path, name: str, data: bytes) -> None:
    """Write a file that the owner of the broker's folder, and nobody else, may read."""
    write_bytes(folder / name, data, private=True)
    give_to_owner(folder, name)


def give_to_owner(folder: Path, name: str) -> None:
    """Give a file to the owner of its folder, where this program may."""
    about = folder.stat()
    if os.name == "posix" and os.geteuid() == 0:
        os.chown(folder / name, about.st_uid, about.st_gid)


def _make_acl(kind: str, topic: str, *, allow: bool) -> dict[str, Any]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": allow}
