"""The app: every route below `/api/v1`, errors as problem+json, the schema without a page that needs the internet."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Depends, FastAPI

from drivers.version import VERSION
from edge_bridge.fleet.api import (
    accounts,
    alarms,
    analytics,
    audit,
    bms_names,
    bundles,
    completeness,
    device_commands,
    devices,
    diagnosis,
    health,
    jobs,
    rollouts,
    rows,
    sign_in,
    sites,
    tokens,
)
from edge_bridge.fleet.api.access import AccessControl
from edge_bridge.fleet.api.dashboard import DashboardFiles
from edge_bridge.fleet.api.limits import RequestLimits
from edge_bridge.fleet.api.problems import MEDIA, ProblemBody, add_problem_handlers
from edge_bridge.fleet.api.route_rules import PREFIX, describe_access
from edge_bridge.fleet.api.signed_in import read_admitted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from edge_bridge.fleet.api.context import ApiContext

_ROUTERS: Final = (
    health.router,
    devices.router,
    rows.router,
    completeness.router,
    diagnosis.router,
    bms_names.router,
    alarms.router,
    audit.router,
    analytics.router,
    sites.router,
    device_commands.router,
    jobs.router,
    bundles.router,
    rollouts.router,
    sign_in.router,
    accounts.router,
    tokens.router,
)
_ERROR: Final[dict[int | str, dict[str, Any]]] = {
    "default": {
        "description": "An error.",
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
    }
}


def make_app(context: ApiContext, more: Sequence[APIRouter] = ()) -> FastAPI:
    """Make the app of a fleet; `more` are routers of other parts, below the same prefix."""

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncGenerator[None]:
        yield
        context.close()

    app = FastAPI(
        title="PulseBMS fleet",
        version=VERSION,
        description="The packs of a fleet. Times are ms since 1970 (UTC). Errors are problem+json (RFC 9457).",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # both pages load scripts from other servers
        redoc_url=None,
        lifespan=run,
        redirect_slashes=False,
        dependencies=[Depends(read_admitted)],
    )
    app.state.context = context
    app.add_middleware(AccessControl, context=context)  # inside the limits: it asks the database
    app.add_middleware(RequestLimits, most=context.settings.max_requests)
    app.add_middleware(DashboardFiles)  # outside: the files are open, and cost nothing
    add_problem_handlers(app)
    for router in (*_ROUTERS, *more):
        app.include_router(router, prefix=PREFIX, responses=_ERROR)
    _complete_schema(app, with_accounts=context.people is not None)
    return app


def _complete_schema(app: FastAPI, *, with_accounts: bool) -> None:
    """Describe errors and access in the schema: FastAPI knows only models of a response with `application/json`."""
    make_schema, completed = app.openapi, dict[str, Any]()

    def make_with_problems() -> dict[str, Any]:
        nonlocal completed
        schema = make_schema()  # the same object each time, until a router is added
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        if schema is not completed:
            completed = schema
            body = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= body.pop("$defs", {}) | {ProblemBody.__name__: body}
            describe_access(schema, with_accounts=with_accounts)
        return schema

    app.openapi = make_with_problems
