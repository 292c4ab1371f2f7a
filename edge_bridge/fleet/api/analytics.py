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
from edge_bridge.fleet.analytics import DAY_MS
from edge_bridge.fleet.analytics_job import SpanAnalytics, count_soh
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.device_directory import STATES, DeviceRecord
from edge_bridge.fleet.api.devices import DeviceState
from edge_bridge.fleet.api.fields import Ms
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.api.visible import find_visible
from edge_bridge.fleet.day_sums import PackSums, find_share, sum_packs, sum_site_days
from edge_bridge.fleet.people.person import Person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

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
    until_ms: Ms = Field(description="The figures reach to this time.")
    packs: int = Field(ge=0)
    packs_read: int = Field(ge=0)
    packs_failed: int = Field(ge=0)
    pack_days_waiting: int = Field(ge=0, description="Days of packs before today that are still to be summed up.")
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
    """Sum up the packs by site and day; the first answers lack the packs whose newest rows are still to be read."""
    devices, span = _read_span(context, person, days)
    is_done = span.is_done  # before the packs: they may grow meanwhile
    waiting = devices.keys() if span.waiting is None else span.waiting & devices.keys()
    read = [node for node in sorted(devices) if node not in waiting]
    table = span.table.choose(set(read).__contains__)
    sums = sum_packs(table, read, max(1, span.until_ms - span.from_ms))
    known = sums.efficiency[np.isfinite(sums.efficiency)]
    soh = {node: _read_number(device, metrics.SOH) for node, device in devices.items()}
    efficiency = [find_share(known, percent) for percent in (10, 50, 90)]
    return AnalyticsBody(
        from_ms=span.from_ms,
        to_ms=span.to_ms,
        read_ms=span.read_ms,
        until_ms=max(span.from_ms, span.until_ms),
        packs=len(devices),
        packs_read=len(read),
        packs_failed=len(span.failed & devices.keys()),
        pack_days_waiting=span.days_waiting,
        is_done=is_done,
        days=[SiteDayBody(**one) for one in sum_site_days(table, context.find_site, span.until_ms)],
        efficiency_low=efficiency[0],
        efficiency_median=efficiency[1],
        efficiency_high=efficiency[2],
        efficiency_packs=len(known),
        soh_edges=list(SOH_EDGES),
        soh_counts=count_soh(soh, SOH_EDGES),
        least_available=_name_packs(context, sums, np.argsort(sums.availability, kind="stable")[:10]),
        most_worn=_name_packs(context, sums, _find_worn(sums.soh)[:10]),
    )


def _find_worn(soh: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the places of packs whose SoH is known, the lowest first."""
    return np.argsort(soh, kind="stable")[: np.count_nonzero(np.isfinite(soh))]


def _name_packs(context: ApiContext, sums: PackSums, places: NDArray[np.int64]) -> list[PackSumBody]:
    chosen: list[int] = places.tolist()
    return [PackSumBody(site=context.find_site(sums.nodes[place]), **sums.read(place)) for place in chosen]


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
    is_done, whole = span.is_done, span.table
    table = whole.pick(np.lexsort((whole.day, whole.pack))).choose(devices.__contains__)
    sites = arrow.array([context.find_site(node) for node in table.nodes], arrow.string())
    columns: dict[str, Any] = {
        "site": sites.take(arrow.array(table.pack)),
        "node": arrow.array(table.nodes, arrow.string()).take(arrow.array(table.pack)),
        "day": arrow.array(table.day * DAY_MS, arrow.timestamp("ms", "UTC")),
    }
    for name in ("energy_out_wh", "energy_in_wh", "charge_out_ah", "charge_in_ah", "cycles", "soh"):
        columns[name] = arrow.array(table.sums[name], arrow.float64(), from_pandas=True)  # NaN is null
    columns["reported_s"] = arrow.array(table.sums["reported_ms"] / 1_000, arrow.float64())
    words = {"is_whole": str(is_done).lower(), "schema_version": "1"}
    return arrow.table(columns).replace_schema_metadata(words)


def _read_span(context: ApiContext, person: Person, days: int) -> tuple[Mapping[str, DeviceRecord], SpanAnalytics]:
    span = context.analytics.read(days)
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
        soh_median=find_share(soh, 50),
        power_w=sum(powers) if powers else None,
        rows_missing=sum(device.missing for device in devices),
    )


def _read_number(device: DeviceRecord, metric: str) -> float | None:
    value = device.status.get(metric)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
