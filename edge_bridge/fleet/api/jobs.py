"""`/devices/NODE/estimates`, `/devices/NODE/forecasts` and `/jobs`: what takes longer than an answer may."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response

from drivers.errors import rebuild
from edge_bridge import metrics
from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.fields import NodePath
from edge_bridge.fleet.api.job_bodies import (
    EstimatesRequest,
    EstimatesResult,
    ForecastRequest,
    ForecastResult,
    JobBody,
)
from edge_bridge.fleet.api.problems import ProblemRaised, make_not_found, make_pulse_problem
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.api.visible import find_visible_nodes
from edge_bridge.fleet.people.person import Person
from edge_bridge.fleet.twins.order_reader import TwinQuestion
from edge_bridge.fleet.twins.twin_job import TwinJob
from edge_bridge.fleet.twins.twin_order import GivenDuty, TwinKind

router = APIRouter(tags=["jobs"])
JobPath = Annotated[str, Path(min_length=16, max_length=16, pattern="^[0-9a-f]{16}$", description="Id of the job.")]
_BUSY_S: Final = "30"


@router.post("/devices/{node}/estimates", summary="Estimate the past of a device", status_code=HTTPStatus.ACCEPTED)
def ask_estimates(
    context: Context, person: SignedIn, response: Response, node: NodePath, body: EstimatesRequest
) -> JobBody:
    """Queue a job: what the device told over a span, and its bundle's estimator run again over the rows."""
    newest_ms, running = _find_device(context, node)
    to_ms = newest_ms + 1 if body.to_ms is None else body.to_ms
    return _submit(context, person, response, TwinQuestion(TwinKind.ESTIMATES, node, to_ms, body.hours, running))


@router.post("/devices/{node}/forecasts", summary="Forecast a device", status_code=HTTPStatus.ACCEPTED)
def ask_forecast(
    context: Context, person: SignedIn, response: Response, node: NodePath, body: ForecastRequest
) -> JobBody:
    """Queue a job: the twin of the device's bundle, from its newest state, over the duty of the hours before."""
    newest_ms, running = _find_device(context, node)
    duty = None if body.duty is None else GivenDuty(tuple(body.duty.time_s), tuple(body.duty.current_a))
    question = TwinQuestion(TwinKind.FORECAST, node, newest_ms + 1, body.hours, running, body.quick, duty)
    return _submit(context, person, response, question)


@router.get("/jobs/{job}", summary="Read a job")
def read_job(context: Context, person: SignedIn, job: JobPath) -> JobBody:
    """Read how far a job is, and its result or why there is none."""
    return _make_body(_find(context, person, job))


@router.delete("/jobs/{job}", summary="Cancel a job")
def cancel_job(context: Context, person: SignedIn, job: JobPath) -> JobBody:
    """Cancel a job; one that has ended stays as it is."""
    _find(context, person, job)
    found = context.jobs.cancel(job)
    if found is None:
        raise make_not_found(f"a job {job}")
    return _make_body(found)


def _find_device(context: ApiContext, node: str) -> tuple[int, str]:
    """Return the time of the newest row, and the bundle that the device says it runs."""
    device = context.directory.read().devices.get(node)
    if device is None:
        raise make_not_found(f"a device {node}")
    if device.last_ms is None:
        raise ProblemRaised(HTTPStatus.CONFLICT, "no-rows", f"{node} has sent no row", "wait for its rows")
    return device.last_ms, str(device.status.get(metrics.SHA256) or "")


def _submit(context: ApiContext, person: Person, response: Response, question: TwinQuestion) -> JobBody:
    made = context.jobs.submit(question, person.name)
    if made is None:
        words, hint = "too many jobs wait already", f"try again in {_BUSY_S} s"
        raise ProblemRaised(HTTPStatus.SERVICE_UNAVAILABLE, "jobs-busy", words, hint, Retry_After=_BUSY_S)
    response.headers["Location"] = f"/api/v1/jobs/{made.id}"
    return _make_body(made)


def _find(context: ApiContext, person: Person, number: str) -> TwinJob:
    """Return a job about a device that the person may see."""
    found, nodes = context.jobs.find(number), find_visible_nodes(context, person)
    if found is None or (nodes is not None and found.node not in nodes):
        raise make_not_found(f"a job {number}")
    return found


def _make_body(job: TwinJob) -> JobBody:
    names = ("id", "kind", "node", "state", "progress", "by", "made_ms", "ended_ms")
    result: dict[str, Any] | None = None if job.result is None else dict(job.result)
    has_estimates = job.kind is TwinKind.ESTIMATES
    return JobBody(
        **{name: getattr(job, name) for name in names},
        estimates=EstimatesResult(**result) if result is not None and has_estimates else None,
        forecast=ForecastResult(**result) if result is not None and not has_estimates else None,
        problem=None if job.problem is None else make_pulse_problem(rebuild(dict(job.problem))),
    )
