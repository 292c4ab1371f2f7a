"""The schema against the app with accounts: whoever asks for whatever, the answer is one that the schema declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from schemathesis.python import asgi

from edge_bridge.fleet.people.roles import FleetRole
from edge_bridge.fleet.people.secrets import make_csrf_token
from tests.edge_bridge.fleet.api.people import PeopleApi, serve_people
from tests.edge_bridge.fleet.api.served import HOST
from tests.edge_bridge.fleet.api.test_schema import is_of_people, judge_operations

if TYPE_CHECKING:
    from collections.abc import Generator

_asgi: Any = asgi


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[PeopleApi]:
    with serve_people(tmp_path_factory.mktemp("people")) as served:
        served.add("eve", FleetRole.ADMINISTRATOR)
        yield served
    _asgi._shutdown()  # else its thread lives as long as the process


@pytest.fixture
def schema(api: PeopleApi) -> Any:
    loader: Any = schemathesis.openapi
    return loader.from_asgi("/api/v1/openapi.json", api.app, headers={"Host": HOST})


def ends_no_session(operation: Any) -> bool:
    return is_of_people(operation) and not (operation.method == "delete" and "/session" in operation.path)


def test_an_administrator_gets_answers_of_the_schema_alone(api: PeopleApi, schema: Any) -> None:
    session = api.begin_session("eve")
    headers = {"Cookie": f"pulsebms={session}", "X-CSRF-Token": make_csrf_token(session)}
    assert judge_operations(schema, 5, ends_no_session, **headers) > 10
    assert api.ask("GET", "/session", session).status_code == 200, "else the rest was asked by a stranger"


def test_a_stranger_gets_answers_of_the_schema_alone(schema: Any) -> None:
    assert judge_operations(schema, 2, lambda _: True) > 20
