"""Sessions, cookies, CSRF, tokens and limits, as browsers and scripts meet them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_bridge.fleet.api import access, route_rules
from edge_bridge.fleet.api.app import make_app
from edge_bridge.fleet.api.settings import ApiSettings
from edge_bridge.fleet.people import sessions
from edge_bridge.fleet.people.claim import ClaimFile
from edge_bridge.fleet.people.roles import FleetRole
from edge_bridge.fleet.people.secrets import make_secret
from edge_bridge.fleet.people.sessions import IDLE_MS, LIFE_MS
from tests.edge_bridge.fleet.api.people import PASSWORD, PeopleApi, serve_people
from tests.edge_bridge.fleet.api.served import UNHURRIED, declare_routes
from tests.edge_bridge.fleet.api.sockets import open_socket

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

EVE = {"name": "eve", "password": PASSWORD}


@pytest.fixture
def api(tmp_path: Path) -> Generator[PeopleApi]:
    with serve_people(tmp_path) as served:
        yield served


def make_eve(api: PeopleApi) -> None:
    """Make the first account through the API, as somebody on this machine does."""
    roles = [{"role": "administrator"}]
    assert api.ask("POST", "/accounts", json=EVE | {"roles": roles}).status_code == 201


def read_cookie(answer: Any) -> Any:
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return morsel


def test_without_an_account_this_machine_is_the_administrator_and_with_one_it_is_not(api: PeopleApi) -> None:
    found = api.ask("GET", "/session").json()
    assert (found["name"], found["is_local"]) == ("local", True)
    answer = api.ask("POST", "/accounts", json=EVE | {"roles": [{"role": "operator"}]})
    assert answer.status_code == 409, "else nobody could make the next one"
    make_eve(api)
    assert api.ask("GET", "/session").status_code == 401
    assert api.ask("GET", "/devices").json()["type"] == "urn:pulsebms:problem:not-signed-in"


def test_outside_loopback_nobody_is_local(tmp_path: Path) -> None:
    with serve_people(tmp_path, replace(UNHURRIED, host="192.0.2.1")) as api:
        assert api.ask("GET", "/devices").status_code == 401
        assert api.ask("GET", "/health/live").status_code == 200


def test_a_session_begins_with_the_password_and_ends_with_sign_out(api: PeopleApi) -> None:
    make_eve(api)
    answer = api.ask("POST", "/session", json={"name": " Eve ", "password": PASSWORD})
    cookie = read_cookie(answer)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "strict", "/", "")
    body = answer.json()
    assert (body["name"], body["roles"]) == ("eve", [{"role": "administrator", "site": "*"}])
    assert answer.headers["cache-control"] == "no-store"
    assert body["csrf"] == api.ask("GET", "/session", cookie.value).json()["csrf"]
    assert api.ask("DELETE", "/session", cookie.value).status_code == 204
    assert api.ask("GET", "/session", cookie.value).status_code == 401


def test_the_cookie_is_secure_and_bound_to_its_host_outside_loopback(tmp_path: Path) -> None:
    with serve_people(tmp_path) as made:
        make_eve(made)
        context = replace(made.app.state.context, settings=replace(UNHURRIED, host="192.0.2.1"))
        answer = PeopleApi(make_app(context), made.people, made.clock).ask("POST", "/session", json=EVE)
        cookie = read_cookie(answer)
        assert (cookie.key, cookie["secure"], cookie["domain"]) == ("__Host-pulsebms", True, "")


def test_signing_in_again_ends_the_former_session_of_this_browser(api: PeopleApi) -> None:
    make_eve(api)
    former = read_cookie(api.ask("POST", "/session", json=EVE)).value
    other = read_cookie(api.ask("POST", "/session", json=EVE)).value
    answer = api.ask("POST", "/session", headers={"Cookie": f"pulsebms={former}"}, json=EVE)
    renewed = read_cookie(answer).value
    assert renewed not in {former, other}
    assert [api.ask("GET", "/session", one).status_code for one in (former, other, renewed)] == [401, 200, 200]
    assert api.ask("DELETE", "/sessions", renewed).status_code == 204
    assert [api.ask("GET", "/session", one).status_code for one in (other, renewed)] == [401, 401]


def test_a_session_that_somebody_chose_is_no_session(api: PeopleApi) -> None:
    make_eve(api)
    chosen = make_secret()
    answer = api.ask("POST", "/session", headers={"Cookie": f"pulsebms={chosen}"}, json=EVE)
    assert read_cookie(answer).value != chosen
    assert api.ask("GET", "/session", chosen).status_code == 401


def test_a_session_ends_when_it_is_idle_and_when_it_is_old(api: PeopleApi) -> None:
    api.add("eve", FleetRole.VIEWER)
    session = api.begin_session("eve")
    for _ in range(LIFE_MS // IDLE_MS):
        assert api.ask("GET", "/session", session).status_code == 200
        api.advance(IDLE_MS - 1)
    assert api.ask("GET", "/session", session).status_code == 200
    api.advance(IDLE_MS - 1)
    assert api.ask("GET", "/session", session).status_code == 401, "it is older than its life"
    session = api.begin_session("eve")
    api.advance(IDLE_MS)
    assert api.ask("GET", "/session", session).status_code == 401


def test_a_change_by_cookie_needs_the_csrf_token_of_its_session(api: PeopleApi) -> None:
    api.add("eve", FleetRole.ADMINISTRATOR)
    session, other = api.begin_session("eve"), api.begin_session("eve")
    foreign = api.ask("GET", "/session", other).json()["csrf"]
    for token in ("", "x", foreign):
        answer = api.ask("POST", "/tokens", session, headers={"X-CSRF-Token": token}, json={})
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:pulsebms:problem:csrf")
    assert api.ask("POST", "/tokens", session, json={}).status_code == 422
    assert api.ask("GET", "/tokens", session, headers={"X-CSRF-Token": ""}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing_even_without_accounts(api: PeopleApi, headers: dict[str, str]) -> None:
    answer = api.ask("POST", "/accounts", headers=headers, json=EVE | {"roles": [{"role": "administrator"}]})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:pulsebms:problem:origin")
    assert api.ask("GET", "/session").json()["is_local"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "[bad", "", "localhost.:8080"])
def test_a_name_that_points_here_is_not_served_on_loopback(api: PeopleApi, host: str) -> None:
    answer = api.ask("GET", "/devices", headers={"Host": host})
    assert (answer.status_code, answer.json()["type"]) == (421, "urn:pulsebms:problem:host")
    assert api.ask("GET", "/devices", headers={"Host": "localhost:9000"}).status_code == 200
    assert api.ask("GET", "/devices", headers={"Host": "[::1]:9000"}).status_code == 200


def test_a_wrong_password_and_a_wrong_name_get_the_same_answer_and_the_same_wait(api: PeopleApi) -> None:
    make_eve(api)
    api.ask("PUT", "/accounts/eve/disabled", json={"disabled": True})
    answers = list[Any]()
    for name in ("eve", "nobody"):
        api.advance(3_600_001)
        tried = [api.ask("POST", "/session", json={"name": name, "password": "x"}) for _ in range(6)]
        assert [one.status_code for one in tried] == [401] * 5 + [429]
        assert tried[-1].headers["retry-after"] == "1"
        answers.append([(one.status_code, one.json(), one.headers.get("retry-after")) for one in tried])
    assert answers[0] == answers[1]
    assert api.ask("POST", "/session", json=EVE).status_code == 429, "the right password waits too"
    api.advance(1_001)
    assert api.ask("POST", "/session", json=EVE).status_code == 200


def test_the_audit_names_who_failed_to_sign_in_but_not_what_was_typed_as_a_name(api: PeopleApi) -> None:
    make_eve(api)
    api.ask("POST", "/session", json={"name": "eve", "password": "wrong"})
    api.ask("POST", "/session", json={"name": "my secret password", "password": "wrong"})
    session = read_cookie(api.ask("POST", "/session", json=EVE)).value
    entries = api.ask("GET", "/audit", session).json()["entries"]
    assert [(one["action"], one["object"]) for one in entries] == [
        ("sign-in", "eve"),
        ("sign-in.failed", "(unknown)"),
        ("sign-in.failed", "eve"),
        ("account.add", "eve"),
    ]
    head = api.ask("GET", "/audit/head", session).json()
    assert head == {"id": 4, "hash": entries[0]["hash"]}


def test_a_changed_password_ends_the_other_sessions(api: PeopleApi) -> None:
    make_eve(api)
    one, other = (read_cookie(api.ask("POST", "/session", json=EVE)).value for _ in range(2))
    change = {"former": PASSWORD, "password": "another four words"}
    assert api.ask("PUT", "/password", one, json=change | {"former": "wrong"}).status_code == 401
    assert api.ask("PUT", "/password", one, json=change | {"password": "password1234"}).status_code == 422
    renewed = read_cookie(api.ask("PUT", "/password", one, json=change)).value
    assert [api.ask("GET", "/session", each).status_code for each in (one, other, renewed)] == [401, 401, 200]
    assert api.ask("POST", "/session", json=EVE).status_code == 401


def test_a_token_does_what_its_scopes_say_and_no_more(api: PeopleApi) -> None:
    api.add("bob", FleetRole.OPERATOR)
    session = api.begin_session("bob")
    wanted = {"title": "nightly report", "scopes": [{"role": "viewer", "site": "north"}], "days": 7}
    made = api.ask("POST", "/tokens", session, json=wanted).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert [one["node"] for one in api.ask("GET", "/devices", headers=bearer).json()["devices"]] == ["pack-1"]
    assert api.ask("GET", "/devices/pack-2", headers=bearer).status_code == 403
    assert api.ask("POST", "/alarms/1/acknowledge", headers=bearer, json={}).status_code == 403
    assert api.ask("POST", "/tokens", headers=bearer, json=wanted).status_code == 403, "a token makes no tokens"
    assert api.ask("PUT", "/password", headers=bearer, json={"former": "", "password": PASSWORD}).status_code == 403
    greedy = wanted | {"scopes": [{"role": "administrator", "site": "north"}]}
    assert api.ask("POST", "/tokens", session, json=greedy).status_code == 409
    shown = api.ask("GET", "/tokens", session).json()["tokens"]
    assert [one["title"] for one in shown] == ["nightly report"]
    assert made["token"] not in str(shown)
    with api.people.reader.begin() as connection:
        stored = connection.exec_driver_sql("SELECT hash FROM api_token").scalar()
    assert stored not in made["token"]
    api.advance(7 * 86_400_000)
    assert api.ask("GET", "/devices", headers=bearer).status_code == 401


def test_a_token_loses_what_its_owner_loses(api: PeopleApi) -> None:
    api.add("bob", FleetRole.VIEWER)
    made = api.ask(
        "POST", "/tokens", api.begin_session("bob"), json={"title": "x", "scopes": [{"role": "viewer"}]}
    ).json()
    bearer = {"Authorization": f"Bearer {made['token']}"}
    assert api.ask("GET", "/devices", headers=bearer).status_code == 200
    first = api.begin_session("first")
    assert api.ask("PUT", "/accounts/bob/roles", first, json={"roles": []}).status_code == 200
    assert api.ask("GET", "/devices", headers=bearer).status_code == 403
    assert api.ask("PUT", "/accounts/bob/roles", first, json={"roles": [{"role": "viewer"}]}).status_code == 200
    assert api.ask("DELETE", f"/tokens/{made['id']}", api.begin_session("bob")).status_code == 204
    assert api.ask("GET", "/devices", headers=bearer).status_code == 401


def test_a_disabled_account_is_out_at_once_and_the_last_administrator_stays(api: PeopleApi) -> None:
    api.add("bob", FleetRole.ADMINISTRATOR)
    bob, first = api.begin_session("bob"), api.begin_session("first")
    assert api.ask("PUT", "/accounts/bob/disabled", first, json={"disabled": True}).json()["disabled_ms"] > 0
    assert api.ask("GET", "/session", bob).status_code == 401
    assert api.ask("PUT", "/accounts/first/disabled", first, json={"disabled": True}).status_code == 409
    assert api.ask("PUT", "/accounts/first/roles", first, json={"roles": []}).status_code == 409
    assert api.ask("PUT", "/accounts/bob/disabled", first, json={"disabled": False}).json()["disabled_ms"] is None
    assert api.ask("GET", "/session", bob).status_code == 401, "an ended session does not come back"


def test_the_claim_of_the_set_up_makes_one_administrator(tmp_path: Path) -> None:
    file = tmp_path / "administrator.token"
    file.write_text("a-token-of-the-set-up\n", encoding="ascii")
    wanted = {"name": "eve", "password": PASSWORD}
    with serve_people(tmp_path, replace(UNHURRIED, host="192.0.2.1"), claim=ClaimFile(file)) as api:
        assert api.ask("POST", "/claim", json=wanted | {"token": ""}).status_code == 401
        assert api.ask("POST", "/claim", json=wanted | {"token": "wrong"}).status_code == 401
        answer = api.ask("POST", "/claim", json=wanted | {"token": "a-token-of-the-set-up"})
        assert (answer.status_code, answer.json()["name"]) == (201, "eve")
        assert not file.exists()
        file.write_text("a-token-of-the-set-up\n", encoding="ascii")  # somebody puts it back
        again = {"name": "bob", "password": PASSWORD, "token": "a-token-of-the-set-up"}
        assert api.ask("POST", "/claim", json=again).status_code == 409


def test_with_a_claim_this_machine_is_nobody(tmp_path: Path) -> None:
    with serve_people(tmp_path, claim=ClaimFile(tmp_path / "administrator.token")) as api:
        assert api.ask("GET", "/devices").status_code == 401


def test_a_client_that_asks_too_much_waits(tmp_path: Path) -> None:
    with serve_people(tmp_path, ApiSettings(rate_per_s=0.1, burst=3)) as api:
        answers = [api.ask("GET", "/health/live") for _ in range(4)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["content-type"] == "application/problem+json"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 10


ALL_HEALTH: Any = list(HealthCheck)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Cookie": st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=60).map(
            lambda text: f"pulsebms={text}".strip()
        ),
        "Authorization": st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=60).map(
            str.strip
        ),
        "X-CSRF-Token": st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=60).map(
            str.strip
        ),
        "Origin": st.sampled_from(["http://127.0.0.1:8080", "null", "", "http://[", "//"]),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=ALL_HEALTH)
@given(headers=HEADERS)
def test_whatever_a_stranger_sends_as_a_session_or_token_nobody_is_signed_in(
    api: PeopleApi, headers: dict[str, str]
) -> None:
    if not api.people.has_accounts():
        api.add("eve", FleetRole.VIEWER)
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = api.ask("GET", "/session", headers=dict(raw))
    assert answer.status_code == 401


def test_a_web_socket_needs_a_person_and_is_cut_when_the_session_ends(
    api: PeopleApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "RECHECK_S", -1.0)
    declare_routes(monkeypatch, (route_rules.LIVE, "/echo"))
    router = APIRouter()

    @router.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                await socket.send_text(await socket.receive_text())

    api.add("eve", FleetRole.VIEWER)
    app, session = make_app(api.app.state.context, [router]), api.begin_session("eve")

    async def talk() -> None:
        assert (await open_socket(app).receive())["code"] == access.SIGNED_OUT
        foreign = open_socket(app, Cookie=f"pulsebms={session}", Origin="https://evil.example")
        assert (await foreign.receive())["type"] == "websocket.close"
        socket = open_socket(app, Cookie=f"pulsebms={session}")
        assert (await socket.receive())["type"] == "websocket.accept"
        assert (await socket.echo("one")).get("text") == "one"
        with api.people.writer.begin() as connection:
            sessions.end_session(connection, session)
        assert (await socket.echo("two"))["code"] == access.SIGNED_OUT
        await socket.close()

    asyncio.run(talk())
