"""Who may send a request: asked before its body is read and before any route. What is not declared is not served."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from drivers.clock import monotonic
from drivers.errors import StoreFailed
from edge_bridge.fleet.api.problems import ProblemRaised, make_response
from edge_bridge.fleet.api.request_origin import check_host, check_origin
from edge_bridge.fleet.api.route_rules import LIVE, Reach, RouteRule, find_methods, find_rule, read_path_value
from edge_bridge.fleet.people.person import LOCAL_PERSON, Person
from edge_bridge.fleet.people.request_rates import RequestRates, find_network
from edge_bridge.fleet.people.roles import FleetAction
from edge_bridge.fleet.people.secrets import is_same, parse_bearer

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from edge_bridge.fleet.api.context import ApiContext

CSRF_HEADER: Final = "x-csrf-token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
RECHECK_S: Final = 5.0  # of an open WebSocket: who signed out, or lost the role, is cut
SIGNED_OUT: Final = 4401  # close code
_HINT: Final = "sign in: POST /api/v1/session, or send a token: Authorization: Bearer pulse_..."


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may go on; a route finds it in the state of the request."""

    rule: RouteRule
    person: Person | None


class AccessControl:
    """ASGI middleware: host, rate, rule, origin, person, CSRF token, permission, in this order."""

    def __init__(self, app: ASGIApp, context: ApiContext) -> None:
        self._app, self._context, self._settings = app, context, context.settings
        self._rates = RequestRates(self._settings.rate_per_s, self._settings.burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        try:
            admitted = await self._admit(connection)
        except ProblemRaised as problem:
            await _refuse(problem, scope, receive, send)
            return
        scope.setdefault("state", {})["admitted"] = admitted
        if scope["type"] == "websocket":
            send = self._watch(connection, send)
        await self._app(scope, receive, send)

    async def _admit(self, connection: HTTPConnection) -> Admitted:
        """Return the rule and the person of a request; raise `ProblemRaised` for one that may not go on."""
        check_host(connection, self._settings)
        address = connection.client.host if connection.client else ""
        if wait_s := self._rates.take(find_network(address), monotonic()):
            raise make_wait(wait_s, "too many requests")
        rule = _choose_rule(connection)
        is_change = rule.method not in SAFE
        if is_change:
            check_origin(connection)
        with _report_failures():
            person = await run_in_threadpool(find_person, self._context, connection)
        if rule.action is FleetAction.OPEN:
            return Admitted(rule, person)
        if person is None:
            raise ProblemRaised(
                HTTPStatus.UNAUTHORIZED, "not-signed-in", "nobody is signed in", _HINT, WWW_Authenticate="Bearer"
            )
        if is_change and rule.method != LIVE and person.secret:
            _check_csrf(connection, person)
        with _report_failures():  # the site of a device is read from the database now and then
            await run_in_threadpool(self._check_permission, connection, rule, person)
        return Admitted(rule, person)

    def _check_permission(self, connection: HTTPConnection, rule: RouteRule, person: Person) -> None:
        path = connection.scope["path"]
        match rule.reach:
            case Reach.FILTERED:
                sites = person.find_sites(rule.action)
                is_permitted = sites is None or bool(sites)
            case Reach.DEVICE:
                is_permitted = person.may(rule.action, self._context.find_site(read_path_value(rule, path, "node")))
            case Reach.SITE:
                is_permitted = person.may(rule.action, read_path_value(rule, path, "site"))
            case Reach.FLEET:
                is_permitted = person.may(rule.action, None)
        if not is_permitted:
            words = f"{person.name} has no role here that permits: {rule.action.value}"
            raise ProblemRaised(HTTPStatus.FORBIDDEN, "forbidden", words, "ask an administrator for the role")

    def _watch(self, connection: HTTPConnection, send: Send) -> Send:
        """Return a `send` that asks again now and then whether the person may still listen."""
        checked_s, is_cut = monotonic(), False

        async def send_checked(message: Message) -> None:
            nonlocal checked_s, is_cut
            if is_cut:
                return
            if message["type"] == "websocket.send" and monotonic() - checked_s > RECHECK_S:
                checked_s = monotonic()
                try:
                    await self._admit(connection)
                except ProblemRaised as problem:
                    if problem.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                        is_cut = True
                        await send({"type": "websocket.close", "code": SIGNED_OUT, "reason": "signed out"})
                        return
            await send(message)

        return send_checked


def find_person(context: ApiContext, connection: HTTPConnection) -> Person | None:
    """Return who sends it: by token, by session, or `local` where that is permitted. Raise `StoreFailed`."""
    people, settings = context.people, context.settings
    header = connection.headers.get("authorization")
    if people is None:  # an app without accounts, in tests and in programs that embed it
        return LOCAL_PERSON if settings.is_loopback else None
    if header is not None:  # a wrong token is no reason to look for something else
        token = parse_bearer(header)
        return None if token is None else people.find_by_token(token)
    if cookie := connection.cookies.get(settings.cookie):
        found = people.find_by_session(cookie)
        if found is not None:
            return found
    is_open = settings.is_loopback and context.claim is None  # `fleet init` made a token: then nobody goes without
    return LOCAL_PERSON if is_open and not people.has_accounts() else None


def make_wait(wait_s: float, words: str) -> ProblemRaised:
    """Make the answer for a client that has to wait."""
    pause = str(max(1, math.ceil(wait_s)))
    return ProblemRaised(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", words, f"try again in {pause} s", Retry_After=pause
    )


@contextmanager
def _report_failures() -> Generator[None]:
    """Answer 503 for a database that does not answer."""
    try:
        yield
    except StoreFailed as error:
        raise ProblemRaised(HTTPStatus.SERVICE_UNAVAILABLE, "store", error.sentence, error.hint) from error


def _choose_rule(connection: HTTPConnection) -> RouteRule:
    path = connection.scope["path"]
    method = LIVE if connection.scope["type"] == "websocket" else connection.scope["method"]
    rule = find_rule(method, path)
    if rule is not None:
        return rule
    if methods := find_methods(path):
        raise ProblemRaised(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            f"{path[:200]} has no method {method[:20]}",
            Allow=", ".join(methods),
        )
    raise ProblemRaised(HTTPStatus.NOT_FOUND, "not-found", f"{path[:200]} is not known")


def _check_csrf(connection: HTTPConnection, person: Person) -> None:
    if not is_same(connection.headers.get(CSRF_HEADER, ""), person.csrf):
        hint = f"send the `csrf` of GET /api/v1/session as the header {CSRF_HEADER}"
        raise ProblemRaised(HTTPStatus.FORBIDDEN, "csrf", "the CSRF token of this session is missing", hint)


async def _refuse(problem: ProblemRaised, scope: Scope, receive: Receive, send: Send) -> None:
    headers = {**problem.headers, "Cache-Control": "no-store"}
    answer = make_response(problem.status, problem.name, problem.detail, hint=problem.hint, headers=headers)
    if scope["type"] == "http":
        await answer(scope, receive, send)
        return
    message: Any = await receive()
    if message["type"] == "websocket.connect":
        await send({"type": "websocket.close", "code": SIGNED_OUT, "reason": problem.detail[:100]})
