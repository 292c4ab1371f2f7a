"""`/session`, `/claim` and `/password`: sign in and out, the first administrator, the own password."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.access import make_wait
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.people_fields import (
    AccountName,
    NewPassword,
    RoleBody,
    TypedName,
    TypedPassword,
    make_roles,
)
from edge_bridge.fleet.api.problems import ProblemRaised
from edge_bridge.fleet.api.signed_in import Accounts, Owner, SignedIn
from edge_bridge.fleet.people.accounts import MAX_NAME
from edge_bridge.fleet.people.person import Person
from edge_bridge.fleet.people.sessions import IDLE_MS, LIFE_MS

if TYPE_CHECKING:
    from edge_bridge.fleet.people.people import People, SignIn

router = APIRouter(tags=["people"])


class SignInBody(BaseModel):
    """Name and password."""

    name: TypedName
    password: TypedPassword


class ClaimBody(BaseModel):
    """The first administrator, with the token that `fleet init` wrote."""

    token: str = Field(max_length=200)
    name: AccountName
    password: NewPassword


class PasswordBody(BaseModel):
    """The own password, before and from now on."""

    former: TypedPassword
    password: NewPassword


class SessionBody(BaseModel):
    """Who is signed in, and what this person may do."""

    name: str = Field(max_length=MAX_NAME)
    roles: list[RoleBody]
    is_local: bool = Field(description="There is no account yet: who reaches this machine is its administrator.")
    csrf: str = Field(max_length=100, description="Send it with each change as the header X-CSRF-Token.")
    idle_ms: int = Field(default=IDLE_MS, description="The session ends after this time without a request.")
    life_ms: int = Field(default=LIFE_MS, description="The session ends this long after its begin.")


@router.post("/session", summary="Sign in")
def sign_in(context: Context, people: Accounts, request: Request, response: Response, body: SignInBody) -> SessionBody:
    """Begin a session, in place of the one that this browser has."""
    former = request.cookies.get(context.settings.cookie, "")
    signed = people.sign_in(body.name, body.password, _read_address(request), former)
    return _answer(context, people, response, signed, "name or password is wrong")


@router.post("/claim", summary="Make the first administrator", status_code=HTTPStatus.CREATED)
def claim(context: Context, people: Accounts, request: Request, response: Response, body: ClaimBody) -> SessionBody:
    """Make the first account and sign in; the token is good for this once."""
    signed = people.claim(context.claim, body.token, body.name, body.password, _read_address(request))
    return _answer(context, people, response, signed, "the token is wrong, or was used")


@router.get("/session", summary="Who is signed in?")
def read_session(response: Response, person: SignedIn) -> SessionBody:
    """Return the person that this request came from."""
    response.headers["Cache-Control"] = "no-store"
    return _make_session(person)


@router.delete("/session", summary="Sign out", status_code=HTTPStatus.NO_CONTENT)
def sign_out(context: Context, people: Accounts, response: Response, person: SignedIn) -> None:
    """End this session; without one do nothing."""
    if person.secret:
        people.sign_out(person)
    _drop_cookie(context, response)


@router.delete("/sessions", summary="Sign out everywhere", status_code=HTTPStatus.NO_CONTENT)
def sign_out_everywhere(context: Context, people: Accounts, response: Response, person: Owner) -> None:
    """End all sessions of this account; its tokens stay."""
    people.sign_out(person, everywhere=True)
    _drop_cookie(context, response)


@router.put("/password", summary="Change the own password")
def change_password(
    context: Context, people: Accounts, person: Owner, *, request: Request, response: Response, body: PasswordBody
) -> SessionBody:
    """Replace it; all sessions of this account end, and a new one begins here."""
    signed = people.change_password(person, body.former, body.password, _read_address(request))
    return _answer(context, people, response, signed, "the former password is wrong")


def _answer(context: ApiContext, people: People, response: Response, signed: SignIn, refusal: str) -> SessionBody:
    if signed.wait_s:
        raise make_wait(signed.wait_s, "too many attempts")
    person = people.find_by_session(signed.secret) if signed.secret else None
    if person is None:
        raise ProblemRaised(HTTPStatus.UNAUTHORIZED, "sign-in", refusal, WWW_Authenticate="Bearer")
    response.set_cookie(
        context.settings.cookie,
        signed.secret,
        max_age=LIFE_MS // 1_000,
        path="/",
        secure=not context.settings.is_loopback,
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return _make_session(person)


def _drop_cookie(context: ApiContext, response: Response) -> None:
    is_secure = not context.settings.is_loopback
    response.delete_cookie(context.settings.cookie, path="/", secure=is_secure, httponly=True, samesite="strict")


def _make_session(person: Person) -> SessionBody:
    return SessionBody(name=person.name, roles=make_roles(person.grants), is_local=person.is_local, csrf=person.csrf)


def _read_address(request: Request) -> str:
    return request.client.host if request.client else ""
