"""`/sites` and `/groups`: changes name the version that they change, and who sees what follows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.requests import HTTPConnection

from edge_bridge.fleet.api.scopes import PersonLiveAccess
from edge_bridge.fleet.live.requests import DeviceScope
from edge_bridge.fleet.people.roles import FleetRole
from tests.edge_bridge.fleet.api.people import PeopleApi, serve_people

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[PeopleApi]:
    with serve_people(tmp_path_factory.mktemp("sites")) as served:
        served.add("eve", FleetRole.ADMINISTRATOR)
        yield served


def test_a_site_is_made_changed_and_deleted_by_its_version(api: PeopleApi) -> None:
    eve = api.begin_session("eve")
    new = {"If-None-Match": "*"}
    made = api.ask("PUT", "/sites/east", eve, json={"place": "Hall 3"}, headers=new)
    assert (made.status_code, made.json()["place"], made.headers["etag"]) == (200, "Hall 3", made.json()["etag"])
    assert api.ask("PUT", "/sites/east", eve, json={}, headers=new).status_code == 412
    assert api.ask("PUT", "/sites/east", eve, json={}).status_code == 428
    first = {"If-Match": made.headers["etag"]}
    changed = api.ask("PUT", "/sites/east", eve, json={"tariff": "night"}, headers=first)
    assert (changed.status_code, changed.json()["place"]) == (200, "")
    assert api.ask("PUT", "/sites/east", eve, json={"place": "lost"}, headers=first).status_code == 412
    assert api.ask("DELETE", "/sites/east", eve, headers=first).status_code == 412
    assert api.ask("DELETE", "/sites/east", eve).status_code == 428
    assert api.ask("DELETE", "/sites/east", eve, headers={"If-Match": changed.headers["etag"]}).status_code == 204
    assert api.ask("GET", "/sites/east", eve).status_code == 404
    entries = api.ask("GET", "/audit", eve).json()["entries"]
    assert [one["action"] for one in entries if one["object"] == "site/east"] == ["site.delete", "site.put", "site.put"]


def test_a_moved_device_is_seen_at_its_new_site_alone(api: PeopleApi) -> None:
    api.add("nora", FleetRole.VIEWER, "north")
    eve, nora = api.begin_session("eve"), api.begin_session("nora")

    def see() -> list[str]:
        return [one["node"] for one in api.ask("GET", "/devices", nora).json()["devices"]]

    assert see() == ["pack-1"]
    assert [one["name"] for one in api.ask("GET", "/sites", nora).json()["sites"]] == ["north"]
    etag = api.ask("GET", "/sites/north", eve).headers["etag"]
    headers = {"If-Match": etag}
    assert api.ask("PUT", "/sites/north", eve, json={"devices": ["pack-2"]}, headers=headers).status_code == 422
    assert api.ask("PUT", "/sites/north", eve, json={"groups": ["pulsebms"]}, headers=headers).status_code == 200
    assert see() == ["pack-1"], "the south still lists pack-2: a list of devices comes before one of groups"
    south = {"If-Match": api.ask("GET", "/sites/south", eve).headers["etag"]}
    assert api.ask("DELETE", "/sites/south", eve, headers=south).status_code == 204
    assert see() == ["pack-1", "pack-2"]
    assert api.ask("GET", "/groups", nora).json()["groups"][0]["site"] == "north"


def test_devices_are_filtered_by_site_and_group_and_so_are_live_events(api: PeopleApi) -> None:
    eve = api.begin_session("eve")

    def find(**query: str) -> list[str]:
        return [one["node"] for one in api.ask("GET", "/devices", eve, params=query).json()["devices"]]

    assert (find(site="north"), find(group="pulsebms"), find(site="none"), find(group="none")) == (
        ["pack-1"],
        ["pack-1", "pack-2"],
        [],
        [],
    )
    session = api.begin_session("eve")
    scope = {"type": "websocket", "headers": [(b"cookie", f"pulsebms={session}".encode())]}
    resolve = PersonLiveAccess(api.app.state.context, HTTPConnection(scope)).find_devices
    assert resolve(DeviceScope(site="north")) == {"pack-1"}
    assert resolve(DeviceScope(group="pulsebms")) == {"pack-1", "pack-2"}
    assert (resolve(DeviceScope(site="none")), resolve(DeviceScope(group="none"))) == (None, None)
