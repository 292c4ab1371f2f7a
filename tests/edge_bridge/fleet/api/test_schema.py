"""The whole schema against the app: whatever is sent, the answer is one that the schema declares, never a 500."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis import checks as server_checks
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks

from tests.edge_bridge.fleet.api.served import HOST, serve_desk
from tests.edge_bridge.fleet.pack import Desk, Pack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_checks: Any = checks  # its types are partly unknown
_asgi: Any = asgi
_server: Any = server_checks
ALL_HEALTH: Any = list(HealthCheck)
CHECKS: Final[list[Any]] = [
    _server.not_a_server_error,
    _checks.status_code_conformance,
    _checks.content_type_conformance,
    _checks.response_schema_conformance,
    _checks.negative_data_rejection,
]
EXAMPLES: Final = 8
PEOPLE: Final = tuple(
    f"/api/v1/{name}" for name in ("session", "sessions", "claim", "password", "accounts", "tokens", "audit")
)
MODES: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Generator[Any]:
    desk, pack = Desk(tmp_path_factory.mktemp("api") / "fleet.db"), Pack()
    desk.hear(pack.birth(), pack.row(1), pack.row(3), pack.gap(7, 4, 5))
    with serve_desk(desk) as served:
        loader: Any = schemathesis.openapi
        yield loader.from_asgi("/api/v1/openapi.json", served.client.app, headers={"Host": HOST})
    _asgi._shutdown()  # else its thread lives as long as the process
    desk.close()


def is_of_people(operation: Any) -> bool:
    """Return whether the operation is judged by `test_people_schema.py`, where there are people."""
    return operation.path.startswith(PEOPLE)


def judge_operations(schema: Any, examples: int, is_wanted: Callable[[Any], bool], **headers: str) -> int:
    """Send so many requests of each kind to each operation; return how many operations there are."""
    operations = [one for result in schema.get_all_operations() if is_wanted(one := result.ok())]
    for operation in operations:
        for mode in MODES:
            if mode is GenerationMode.NEGATIVE and not (operation.query or operation.path_parameters or operation.body):
                continue  # there is nothing to send that is wrong
            strategy = operation.as_strategy(generation_mode=mode)

            @settings(max_examples=examples, deadline=None, suppress_health_check=ALL_HEALTH, database=None)
            @given(case=strategy)
            def judge(case: Any) -> None:
                case.call_and_validate(checks=CHECKS, headers={"Host": HOST, **headers})

            judge()
    return len(operations)


def test_every_answer_is_one_of_the_schema(schema: Any) -> None:
    assert judge_operations(schema, EXAMPLES, lambda one: not is_of_people(one)) > 5


@pytest.mark.soak
def test_every_answer_is_one_of_the_schema_for_long(schema: Any) -> None:
    assert judge_operations(schema, int(os.environ.get("PULSEBMS_SOAK_EXAMPLES", "2000")), lambda _: True)
