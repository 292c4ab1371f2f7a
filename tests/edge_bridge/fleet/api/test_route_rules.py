"""Every route of the schema with every role: it does what its line in the table permits, and nothing else."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from fastapi import APIRouter

from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.enrolment import make_enrolment_router
from edge_bridge.fleet.api.route_rules import LIVE, RULES, Reach, find_rule
from edge_bridge.fleet.people.roles import FleetAction, FleetRole
from edge_bridge.identity.initial_setup import set_up
from tests.edge_bridge.fleet.api.people import PeopleApi, serve_people
from tests.edge_bridge.fleet.api.served import AppClient
from tests.edge_bridge.fleet.people.test_roles import PERMITTED

if TYPE_CHECKING:
    from collections.abc import Generator

VALUES: Final = {"node": "pack-1", "name": "nobody", "token": "0" * 16, "alarm": "1", "site": "north"}
REFUSED: Final = {401, 403}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[PeopleApi]:
    folder = Path(tempfile.mkdtemp(prefix="pulse-people-"))  # pytest's own are closed to the user of the broker
    folder.chmod(0o755)
    set_up(folder / "init", ["localhost"])
    with serve_people(tmp_path_factory.mktemp("people"), more=[make_enrolment_router(folder / "init")]) as served:
        for role in FleetRole:
            served.add(role.value, role)
            served.add(f"{role.value}-north", role, "north")
            served.add(f"{role.value}-south", role, "south")
        served.add("guest", None)
        yield served
    shutil.rmtree(folder)


def list_routes(app: Any) -> list[tuple[str, str]]:
    """Return method and path of all routes of the schema."""
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    return [(method.upper(), path) for path, operations in paths.items() for method in operations]


def fill(path: str) -> str:
    """Return the path with a value in each variable part."""
    for name, value in VALUES.items():
        path = path.replace(f"{{{name}}}", value)
    return "".join("x" if part in "{}" else part for part in path)


def find_undeclared(app: Any) -> list[str]:
    return [f"{method} {path}" for method, path in list_routes(app) if find_rule(method, path) is None]


def is_refused(api: PeopleApi, name: str, method: str, path: str) -> bool:
    """Send a request without a body, which changes nothing, in a session that ends with it."""
    session = api.begin_session(name) if name else ""
    options: dict[str, Any] = {} if method in {"GET", "DELETE"} else {"content": b""}
    answer = api.ask(method, fill(path).removeprefix("/api/v1"), session, **options)
    assert answer.status_code < 500, answer.text
    return answer.status_code in REFUSED


def test_every_route_declares_its_action(api: PeopleApi) -> None:
    assert len(list_routes(api.app)) > 20
    assert find_undeclared(api.app) == []
    operations = [one for path in api.app.openapi()["paths"].values() for one in path.values()]
    assert all(one["x-action"] in set(FleetAction) for one in operations)


def test_a_route_without_a_line_is_found_and_never_served(api: PeopleApi) -> None:
    router = APIRouter()
    router.add_api_route("/secrets", lambda: "secret")
    app = make_app(api.app.state.context, [router])
    assert find_undeclared(app) == ["GET /api/v1/secrets"]
    session = api.begin_session("administrator")
    answer = AppClient(app).request("GET", "/secrets", headers={"Cookie": f"pulsebms={session}"})
    assert answer.status_code == 404


def test_no_line_hides_another_and_each_has_its_route(api: PeopleApi) -> None:
    assert [rule for rule in RULES if find_rule(rule.method, fill(rule.path)) != rule] == []
    known = {
        *list_routes(api.app),
        ("GET", "/api/v1/openapi.json"),
        ("GET", "/metrics"),
    }  # the last is not in the schema
    assert [rule for rule in RULES if rule.method != LIVE and (rule.method, rule.path) not in known] == []


def test_a_stranger_reaches_what_is_open_and_nothing_else(api: PeopleApi) -> None:
    for method, path in list_routes(api.app):
        rule = find_rule(method, path)
        assert rule is not None
        assert is_refused(api, "", method, path) is (rule.action is not FleetAction.OPEN), f"{method} {path}"


@pytest.mark.parametrize("role", list(FleetRole))
@pytest.mark.parametrize("place", ["", "-north", "-south"])
def test_a_role_reaches_what_the_table_permits_at_its_site(api: PeopleApi, role: FleetRole, place: str) -> None:
    for method, path in list_routes(api.app):
        rule = find_rule(method, path)
        assert rule is not None
        is_permitted = rule.action in {FleetAction.OPEN, FleetAction.OWN}
        if rule.action.value in PERMITTED[role].split():  # pack-1 and the site of the path are in the north
            is_permitted = (
                not place or rule.reach is Reach.FILTERED or (rule.reach is not Reach.FLEET and place == "-north")
            )
        name = f"{role.value}{place}"
        assert is_refused(api, name, method, path) is not is_permitted, f"{name}: {method} {path}"


def test_an_account_without_a_role_reaches_itself_alone(api: PeopleApi) -> None:
    for method, path in list_routes(api.app):
        rule = find_rule(method, path)
        assert rule is not None
        is_own = rule.action in {FleetAction.OPEN, FleetAction.OWN}
        assert is_refused(api, "guest", method, path) is not is_own, f"{method} {path}"


def test_lists_end_at_the_sites_of_the_person(api: PeopleApi) -> None:
    session = api.begin_session("viewer-south")
    page = api.ask("GET", "/devices", session).json()
    assert ([one["node"] for one in page["devices"]], page["total"], sum(page["counts"].values())) == (["pack-2"], 1, 1)
    assert {one["node"] for one in api.ask("GET", "/events", session).json()["events"]} == {"pack-2"}
    assert {one["node"] for one in api.ask("GET", "/alarms", session).json()["events"]} == {"pack-2"}
    assert api.ask("GET", "/alarms", session, params={"node": "pack-1"}).json()["events"] == []
    assert api.ask("GET", "/devices/never-seen", session).status_code == 403, "it does not tell whether it exists"


def test_an_alarm_is_acknowledged_by_somebody_of_its_site(api: PeopleApi) -> None:
    viewer, operator = api.begin_session("viewer-south"), api.begin_session("operator-south")
    alarms = {one["node"]: one["id"] for one in api.ask("GET", "/alarms", api.begin_session("viewer")).json()["events"]}
    of_south, of_north = (f"/alarms/{alarms[node]}/acknowledge" for node in ("pack-2", "pack-1"))
    assert api.ask("POST", of_south, viewer, json={}).status_code == 403
    assert api.ask("POST", of_north, operator, json={}).status_code == 403
    assert api.ask("POST", of_south, operator, json={}).json()["acknowledged_by"] == "operator-south"


def test_an_administrator_of_a_site_gives_roles_at_that_site_alone(api: PeopleApi) -> None:
    api.add("new", FleetRole.VIEWER)
    session = api.begin_session("administrator-north")
    viewer = {"role": "viewer", "site": "*"}

    def put(*roles: dict[str, str]) -> int:
        return api.ask("PUT", "/accounts/new/roles", session, json={"roles": list(roles)}).status_code

    assert put(viewer, {"role": "operator", "site": "north"}) == 200
    assert put(viewer, {"role": "operator", "site": "south"}) == 403
    assert put({"role": "operator", "site": "north"}) == 403, "a role at all sites is not theirs to take"
    assert put(viewer, {"role": "administrator", "site": "*"}) == 403
    assert put(viewer) == 200
