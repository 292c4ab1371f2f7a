"""The live events of the sites where a person has a role, while roles change and sessions end."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from edge_bridge.fleet.api import access
from edge_bridge.fleet.live import live_client
from edge_bridge.fleet.people import accounts, sessions
from edge_bridge.fleet.people.roles import FleetRole, RoleGrant
from tests.edge_bridge.fleet.api.people import PeopleApi, serve_people
from tests.edge_bridge.fleet.api.sockets import Socket, open_socket
from tests.edge_bridge.fleet.live.serving import make_record, make_row

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

LIVE = "/api/v1/live"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[PeopleApi]:
    monkeypatch.setattr(access, "RECHECK_S", -1.0)
    monkeypatch.setattr(live_client, "RECHECK_S", 0.01)
    with serve_people(tmp_path) as served:
        served.add("eve", FleetRole.VIEWER, "north")
        yield served


async def open_live(api: PeopleApi, session: str) -> Socket:
    api.hub.attach(asyncio.get_running_loop())
    socket = open_socket(api.app, LIVE, Cookie=f"pulsebms={session}")
    assert (await socket.receive())["type"] == "websocket.accept"
    return socket


async def receive_until(socket: Socket, kind: str) -> Any:
    """Return the first message of a kind; a close is an error of the test."""
    while (message := json.loads((await socket.receive())["text"]))["type"] != kind:
        pass
    return message


def subscribe(socket: Socket, devices: Any = "all") -> None:
    text = json.dumps({"type": "subscribe", "id": "a", "devices": devices})
    socket.sent.put_nowait({"type": "websocket.receive", "text": text})


def set_role(api: PeopleApi, *grants: RoleGrant) -> None:
    with api.people.writer.begin() as connection:
        accounts.set_grants(connection, "eve", list(grants))


def test_a_person_sees_the_own_sites_and_the_new_ones_once_the_role_changes(api: PeopleApi) -> None:
    session = api.begin_session("eve")

    async def talk() -> None:
        socket = await open_live(api, session)
        api.hub.handle_decoded([], {node: make_record(node) for node in ("pack-1", "pack-2")})
        subscribe(socket)
        assert [one["node"] for one in (await receive_until(socket, "data"))["states"]] == ["pack-1"]
        api.hub.handle_decoded([make_row(1, "pack-2"), make_row(2, "pack-1")], {})
        assert [row[0] for row in (await receive_until(socket, "data"))["rows"]] == ["pack-1"]
        set_role(api, RoleGrant(FleetRole.VIEWER, "south"))
        assert [one["node"] for one in (await receive_until(socket, "data"))["states"]] == ["pack-2"]
        api.hub.handle_decoded([make_row(3, "pack-1"), make_row(4, "pack-2")], {})
        assert [row[0] for row in (await receive_until(socket, "data"))["rows"]] == ["pack-2"]
        subscribe(socket, {"site": "south"})
        await receive_until(socket, "subscribed")
        subscribe(socket, {"site": "north"})
        assert (await receive_until(socket, "error"))["value"] == "north"
        await socket.close()

    asyncio.run(talk())


@pytest.mark.parametrize("ends", ["session", "roles"])
def test_a_person_is_cut_when_the_session_or_the_last_role_ends(api: PeopleApi, ends: str) -> None:
    session = api.begin_session("eve")

    async def talk() -> None:
        socket = await open_live(api, session)
        subscribe(socket)
        await receive_until(socket, "subscribed")
        if ends == "roles":
            set_role(api)
        else:
            with api.people.writer.begin() as connection:
                sessions.end_session(connection, session)
        while (message := await socket.echo(json.dumps({"type": "ping"})))["type"] != "websocket.close":
            pass
        assert message["code"] == access.SIGNED_OUT
        await socket.close()

    asyncio.run(talk())
