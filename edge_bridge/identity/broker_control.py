"""Control of a running broker: cut and block a revoked device, and let the broker read its files again."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.clock import monotonic
from drivers.errors import BrokerMissing, Refused
from drivers.regular_file import read_regular
from edge_bridge.identity import broker_files
from edge_bridge.identity.broker_files import CONTROL_ROLE, CONTROL_TOPIC, REVOKED_ROLE
from edge_bridge.identity.revocation_notice import FILTER, make_notice
from edge_bridge.mqtt import LinkDown, LinkUp, MqttLink, MqttMessage

if TYPE_CHECKING:
    from edge_bridge.identity.initial_setup import FleetFolder

ANSWER_S: Final = 10.0
_MAX_PID: Final = 32  # bytes of the file
_PROGRAM: Final = "mosquitto"


def reload_files(fleet: FleetFolder) -> bool:
    """Let the broker of this machine read its files again; return False if it does not run here."""
    try:
        pid = int(read_regular(fleet.broker / broker_files.PROCESS, _MAX_PID))
        if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() != _PROGRAM:
            return False  # another program got the number since
        os.kill(pid, signal.SIGHUP)
    except (OSError, ValueError, AttributeError):  # Windows has no such signal
        return False
    return True


def block(fleet: FleetFolder, node: str, url: str = "", answer_s: float = ANSWER_S) -> None:
    """Cut the open connection of a device, take all its rights and tell the hosts.

    Raise `BrokerMissing` or `Refused`. The hosts are told after the cut, else a message of the device could follow.
    """
    role = [{"rolename": REVOKED_ROLE}]
    right = {"acltype": "publishClientSend", "topic": FILTER.replace("+", "#"), "priority": 0, "allow": True}
    _command(
        *(fleet, url, answer_s),
        {"command": "deleteClient", "username": node},  # of an earlier revocation
        {"command": "createClient", "username": node, "roles": role},
        {"command": "disableClient", "username": node},
        {"command": "addRoleACL", "rolename": CONTROL_ROLE, **right},  # what `fleet init` made earlier lacks it
    )
    answered = {"command": "getRole", "rolename": REVOKED_ROLE}  # when it is, the broker has the notice too
    _command(*(fleet, url, answer_s), answered, before=(make_notice(node),))


def unblock(fleet: FleetFolder, node: str, url: str = "") -> None:
    """Give a device its rights again, which its certificate must still earn; raise `BrokerMissing` or `Refused`."""
    _command(fleet, url, ANSWER_S, {"command": "deleteClient", "username": node})


def _command(
    fleet: FleetFolder, url: str, answer_s: float, *commands: dict[str, Any], before: tuple[MqttMessage, ...] = ()
) -> None:
    """Publish `before`, send commands and read the answers; each must succeed, or find what it was to make."""
    url = url or fleet.broker_url
    reason, until_s = "it does not answer", monotonic() + answer_s
    with closing(MqttLink(url, "control", None, (f"{CONTROL_TOPIC}/#",), fleet.control)) as link:
        while monotonic() < until_s:
            for event in link.poll(0.1):
                match event:
                    case LinkUp():
                        asked = MqttMessage(CONTROL_TOPIC, json.dumps({"commands": commands}).encode(), qos=1)
                        link.publish_all([*before, asked])
                    case LinkDown():
                        reason = event.reason
                    case MqttMessage():
                        if (errors := _read_errors(event.payload)) is not None:
                            _check(commands, errors)
                            return
    raise BrokerMissing(
        f"{url}: {reason}", key="broker", value=url, hint="start the broker of this fleet, then try again"
    )


def _read_errors(payload: bytes) -> list[str] | None:
    """Return the error of each command, empty for a success; None for a message that is not an answer."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        return [str(one.get("error", "")) for one in json.loads(payload)["responses"]]
    return None


def _check(commands: tuple[dict[str, Any], ...], errors: list[str]) -> None:
    """Raise `Refused` for an error, but not where a client to be deleted does not exist, or a right does already."""
    for command, error in zip(commands, errors, strict=False):
        if error and command["command"] not in {"deleteClient", "addRoleACL"}:
            what = f"the broker refused {command['command']}: {error}"
            raise Refused(what, key="node", value=command.get("username", ""), hint="look into the log of the broker")
