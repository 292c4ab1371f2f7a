"""`/health`: whether the process runs, and whether it can do its work."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from drivers.errors import StoreFailed
from edge_bridge.fleet.api.context import Context

router = APIRouter(prefix="/health", tags=["health"])


class LiveBody(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class ReadyBody(BaseModel):
    """Whether database and broker can be used; an empty string says yes, a sentence why not."""

    ready: bool
    database: str = Field(max_length=500)
    broker: str = Field(max_length=500)


@router.get("/live", summary="Does the process answer?")
async def read_live() -> LiveBody:
    """Answer."""
    return LiveBody()


@router.get("/ready", summary="Can it work?", responses={503: {"model": ReadyBody, "description": "It cannot."}})
def read_ready(context: Context, response: Response) -> ReadyBody:
    """Ask the database and the host."""
    broker, database = context.host.read_trouble(), ""
    try:
        context.reader.check()
    except StoreFailed as error:
        database = error.sentence
    if broker or database:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return ReadyBody(ready=not (broker or database), database=database[:500], broker=broker[:500])
