"""The NCMDs by which a host asks a node for a birth or for rows, with the id of a person's command where it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_bridge import metrics
from edge_bridge.fleet import commands
from edge_bridge.fleet.device_command import CommandKind

if TYPE_CHECKING:
    from edge_bridge.fleet.device_command import DeviceCommand
    from edge_bridge.fleet.host import HostApplication
    from edge_bridge.mqtt import MqttMessage
    from edge_bridge.sparkplug.payload import Value


def make_row_request(host: HostApplication, node: str, rows: str, now_ms: int) -> MqttMessage:
    """Make the request for rows, named as an acknowledgement names them."""
    return commands.make_command(host.find_group(node), node, _ask_rows(host, rows), now_ms)


def make_device_command(host: HostApplication, node: str, command: DeviceCommand, now_ms: int) -> MqttMessage | None:
    """Make the message of a command; None for a node whose birth does not declare what it needs.

    An edge of an earlier version declares no id, and gets none: it does what it is asked and does not answer.
    """
    if command.kind is CommandKind.RESEND and not host.declares(node, metrics.RESEND):
        return None
    values: dict[str, Value] = (
        _ask_rows(host, command.rows) if command.kind is CommandKind.RESEND else {metrics.REBIRTH: True}
    )
    if host.declares(node, metrics.COMMAND_ID):
        values |= {metrics.COMMAND_ID: command.id, metrics.COMMAND_REQUEST: command.request}
    return commands.make_command(host.find_group(node), node, values, now_ms)


def _ask_rows(host: HostApplication, rows: str) -> dict[str, Value]:
    return {metrics.RESEND: rows, metrics.ACKNOWLEDGED_BY: host.host}
