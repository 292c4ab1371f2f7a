"""`/sites` and `/groups`: where the devices are."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.devices import DeviceState
from edge_bridge.fleet.api.fields import Name
from edge_bridge.fleet.api.preconditions import IfMatch, IfNoneMatch, make_etag, read_expected
from edge_bridge.fleet.api.problems import make_not_found
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.api.visible import find_visible
from edge_bridge.fleet.people.roles import FleetAction
from edge_bridge.fleet.sites.site import MAX_GROUPS, MAX_LISTED, MAX_WORDS, NAME, FleetSite
from edge_bridge.fleet.sites.site_book import StoredSite

router = APIRouter(tags=["sites"])
_PATTERN: Final = f"^{NAME.pattern}$"
SitePath = Annotated[str, Path(min_length=1, max_length=60, pattern=_PATTERN, description="Name of the site.")]
Words = Annotated[str, Field(max_length=MAX_WORDS)]


class SiteContent(BaseModel, extra="forbid"):
    """What a site is. A device belongs to the site that lists it, else to the one that lists its group."""

    place: Words = ""
    tariff: Words = Field(default="", description="Name of the tariff, for people.")
    devices: list[Name] = Field(default=[], max_length=MAX_LISTED)
    groups: list[Name] = Field(default=[], max_length=MAX_GROUPS, description="Sparkplug groups.")


class SiteBody(SiteContent):
    """A site; `known` and `counts` are of the devices that were ever heard."""

    name: str = Field(max_length=60)
    etag: str = Field(max_length=100, description="The header ETag: send it as If-Match.")
    known: int = Field(ge=0)
    counts: dict[DeviceState, int]


class SiteList(BaseModel):
    """All sites that the person may see, by name."""

    sites: list[SiteBody]
    trouble: str = Field(max_length=500, description="Why fleet.toml is not what these are; empty if it is.")


class GroupBody(BaseModel):
    """A Sparkplug group."""

    name: str = Field(max_length=200)
    site: str | None = Field(max_length=60, description="Site that lists the whole group.")
    known: int = Field(ge=0)
    counts: dict[DeviceState, int]


class GroupList(BaseModel):
    """The groups of the devices that the person may see."""

    groups: list[GroupBody]


@router.get("/sites", summary="List sites")
def list_sites(context: Context, person: SignedIn) -> SiteList:
    """List the sites, by name; there are up to 1 000."""
    visible, counts = person.find_sites(FleetAction.VIEW), _count_by_site(context, person)
    found = [
        _make_site(one, counts.get(name, Counter()))
        for name, one in sorted(context.members.list_sites().items())
        if visible is None or name in visible
    ]
    return SiteList(sites=found, trouble=context.sites.trouble[:500])


@router.get("/sites/{site}", summary="Read one site")
def read_site(context: Context, person: SignedIn, response: Response, site: SitePath) -> SiteBody:
    """Read one site."""
    found = context.sites.find(site)
    if found is None:
        raise make_not_found(f"a site {site}")
    response.headers["ETag"] = make_etag(found.etag)
    return _make_site(found, _count_by_site(context, person).get(site, Counter()))


@router.put("/sites/{site}", summary="Make or change a site")
def put_site(
    context: Context,
    person: SignedIn,
    response: Response,
    site: SitePath,
    body: SiteContent,
    *,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> SiteBody:
    """Make a site (`If-None-Match: *`) or replace it (`If-Match`). Who moves a device moves who may see it."""
    wanted = FleetSite(site, body.place, body.tariff, tuple(body.devices), tuple(body.groups))
    stored = context.sites.put(wanted, read_expected(if_match, if_none_match), person.who)
    context.members.forget()
    response.headers["ETag"] = make_etag(stored.etag)
    return _make_site(stored, _count_by_site(context, person).get(site, Counter()))


@router.delete("/sites/{site}", summary="Delete a site", status_code=HTTPStatus.NO_CONTENT)
def delete_site(context: Context, person: SignedIn, site: SitePath, if_match: IfMatch = None) -> None:
    """Delete a site; its devices belong to no site then. Roles at it stay, and count again with its name."""
    expected = read_expected(if_match)
    if context.sites.find(site) is None:
        raise make_not_found(f"a site {site}")
    context.sites.delete(site, expected, person.who)
    context.members.forget()


@router.get("/groups", summary="List groups")
def list_groups(context: Context, person: SignedIn) -> GroupList:
    """List the Sparkplug groups that devices were heard in."""
    counts: dict[str, Counter[DeviceState]] = {}
    for node, device in find_visible(context, person).devices.items():
        counts.setdefault(context.find_group(node), Counter())[DeviceState(device.state)] += 1
    owners = {group: name for name, one in context.members.list_sites().items() for group in one.site.groups}
    return GroupList(
        groups=[
            GroupBody(name=name, site=owners.get(name), known=found.total(), counts=_complete(found))
            for name, found in sorted(counts.items())
        ]
    )


def _count_by_site(context: ApiContext, person: SignedIn) -> dict[str, Counter[DeviceState]]:
    found: dict[str, Counter[DeviceState]] = {}
    for node, device in find_visible(context, person).devices.items():
        site = context.find_site(node)
        if site is not None:
            found.setdefault(site, Counter())[DeviceState(device.state)] += 1
    return found


def _make_site(stored: StoredSite, counts: Counter[DeviceState]) -> SiteBody:
    site = stored.site
    return SiteBody(
        name=site.name,
        place=site.place,
        tariff=site.tariff,
        devices=list(site.devices),
        groups=list(site.groups),
        etag=make_etag(stored.etag),
        known=counts.total(),
        counts=_complete(counts),
    )


def _complete(counts: Counter[DeviceState]) -> dict[DeviceState, int]:
    return {state: counts[state] for state in DeviceState}
