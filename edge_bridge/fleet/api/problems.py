"""Errors as problem+json (RFC 9457): the same form for each error of the API, whatever raised it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from drivers.errors import BundleRefused, DocumentChanged, PulseError, Refused, StoreFailed, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MEDIA: Final = "application/problem+json"
MAX_ERRORS: Final = 20
MAX_WORDS: Final = 500
_STATUS_OF: Final[tuple[tuple[type[PulseError], int], ...]] = (
    (StoreFailed, HTTPStatus.SERVICE_UNAVAILABLE),
    (DocumentChanged, HTTPStatus.PRECONDITION_FAILED),
    (BundleRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Refused, HTTPStatus.CONFLICT),
    (Usage, HTTPStatus.UNPROCESSABLE_ENTITY),
)


class ProblemField(BaseModel):
    """One field of a request that is wrong."""

    where: str = Field(max_length=MAX_WORDS, description="Part of the request, then the path in it: `query.limit`.")
    detail: str = Field(max_length=MAX_WORDS)


class ProblemBody(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(max_length=100, description="A name that never changes: `urn:pulsebms:problem:NAME`.")
    title: str = Field(max_length=MAX_WORDS)
    status: int = Field(ge=400, le=599)
    detail: str = Field(default="", max_length=MAX_WORDS)
    hint: str = Field(default="", max_length=MAX_WORDS, description="What to do.")
    errors: list[ProblemField] = Field(default=[], max_length=MAX_ERRORS)


class ProblemRaised(Exception):  # noqa: N818  # it is an answer
    """An answer other than the one that was asked for."""

    def __init__(self, status: int, name: str, detail: str, hint: str = "", **headers: str) -> None:
        super().__init__(detail)
        self.status, self.name, self.detail, self.hint = status, name, detail, hint
        self.headers = {key.replace("_", "-"): value for key, value in headers.items()}


def make_not_found(what: str) -> ProblemRaised:
    """Make the answer for a thing that does not exist."""
    return ProblemRaised(HTTPStatus.NOT_FOUND, "not-found", f"{what} is not known")


def make_response(
    status: int,
    name: str,
    detail: str = "",
    *,
    hint: str = "",
    errors: list[ProblemField] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Make the response of a problem."""
    body = ProblemBody(
        type=f"urn:pulsebms:problem:{name}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail[:MAX_WORDS],
        hint=hint[:MAX_WORDS],
        errors=(errors or [])[:MAX_ERRORS],
    )
    return JSONResponse(body.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA)


def make_pulse_problem(error: PulseError) -> ProblemBody:
    """Make the body of an error that a job ended with; a refusal is named by the key that says what was wrong."""
    status = _find_status(error)
    name = error.key if isinstance(error, Refused) and error.key else error.code
    return ProblemBody(
        type=f"urn:pulsebms:problem:{name.replace('_', '-')[:60]}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=error.sentence[:MAX_WORDS],
        hint=error.hint[:MAX_WORDS],
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every exception with a problem."""
    app.add_exception_handler(ProblemRaised, _answer_raised)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(PulseError, _answer_pulse)
    app.add_exception_handler(Exception, _answer_defect)


def _answer_raised(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemRaised)  # noqa: S101  # so it was registered
    return make_response(error.status, error.name, error.detail, hint=error.hint, headers=error.headers)


def _answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # so it was registered
    found: list[Any] = list(error.errors())[:MAX_ERRORS]
    fields = [
        ProblemField(where=".".join(map(str, one["loc"]))[:MAX_WORDS], detail=str(one["msg"])[:MAX_WORDS])
        for one in found
    ]
    return make_response(422, "invalid-request", "the request does not match its schema", errors=fields)


def _answer_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  # so it was registered
    name = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return make_response(error.status_code, name, str(error.detail), headers=error.headers)


def _answer_pulse(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PulseError)  # noqa: S101  # so it was registered
    return make_response(_find_status(error), error.code.replace("_", "-"), error.sentence, hint=error.hint)


def _find_status(error: PulseError) -> int:
    return next((status for kind, status in _STATUS_OF if isinstance(error, kind)), HTTPStatus.CONFLICT)


def _answer_defect(_request: Request, _error: Exception) -> JSONResponse:
    return make_response(500, "defect", "a defect of this program", hint="send the log of the fleet to its authors")
