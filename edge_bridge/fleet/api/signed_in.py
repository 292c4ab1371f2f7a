"""The person of a request, as a parameter of a route; a check that the route is the one that was permitted."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from edge_bridge.fleet.api.access import Admitted
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.problems import ProblemRaised
from edge_bridge.fleet.people.people import People
from edge_bridge.fleet.people.person import Person


def read_admitted(connection: HTTPConnection) -> Admitted:
    """Return what the access control admitted; refuse a request that came around it, or to another route."""
    admitted = connection.scope.get("state", {}).get("admitted")
    route: Any = connection.scope.get("route")
    if not isinstance(admitted, Admitted) or not admitted.rule.path.endswith(route.path):
        raise ProblemRaised(HTTPStatus.FORBIDDEN, "forbidden", "this route has no rule")
    return admitted


def read_person(admitted: Annotated[Admitted, Depends(read_admitted)]) -> Person:
    """Return the person; raise 401 for nobody, on a route that is open."""
    if admitted.person is None:
        raise ProblemRaised(HTTPStatus.UNAUTHORIZED, "not-signed-in", "nobody is signed in", WWW_Authenticate="Bearer")
    return admitted.person


def read_owner(person: Annotated[Person, Depends(read_person)]) -> Person:
    """Return a person with an account who is here in person: a token must not make tokens or change a password."""
    if person.is_local:
        words = "there is no account yet"
        raise ProblemRaised(HTTPStatus.CONFLICT, "no-account", words, "make one: POST /api/v1/accounts")
    if person.token:
        raise ProblemRaised(HTTPStatus.FORBIDDEN, "forbidden", "a token cannot do this", "sign in with the password")
    return person


def read_people(context: Context) -> People:
    """Return the accounts of this API; raise 409 where it has none."""
    return require_people(context)


def require_people(context: ApiContext) -> People:
    """Return the accounts; raise `ProblemRaised` for an app without."""
    if context.people is None:
        raise ProblemRaised(HTTPStatus.CONFLICT, "no-accounts", "this API has no accounts")
    return context.people


SignedIn = Annotated[Person, Depends(read_person)]
Owner = Annotated[Person, Depends(read_owner)]
Accounts = Annotated[People, Depends(read_people)]
