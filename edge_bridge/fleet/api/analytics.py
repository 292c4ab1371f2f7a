"""`/analytics`: energy, cycles, efficiency, availability and state of health, by site and day (UTC)."""

from __future__ import annotations

import io
import math
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from edge_bridge import metrics
from edge_bridge.fleet.analytics import PackDay
from edge_bridge.fleet.analytics_job import SpanAnalytics, count_soh
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.device_directory import STATES, DeviceRecord
from edge_bridge.fleet.api.devices import DeviceState
from edge_bridge.fleet.api.fields import Ms
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.api.visible import find_visible
from edge_bridge.fleet.people.person import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

router = APIRouter(prefix="/analytics", tags=["analytics"])
MAX_DAYS: Final = 90
SOH_EDGES: Final = tuple(round(0.6 + 0.02 * place, 2) for place in range(22))  # 60 % to 102 %
Days = Annotated[int, Query(ge=1, le=MAX_DAYS, description="Days up to and with today (UTC).")]
SiteName = Annotated[str | None, Field(description="null: the packs of no site.")]


class SiteDayBody(BaseModel):
    """The packs of one site on one day; null where nothing is known. Discharge is energy out."""

    site: SiteName
    day_ms: Ms
    packs: int = Field(ge=0, description="Packs with a row on this day.")
    energy_out_wh: float
    energy_in_wh: float
    charge_out_ah: float
    charge_in_ah: float
    cycles: float = Field(description="Equivalent full cycles of all packs together, from the moves of SoC.")
    availability: float = Field(ge=0, le=1, description="Share of the time so far in which the packs reported.")
    soh_low: float | None = Field(description="10 % of the packs have a lower SoH.")
    soh_median: float | None
    soh_high: float | None = Field(description="10 % of the packs have a higher SoH.")


class PackSumBody(BaseModel):
    """One pack over the whole span."""

    node: str = Field(max_length=200)
    site: SiteName
    energy_out_wh: float
    energy_in_wh: float
    cycles: float
    availability: float = Field(ge=0, le=1)
    efficiency: float | None = Field(description="Energy out per energy in between two times with the same SoC.")
    soh: float | None


class AnalyticsBody(BaseModel):
    """What is read so far: `packs_read` of `packs`; ask again until `is_done`."""

    from_ms: Ms
    to_ms: Ms
    read_ms: Ms
    packs: int = Field(ge=0)
    packs_read: int = Field(ge=0)
    packs_failed: int = Field(ge=0)
    is_done: bool
    days: list[SiteDayBody]
    efficiency_low: float | None
    efficiency_median: float | None
    efficiency_high: float | None
    efficiency_packs: int = Field(ge=0, description="Packs whose efficiency is known.")
    soh_edges: list[float]
    soh_counts: list[int]
    least_available: list[PackSumBody] = Field(max_length=10)
    most_worn: list[PackSumBody] = Field(max_length=10)


class SiteTotalsBody(BaseModel):
    """A site now."""

    site: SiteName
    packs: int = Field(ge=0)
    counts: dict[DeviceState, int]
    soc_mean: float | None
    soh_median: float | None
    power_w: float | None = Field(description="Sum over the packs that are online, positive in discharge.")
    rows_missing: int = Field(ge=0)


class SiteListBody(BaseModel):
    """All sites by name; the packs of no site last."""

    sites: list[SiteTotalsBody]


@router.get("/sites", summary="Sites now")
def list_site_figures(context: Context, person: SignedIn) -> SiteListBody:
    """Sum up the last status of the packs of each site."""
    by_site = defaultdict[str | None, list[DeviceRecord]](list)
    for device in find_visible(context, person).devices.values():
        by_site[context.find_site(device.node)].append(device)
    sites = sorted(by_site, key=lambda site: (site is None, site or ""))
    return SiteListBody(sites=[_sum_site(site, by_site[site]) for site in sites])


@router.get("/days", summary="The last days by site")
def read_days(context: Context, person: SignedIn, days: Days = 7) -> AnalyticsBody:
    """Sum up the packs by site and day; the first answers hold only the packs that are read so far."""
    devices, span = _read_span(context, person, days)
    is_done = span.is_done  # before the packs: they may grow meanwhile
    read = {node: pack for node, pack in span.packs.copy().items() if node in devices}
    now_ms = min(span.to_ms, context.now_ms())
    sums = [_sum_pack(context, node, pack.days, pack.efficiency, now_ms - span.from_ms) for node, pack in read.items()]
    known = [one.efficiency for one in sums if one.efficiency is not None]
    soh = {node: _read_number(device, metrics.SOH) for node, device in devices.items()}
    worn = sorted((one for one in sums if one.soh is not None), key=lambda one: one.soh or 0.0)
    return AnalyticsBody(
        from_ms=span.from_ms,
        to_ms=span.to_ms,
        read_ms=span.read_ms,
        packs=len(devices),
        packs_read=len(read),
        packs_failed=span.failed,
        is_done=is_done,
        days=_sum_site_days(context, {node: pack.days for node, pack in read.items()}, now_ms),
        efficiency_low=_find_share(known, 10),
        efficiency_median=_find_share(known, 50),
        efficiency_high=_find_share(known, 90),
        efficiency_packs=len(known),
        soh_edges=list(SOH_EDGES),
        soh_counts=count_soh(soh, SOH_EDGES),
        least_available=sorted(sums, key=lambda one: one.availability)[:10],
        most_worn=worn[:10],
    )


_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/csv": {}, "application/vnd.apache.parquet": {}}, "description": "The table."}
}


@router.get("/days.csv", summary="Packs and days as CSV", responses=_FILE, response_class=Response)
def download_csv(context: Context, person: SignedIn, days: Days = 7) -> Response:
    """One line a pack and day, with what is read so far; units stand in the names of the columns."""
    from pyarrow import csv  # noqa: PLC0415  # a quarter of a second

    written, writer = io.BytesIO(), _as_any(csv)
    writer.write_csv(_make_table(context, person, days), written)
    return _make_download(written, "text/csv; charset=utf-8", f"fleet-{days}-days.csv")


@router.get("/days.parquet", summary="Packs and days as Parquet", responses=_FILE, response_class=Response)
def download_parquet(context: Context, person: SignedIn, days: Days = 7) -> Response:
    """The same table as Parquet."""
    from pyarrow import parquet  # noqa: PLC0415  # as above

    written, writer = io.BytesIO(), _as_any(parquet)
    writer.write_table(_make_table(context, person, days), written, compression="zstd")
    return _make_download(written, "application/vnd.apache.parquet", f"fleet-{days}-days.parquet")


def _as_any(module: Any) -> Any:
    return module  # the library has no types


def _make_download(written: io.BytesIO, media: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(written.getvalue(), headers=headers, media_type=media)


def _make_table(context: ApiContext, person: Person, days: int) -> Any:
    import pyarrow  # noqa: ICN001, PLC0415  # as above

    arrow, (devices, span) = _as_any(pyarrow), _read_span(context, person, days)
    is_done = span.is_done
    rows = [
        (context.find_site(node), node, day)
        for node, pack in sorted(span.packs.copy().items())
        if node in devices
        for day in pack.days
    ]
    columns: dict[str, Any] = {
        "site": arrow.array([site for site, _, _ in rows], arrow.string()),
        "node": arrow.array([node for _, node, _ in rows], arrow.string()),
        "day": arrow.array([day.day_ms for _, _, day in rows], arrow.timestamp("ms", "UTC")),
    }
    for name in ("energy_out_wh", "energy_in_wh", "charge_out_ah", "charge_in_ah", "cycles", "soh"):
        values = [_as_known(getattr(day, name)) for _, _, day in rows]
        columns[name] = arrow.array(values, arrow.float64())
    columns["reported_s"] = arrow.array([day.reported_ms / 1_000 for _, _, day in rows], arrow.float64())
    words = {"is_whole": str(is_done).lower(), "schema_version": "1"}
    return arrow.table(columns).replace_schema_metadata(words)


def _read_span(context: ApiContext, person: Person, days: int) -> tuple[Mapping[str, DeviceRecord], SpanAnalytics]:
    span = context.analytics.read(days, list(context.directory.read().devices))
    return find_visible(context, person).devices, span


def _sum_site(site: str | None, devices: list[DeviceRecord]) -> SiteTotalsBody:
    online = [device for device in devices if device.online]
    powers = [
        current * voltage
        for device in online
        if (current := _read_number(device, metrics.CURRENT)) is not None
        and (voltage := _read_number(device, metrics.VOLTAGE)) is not None
    ]
    soc = [value for device in devices if (value := _read_number(device, metrics.SOC)) is not None]
    soh = [value for device in devices if (value := _read_number(device, metrics.SOH)) is not None]
    return SiteTotalsBody(
        site=site,
        packs=len(devices),
        counts={DeviceState(state): sum(device.state == state for device in devices) for state in STATES},
        soc_mean=sum(soc) / len(soc) if soc else None,
        soh_median=_find_share(soh, 50),
        power_w=sum(powers) if powers else None,
        rows_missing=sum(device.missing for device in devices),
    )


def _sum_site_days(context: ApiContext, days_of: Mapping[str, Iterable[PackDay]], now_ms: int) -> list[SiteDayBody]:
    grouped = defaultdict[tuple[str | None, int], list[PackDay]](list)
    for node, days in days_of.items():
        for day in days:
            grouped[context.find_site(node), day.day_ms].append(day)
    keys = sorted(grouped, key=lambda key: (key[1], key[0] is None, key[0] or ""))
    return [_sum_site_day(site, day_ms, grouped[site, day_ms], now_ms) for site, day_ms in keys]


def _sum_site_day(site: str | None, day_ms: int, days: list[PackDay], now_ms: int) -> SiteDayBody:
    soh = [day.soh for day in days if math.isfinite(day.soh)]
    passed_ms = max(1, min(86_400_000, now_ms - day_ms))
    names = ("energy_out_wh", "energy_in_wh", "charge_out_ah", "charge_in_ah", "cycles")
    sums = {name: math.fsum(getattr(day, name) for day in days) for name in names}
    return SiteDayBody(
        site=site,
        day_ms=day_ms,
        packs=len(days),
        **sums,
        availability=min(1.0, sum(day.reported_ms for day in days) / (passed_ms * len(days))),
        soh_low=_find_share(soh, 10),
        soh_median=_find_share(soh, 50),
        soh_high=_find_share(soh, 90),
    )


def _sum_pack(
    context: ApiContext, node: str, days: Iterable[PackDay], efficiency: float, passed_ms: int
) -> PackSumBody:
    listed = list(days)
    return PackSumBody(
        node=node,
        site=context.find_site(node),
        energy_out_wh=math.fsum(day.energy_out_wh for day in listed),
        energy_in_wh=math.fsum(day.energy_in_wh for day in listed),
        cycles=math.fsum(day.cycles for day in listed),
        availability=min(1.0, sum(day.reported_ms for day in listed) / max(1, passed_ms)),
        efficiency=_as_known(efficiency),
        soh=next((day.soh for day in reversed(listed) if math.isfinite(day.soh)), None),
    )


def _find_share(values: list[float], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if values else None


def _read_number(device: DeviceRecord, metric: str) -> float | None:
    value = device.status.get(metric)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _as_known(value: float) -> float | None:
    return value if math.isfinite(value) else None
