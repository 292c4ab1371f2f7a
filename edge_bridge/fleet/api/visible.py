"""What a person may see or change: the devices at the sites where the person has a role."""

from __future__ import annotations

from http import HTTPStatus

from edge_bridge.fleet.api.context import ApiContext
from edge_bridge.fleet.api.device_directory import DeviceList
from edge_bridge.fleet.api.problems import ProblemRaised
from edge_bridge.fleet.people.person import Person
from edge_bridge.fleet.people.roles import FleetAction


def find_visible(context: ApiContext, person: Person) -> DeviceList:
    """Return the devices that this person may see."""
    listed, nodes = context.directory.read(), find_visible_nodes(context, person)
    if nodes is None:
        return listed
    return DeviceList({node: listed.devices[node] for node in listed.devices if node in nodes}, listed.read_s)


def find_visible_nodes(context: ApiContext, person: Person) -> frozenset[str] | None:
    """Return the names of the devices that this person may see; None: all."""
    sites = person.find_sites(FleetAction.VIEW)
    if sites is None:
        return None
    return frozenset(node for node in context.directory.read().devices if context.find_site(node) in sites)


def require_device(context: ApiContext, person: Person, action: FleetAction, node: str) -> None:
    """Raise 403 if the person may not do this with a device."""
    if not person.may(action, context.find_site(node)):
        words = f"{person.name} has no role at the site of {node} that permits: {action.value}"
        raise ProblemRaised(HTTPStatus.FORBIDDEN, "forbidden", words, "ask an administrator for the role")
