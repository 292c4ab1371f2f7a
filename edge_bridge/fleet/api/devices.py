"""`/devices`: the packs of the fleet, filtered and sorted, and one of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from edge_bridge import metrics
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.cursors import make_cursor, read_cursor
from edge_bridge.fleet.api.device_directory import STATES, DeviceRecord
from edge_bridge.fleet.api.fields import Cursor, Limit, Ms, Name, NodePath
from edge_bridge.fleet.api.problems import make_not_found
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.api.visible import find_visible
from edge_bridge.fleet.node_state import MAX_TEXT
from edge_bridge.sparkplug.topics import MAX_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

router = APIRouter(prefix="/devices", tags=["devices"])


class DeviceState(StrEnum):
    """What a device is, the state that needs most attention first."""

    TRIPPED = "tripped"
    OFFLINE = "offline"
    HELD = "held"
    ONLINE = "online"


class DeviceSort(StrEnum):
    """The order of a list; entries without the value come last."""

    NAME = "name"
    ATTENTION = "attention"
    NEWEST = "newest"
    SOC = "soc"
    SOH = "soh"
    MISSING = "missing"


Text = Annotated[str, Field(max_length=MAX_TEXT)]


class DeviceBody(BaseModel):
    """A device: its last status, null where it never told, and its rows. Currents are positive in discharge."""

    node: Name
    site: Text | None = Field(description="Site that it belongs to.")
    group: Text = Field(description="Sparkplug group.")
    state: DeviceState
    online: bool
    last_ms: Ms | None = Field(description="Time of the newest row.")
    rows_stored: int = Field(ge=0)
    rows_named: int = Field(ge=0, description="Rows that the device evicted and named in gaps.")
    rows_missing: int = Field(ge=0, description="Rows that nothing explains.")
    bundle: Text | None = Field(description="SHA-256 of the running bundle.")
    bundle_name: Text | None
    bundle_evidence: Text | None
    bundle_serial: int | None
    bundle_desired: Text | None
    bundle_state: Text | None
    bundle_reason: Text | None
    bundle_received: int | None = Field(description="Bytes received of the desired bundle.")
    gate_verdict: Text | None
    gate_reason: Text | None
    soc: float | None
    soc_std: float | None
    soh: float | None
    soh_std: float | None
    soh_min: float | None
    current_a: float | None
    voltage_v: float | None
    cell_min_v: float | None
    cell_max_v: float | None
    temperature_max_k: float | None
    resistance_growth: float | None
    resistance_growth_std: float | None
    outbox_depth: int | None
    outbox_evicted: int | None


class DevicePage(BaseModel):
    """A page of devices, and how many of the filter there are."""

    devices: list[DeviceBody]
    total: int = Field(ge=0)
    counts: dict[DeviceState, int] = Field(
        description="Devices of the site and group asked for, by state; of all that the person may see if neither is."
    )
    next: str | None = Field(description="Cursor of the next page, null at the end.")


@dataclass(frozen=True, slots=True)
class DevicePlace:
    """Which devices a list is about, by their place; as it stands: all."""

    site: str | None = None
    group: str | None = None
    has_no_site: bool = False
    has_no_group: bool = False


_METRIC_OF: Final = {
    "bundle": metrics.SHA256,
    "bundle_name": metrics.NAME,
    "bundle_evidence": metrics.EVIDENCE,
    "bundle_serial": metrics.SERIAL,
    "bundle_desired": metrics.DESIRED,
    "bundle_state": metrics.STATE,
    "bundle_reason": metrics.REASON,
    "bundle_received": metrics.RECEIVED,
    "gate_verdict": metrics.VERDICT,
    "gate_reason": metrics.VERDICT_REASON,
    "soc": metrics.SOC,
    "soc_std": metrics.SOC_STD,
    "soh": metrics.SOH,
    "soh_std": metrics.SOH_STD,
    "soh_min": metrics.SOH_MIN,
    "current_a": metrics.CURRENT,
    "voltage_v": metrics.VOLTAGE,
    "cell_min_v": metrics.CELL_MIN,
    "cell_max_v": metrics.CELL_MAX,
    "temperature_max_k": metrics.TEMPERATURE,
    "resistance_growth": metrics.GROWTH,
    "resistance_growth_std": metrics.GROWTH_STD,
    "outbox_depth": metrics.DEPTH,
    "outbox_evicted": metrics.EVICTED,
}
_KINDS: Final = {"float | None": {float, int}, "int | None": {int}}  # a status of an earlier version may hold others
_FIELDS: Final = [
    (name, metric, _KINDS.get(str(DeviceBody.model_fields[name].annotation), {str}))
    for name, metric in _METRIC_OF.items()
]
_LAST: Final = float("inf")
_KEYS: Final[dict[DeviceSort, Callable[[DeviceRecord], float]]] = {
    DeviceSort.NAME: lambda _device: 0.0,
    DeviceSort.ATTENTION: lambda device: float(STATES.index(device.state)),
    DeviceSort.NEWEST: lambda device: _LAST if device.last_ms is None else -float(device.last_ms),
    DeviceSort.SOC: lambda device: _read_number(device, metrics.SOC),
    DeviceSort.SOH: lambda device: _read_number(device, metrics.SOH),
    DeviceSort.MISSING: lambda device: -float(device.missing),
}


@router.get("", summary="List devices")
def list_devices(
    context: Context,
    person: SignedIn,
    *,
    state: DeviceState | None = None,
    q: Annotated[str | None, Query(max_length=60, description="Part of the name.")] = None,
    bundle: Annotated[str | None, Query(max_length=64, description="Beginning of the bundle's SHA-256.")] = None,
    site: Annotated[str | None, Query(max_length=60, description="Name of a site.")] = None,
    group: Annotated[str | None, Query(max_length=MAX_NAME, description="Name of a Sparkplug group.")] = None,
    no_site: Annotated[bool, Query(description="Only devices of no site.")] = False,
    no_group: Annotated[bool, Query(description="Only devices whose group is not known.")] = False,
    sort: DeviceSort = DeviceSort.NAME,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> DevicePage:
    """List the devices that match, in this order."""
    visible = find_visible(context, person)
    key = _KEYS[sort]
    asked = DevicePlace(site, group, has_no_site=no_site, has_no_group=no_group)
    placed = list(_filter_places(context, visible.devices.values(), asked))
    counts = visible.counts if asked == DevicePlace() else Counter(device.state for device in placed)
    found = list(_filter(placed, state, q, bundle))
    places = sorted((key(device), device.node) for device in found)
    begin = 0
    if cursor is not None:
        value, node = read_cursor(cursor, sort.value, float, str)
        begin = bisect_right(places, (value, node))
    page = places[begin : begin + limit]
    has_more = begin + limit < len(places)
    return DevicePage(
        devices=[make_device(context, visible.devices[node]) for _, node in page],
        total=len(found),
        counts={DeviceState(name): counts[name] for name in STATES},
        next=make_cursor(sort.value, *page[-1]) if has_more else None,
    )


@router.get("/{node}", summary="Read one device")
def read_device(context: Context, node: NodePath) -> DeviceBody:
    """Read one device."""
    device = context.directory.read().devices.get(node)
    if device is None:
        raise make_not_found(f"a device {node}")
    return make_device(context, device)


def make_device(context: ApiContext, device: DeviceRecord) -> DeviceBody:
    """Return the body of a device."""
    status = device.status
    said: dict[str, Any] = {
        name: value if type(value := status.get(metric)) in kinds else None for name, metric, kinds in _FIELDS
    }
    return DeviceBody.model_construct(
        node=device.node,
        site=context.find_site(device.node),
        group=context.find_group(device.node),
        state=DeviceState(device.state),
        online=device.online,
        last_ms=device.last_ms,
        rows_stored=device.stored,
        rows_named=device.named,
        rows_missing=device.missing,
        **said,
    )


def _filter_places(context: ApiContext, devices: Iterable[DeviceRecord], asked: DevicePlace) -> Iterable[DeviceRecord]:
    for device in devices:
        if asked.site is not None or asked.has_no_site:
            site = context.find_site(device.node)
            if (asked.has_no_site and site is not None) or asked.site not in {None, site}:
                continue
        if asked.group is not None or asked.has_no_group:
            group = context.find_group(device.node)
            if (asked.has_no_group and group) or asked.group not in {None, group}:
                continue
        yield device


def _filter(
    devices: Iterable[DeviceRecord], state: DeviceState | None, part: str | None, bundle: str | None
) -> Iterable[DeviceRecord]:
    for device in devices:
        if state is not None and device.state != state:
            continue
        if part and part.lower() not in device.node.lower():
            continue
        if bundle and not str(device.status.get(metrics.SHA256) or "").startswith(bundle):
            continue
        yield device


def _read_number(device: DeviceRecord, metric: str) -> float:
    value = device.status.get(metric)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return _LAST
    return float(value)
