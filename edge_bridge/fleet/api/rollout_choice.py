"""Which devices a rollout is for, which of them are first, and whether they could go back."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from edge_bridge.fleet.api.problems import ProblemRaised
from edge_bridge.fleet.rollout import BEGUN

if TYPE_CHECKING:
    from edge_bridge.fleet.api.context import ApiContext
    from edge_bridge.fleet.bundle_library import BundleLibrary
    from edge_bridge.fleet.rollout import Rollout

MAX_DEVICES: Final = 2_000  # of one rollout
_WRONG: Final = HTTPStatus.UNPROCESSABLE_ENTITY


def choose_devices(
    context: ApiContext, devices: list[str] | None, site: str | None, group: str | None, canary: int | list[str]
) -> tuple[list[str], set[str]]:
    """Return all devices and the canaries among them; raise `ProblemRaised` for a choice that is none."""
    known = context.directory.read().devices
    if devices is not None:
        nodes = list(dict.fromkeys(devices))
        unknown = next((node for node in nodes if node not in known), None)
        if unknown is not None:
            raise ProblemRaised(_WRONG, "no-device", f"a device {unknown} is not known")
    elif site is not None:
        nodes = [node for node in known if context.find_site(node) == site]
    else:
        nodes = [node for node in known if context.find_group(node) == group]
    if not 1 <= len(nodes) <= MAX_DEVICES:
        words = f"the choice has {len(nodes)} devices, a rollout has 1 to {MAX_DEVICES}"
        raise ProblemRaised(_WRONG, "no-devices", words)
    if isinstance(canary, int):
        ordered = sorted(nodes, key=lambda node: (not known[node].online, node))
        return nodes, set(ordered[:canary])
    foreign = next((node for node in canary if node not in nodes), None)
    if foreign is not None:
        raise ProblemRaised(_WRONG, "canary", f"the canary {foreign} is not among the devices")
    return nodes, set(canary)


def find_way_back_trouble(library: BundleLibrary, rollout: Rollout) -> str:
    """Return why devices cannot go back to their former bundles, empty if they can: an edge takes no older serial."""
    new = library.find(rollout.bundle)
    for former in sorted({one.former for one in rollout.steps if one.state in BEGUN and one.former}):
        old = library.find(former)
        if old is None:
            return f"the fleet does not have the former bundle {former[:12]}"
        names = [str(one.body["name"]).casefold() for one in (old, new) if one is not None]
        if new is not None and names[0] == names[1] and int(old.body["serial"]) < int(new.body["serial"]):
            words = f"the former bundle has serial {old.body['serial']}"
            return f"{words}, and an edge that found {new.body['serial']} healthy takes no older one"
    return ""
