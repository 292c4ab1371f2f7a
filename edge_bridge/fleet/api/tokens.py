"""`/tokens`: API tokens of the person who is signed in, for scripts and programs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from edge_bridge.fleet.api.people_fields import AccountName, PastMs, RoleBody, Roles, make_roles, read_roles
from edge_bridge.fleet.api.problems import make_not_found
from edge_bridge.fleet.api.signed_in import Accounts, Owner
from edge_bridge.fleet.people import administration, api_tokens
from edge_bridge.fleet.people.api_tokens import MAX_DAYS, MAX_TITLE, MAX_TOKENS, ApiToken

router = APIRouter(prefix="/tokens", tags=["people"])
TokenPath = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="Id of the token.")]


class TokenBody(BaseModel):
    """A token, without its secret."""

    id: str = Field(pattern=r"^[0-9a-f]{16}$")
    account: AccountName
    title: str = Field(max_length=MAX_TITLE)
    scopes: list[RoleBody]
    made_ms: PastMs
    expires_ms: PastMs


class TokenList(BaseModel):
    """The tokens of one account."""

    tokens: list[TokenBody] = Field(max_length=MAX_TOKENS)


class NewTokenBody(BaseModel):
    """A token to make."""

    title: str = Field(
        min_length=1, max_length=MAX_TITLE, pattern=r"^[^\x00-\x1f\x7f]+$", description="What it is for."
    )
    scopes: Roles = Field(min_length=1, description="Roles that the token has; the account must have them too.")
    days: int = Field(default=30, ge=1, le=MAX_DAYS, description="Days until it expires.")


class MadeTokenBody(TokenBody):
    """A new token with its secret, which nobody can read again."""

    token: str = Field(max_length=100, description="Send it as `Authorization: Bearer ...`.")


@router.get("", summary="List the own tokens")
def list_tokens(people: Accounts, person: Owner) -> TokenList:
    """List them, the oldest first."""
    with people.reader.begin() as connection:
        return TokenList(
            tokens=[TokenBody.model_validate(_describe(one)) for one in api_tokens.list_tokens(connection, person.name)]
        )


@router.post("", summary="Make a token", status_code=HTTPStatus.CREATED)
def add_token(people: Accounts, person: Owner, response: Response, body: NewTokenBody) -> MadeTokenBody:
    """Make a token for a script; it never can do more than its owner at that moment."""
    scopes = read_roles(body.scopes)
    made, text = administration.add_token(
        people.writer, person, body.title, scopes, days=body.days, now_ms=people.clock().ms
    )
    response.headers["Cache-Control"] = "no-store"
    return MadeTokenBody.model_validate(_describe(made) | {"token": text})


@router.delete("/{token}", summary="Revoke a token", status_code=HTTPStatus.NO_CONTENT)
def revoke_token(people: Accounts, person: Owner, token: TokenPath) -> None:
    """Revoke it at once."""
    with people.reader.begin() as connection:
        if all(one.id != token for one in api_tokens.list_tokens(connection, person.name)):
            raise make_not_found(f"a token {token}")
    administration.revoke_token(people.writer, person, token, people.clock().ms)


def _describe(token: ApiToken) -> dict[str, object]:
    return {
        "id": token.id,
        "account": token.account,
        "title": token.title,
        "scopes": make_roles(token.scopes),
        "made_ms": token.made_ms,
        "expires_ms": token.expires_ms,
    }
