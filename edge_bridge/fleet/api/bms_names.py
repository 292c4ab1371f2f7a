"""`/devices/NODE/bms-names`: what the numbers of a device's BMS mean, by the DBC of the bundle that it runs."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from drivers.errors import PulseError
from edge_bridge import metrics
from edge_bridge.bundle.value_names import BmsNames, read_bms_names
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.fields import SHA256_PATTERN, NodePath
from edge_bridge.fleet.api.problems import make_not_found
from edge_bridge.fleet.bundle_library import BundleLibrary

router = APIRouter(prefix="/devices/{node}", tags=["devices"])
MAX_CACHED: Final = 64  # bundles


class BmsNamesBody(BaseModel):
    """Names by number, written as text. Both are empty for a device whose bundle this fleet does not have."""

    bundle: str | None = Field(description="SHA-256 of the bundle that names them; null if it is not here.")
    states: dict[str, str]
    faults: dict[str, str]


@router.get("/bms-names", summary="Read the names of BMS states and faults")
def read_names(context: Context, node: NodePath) -> BmsNamesBody:
    """Read the value tables of the bundle that the device says it runs."""
    device = context.directory.read().devices.get(node)
    if device is None:
        raise make_not_found(f"a device {node}")
    running = str(device.status.get(metrics.SHA256) or "")
    found = _find_names(context, running)
    if found is None:
        return BmsNamesBody(bundle=None, states={}, faults={})
    states, faults = ({str(number): word for number, word in one.items()} for one in (found.states, found.faults))
    return BmsNamesBody(bundle=running, states=states, faults=faults)


def _find_names(context: ApiContext, running: str) -> BmsNames | None:
    """Return the names of a bundle, None where it is not here or its DBC cannot be read."""
    if not re.fullmatch(SHA256_PATTERN, running) or context.library.find(running) is None:
        return None
    try:
        return _read_names(context.library, running)
    except (PulseError, OSError):
        return None


@lru_cache(MAX_CACHED)
def _read_names(library: BundleLibrary, running: str) -> BmsNames:
    """Read them once: a bundle does not change."""
    return read_bms_names(library.read(running) or b"")
