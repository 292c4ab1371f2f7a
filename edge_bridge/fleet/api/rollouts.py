"""`/rollouts`: one bundle to several devices, proposed by one person and approved by another."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field, model_validator

from edge_bridge.fleet.api.context import ApiContext, Context
from edge_bridge.fleet.api.fields import MAX_LIMIT, SHA256_PATTERN, Limit, Ms, Name
from edge_bridge.fleet.api.problems import ProblemRaised, make_not_found
from edge_bridge.fleet.api.rollout_choice import MAX_DEVICES, choose_devices, find_way_back_trouble
from edge_bridge.fleet.api.signed_in import SignedIn
from edge_bridge.fleet.api.visible import find_visible_nodes, require_device
from edge_bridge.fleet.people.person import Person
from edge_bridge.fleet.people.roles import FleetAction, is_second_person
from edge_bridge.fleet.rollout import (
    ENDED,
    Rollout,
    RolloutPhase,
    RolloutStep,
    StepState,
    approve,
    revert,
    withdraw,
)
from edge_bridge.fleet.rollout_book import StoredRollout
from edge_bridge.fleet.store.audit_chain import AuditNote

if TYPE_CHECKING:
    from collections.abc import Callable

router = APIRouter(prefix="/rollouts", tags=["rollouts"])
Sha256 = Annotated[str, Field(min_length=64, max_length=64, pattern=SHA256_PATTERN)]
RolloutPath = Annotated[str, Path(min_length=12, max_length=12, pattern="^[0-9a-f]{12}$")]
MAX_S: Final = 7 * 86_400
_CONFLICT: Final = HTTPStatus.CONFLICT


class RolloutProposal(BaseModel, extra="forbid"):
    """A bundle for a list of devices, a site or a group; exactly one of the three."""

    bundle: Sha256 = Field(description="SHA-256 of an uploaded bundle.")
    devices: list[Name] | None = Field(default=None, min_length=1, max_length=MAX_DEVICES)
    site: Annotated[str, Field(max_length=60)] | None = None
    group: Name | None = None
    canary: Annotated[int, Field(ge=1, le=MAX_DEVICES)] | Annotated[list[Name], Field(min_length=1, max_length=100)] = (
        Field(default=1, description="Devices that are first: names, or how many; then those that are online.")
    )
    soak_s: int = Field(default=3_600, ge=0, le=MAX_S, description="How long every canary must run it in health.")
    timeout_s: int = Field(default=3_600, ge=60, le=MAX_S, description="How long one device may take.")
    at_once: int = Field(default=20, ge=1, le=200, description="Devices at the same time after the canary.")

    @model_validator(mode="after")
    def check_one_choice(self) -> RolloutProposal:
        if sum(one is not None for one in (self.devices, self.site, self.group)) != 1:
            words = "give exactly one of devices, site, group"
            raise ValueError(words)
        return self


class RevertBody(BaseModel, extra="forbid"):
    """Where to go back to."""

    bundle: Sha256 | None = Field(
        default=None, description="An uploaded bundle for all; null: each device's former one, which must be here."
    )


class StepBody(BaseModel):
    """One device of a rollout."""

    node: str = Field(max_length=200)
    is_canary: bool
    state: StepState
    since_ms: Ms
    former: str = Field(max_length=64, description="SHA-256 of the bundle before, empty if it is unknown.")
    reason: str = Field(max_length=200)


class RolloutBody(BaseModel):
    """A rollout; `counts` by state of the devices that the person may see."""

    id: str
    bundle: Sha256
    phase: RolloutPhase
    is_paused: bool
    since_ms: Ms
    reason: str = Field(max_length=200, description="Why it halted.")
    proposed_by: str
    proposed_ms: Ms
    approved_by: str = Field(description="Empty while nobody has.")
    soak_s: int
    timeout_s: int
    at_once: int
    counts: dict[StepState, int]


class RolloutDetails(RolloutBody):
    """A rollout with its devices, the canaries first."""

    devices: list[StepBody]
    no_way_back: str = Field(max_length=500, description="Why `revert` cannot go back to the former bundles, if so.")


class RolloutList(BaseModel):
    """Rollouts, the newest first."""

    rollouts: list[RolloutBody]


@router.post("", summary="Propose a rollout", status_code=HTTPStatus.CREATED)
def propose_rollout(context: Context, person: SignedIn, response: Response, body: RolloutProposal) -> RolloutDetails:
    """Propose a rollout; nothing is sent before another person approves it."""
    if context.library.find(body.bundle) is None:
        raise make_not_found(f"a bundle {body.bundle[:12]}")
    nodes, canary = choose_devices(context, body.devices, body.site, body.group, body.canary)
    for node in nodes:
        require_device(context, person, FleetAction.PROPOSE, node)
    steps = tuple(RolloutStep(node, node in canary) for node in sorted(nodes, key=lambda one: (one not in canary, one)))
    now_ms = context.now_ms()
    made = Rollout(body.bundle, steps, body.soak_s * 1_000, body.timeout_s * 1_000, body.at_once, since_ms=now_ms)
    stored = context.rollouts.add(made, person.name, now_ms, lambda one: _note(context, person, "propose", one, made))
    response.headers["Location"] = f"/api/v1/rollouts/{stored.id}"
    return _make_details(context, person, stored)


@router.get("", summary="List rollouts")
def list_rollouts(context: Context, person: SignedIn, limit: Limit = 100) -> RolloutList:
    """List the newest rollouts with a device that the person may see."""
    nodes = find_visible_nodes(context, person)
    found = [one for one in context.rollouts.list_rollouts() if _list_steps(one, nodes)][: min(limit, MAX_LIMIT)]
    return RolloutList(rollouts=[_make_body(one, nodes) for one in found])


@router.get("/{rollout}", summary="Read a rollout")
def read_rollout(context: Context, person: SignedIn, rollout: RolloutPath) -> RolloutDetails:
    """Read a rollout and its devices."""
    return _make_details(context, person, _find(context, person, rollout, FleetAction.VIEW))


@router.post("/{rollout}/approve", summary="Approve a rollout")
def approve_rollout(context: Context, person: SignedIn, rollout: RolloutPath) -> RolloutDetails:
    """Begin a rollout that another person proposed; one that shares a device with a running one waits."""
    known = _find(context, person, rollout, FleetAction.APPROVE)
    if not person.is_local and not is_second_person(known.proposed_by, person.name):
        words = "nobody approves what the same person proposed"
        raise ProblemRaised(HTTPStatus.FORBIDDEN, "second-person", words, "ask another approver")
    mine = {one.node for one in known.rollout.steps}
    for other in context.rollouts.list_rollouts():
        shared = {one.node for one in other.rollout.steps} & mine if other.rollout.is_active else set[str]()
        if shared:
            raise ProblemRaised(_CONFLICT, "rollout-runs", f"rollout {other.id} runs at {min(shared)}", "wait for it")

    def begin(one: StoredRollout) -> Rollout:
        _require_phase(one, RolloutPhase.PROPOSED)
        return approve(one.rollout, context.now_ms())

    return _change(context, person, known, "approve", begin, approved_by=person.name)


@router.post("/{rollout}/pause", summary="Pause a rollout")
def pause_rollout(context: Context, person: SignedIn, rollout: RolloutPath) -> RolloutDetails:
    """Begin no more devices; those that were begun go on."""
    return _set_paused(context, person, rollout, FleetAction.REVERT, is_paused=True)


@router.post("/{rollout}/resume", summary="Resume a rollout")
def resume_rollout(context: Context, person: SignedIn, rollout: RolloutPath) -> RolloutDetails:
    """Go on with a rollout that was paused. One that halted does not go on: propose a new one."""
    return _set_paused(context, person, rollout, FleetAction.APPROVE, is_paused=False)


@router.post("/{rollout}/revert", summary="Revert or withdraw a rollout")
def revert_rollout(context: Context, person: SignedIn, rollout: RolloutPath, body: RevertBody) -> RolloutDetails:
    """Send every device that was begun back; end a rollout that was only proposed."""
    known = _find(context, person, rollout, FleetAction.REVERT)
    if body.bundle is not None and context.library.find(body.bundle) is None:
        raise make_not_found(f"a bundle {body.bundle[:12]}")

    def go_back(one: StoredRollout) -> Rollout:
        if one.rollout.phase is RolloutPhase.PROPOSED:
            return withdraw(one.rollout, context.now_ms())
        if one.rollout.phase in {RolloutPhase.WITHDRAWN, RolloutPhase.REVERTING, RolloutPhase.REVERTED}:
            raise ProblemRaised(_CONFLICT, "rollout-phase", f"the rollout is {one.rollout.phase.value}")
        trouble = "" if body.bundle else find_way_back_trouble(context.library, one.rollout)
        if trouble:
            hint = "upload a bundle with the former content and a higher serial, and name it as `bundle`"
            raise ProblemRaised(_CONFLICT, "no-way-back", trouble, hint)
        return revert(one.rollout, context.now_ms(), body.bundle or "")

    return _change(context, person, known, "revert", go_back)


@router.delete("/{rollout}", summary="Remove a rollout", status_code=HTTPStatus.NO_CONTENT)
def remove_rollout(context: Context, person: SignedIn, rollout: RolloutPath) -> None:
    """Remove a rollout that has ended; the audit keeps what it was. Devices keep what they run."""
    known = _find(context, person, rollout, FleetAction.APPROVE)
    _require_phase(known, *sorted(ENDED))
    phase = {"phase": known.rollout.phase.value, "bundle": known.rollout.bundle, "devices": len(known.rollout.steps)}
    note = AuditNote(
        context.now_ms(), person.who, "rollout.remove", f"rollout/{known.id}", before=json.dumps(phase, sort_keys=True)
    )
    context.rollouts.remove(known, note)


def _set_paused(
    context: ApiContext, person: Person, number: str, action: FleetAction, *, is_paused: bool
) -> RolloutDetails:
    def change(one: StoredRollout) -> Rollout:
        _require_phase(one, RolloutPhase.CANARY, RolloutPhase.SOAK, RolloutPhase.REST)
        return replace(one.rollout, is_paused=is_paused)

    known = _find(context, person, number, action)
    return _change(context, person, known, "pause" if is_paused else "resume", change)


def _change(
    context: ApiContext,
    person: Person,
    known: StoredRollout,
    verb: str,
    change: Callable[[StoredRollout], Rollout],
    *,
    approved_by: str = "",
) -> RolloutDetails:
    note = _note(context, person, verb, known.id, known.rollout)
    stored = context.rollouts.change(known.id, change, note=note, approved_by=approved_by)
    if stored is None:
        raise make_not_found(f"a rollout {known.id}")
    return _make_details(context, person, stored)


def _find(context: ApiContext, person: Person, number: str, action: FleetAction) -> StoredRollout:
    """Return a rollout that the person may see, or of whose every device the person may do this."""
    found = context.rollouts.find(number)
    if found is None or not _list_steps(found, find_visible_nodes(context, person)):
        raise make_not_found(f"a rollout {number}")
    if action is not FleetAction.VIEW:
        for one in found.rollout.steps:
            require_device(context, person, action, one.node)
    return found


def _require_phase(one: StoredRollout, *phases: RolloutPhase) -> None:
    if one.rollout.phase not in phases:
        words = f"the rollout is {one.rollout.phase.value}, not {' or '.join(phases)}"
        raise ProblemRaised(_CONFLICT, "rollout-phase", words)


def _note(context: ApiContext, person: Person, verb: str, number: str, rollout: Rollout) -> AuditNote:
    return AuditNote(context.now_ms(), person.who, f"rollout.{verb}", f"rollout/{number}", after=rollout.bundle)


def _list_steps(stored: StoredRollout, nodes: frozenset[str] | None) -> list[RolloutStep]:
    return [one for one in stored.rollout.steps if nodes is None or one.node in nodes]


def _make_body(stored: StoredRollout, nodes: frozenset[str] | None) -> RolloutBody:
    rollout = stored.rollout
    counts = Counter(one.state for one in _list_steps(stored, nodes))
    return RolloutBody(
        **{name: getattr(stored, name) for name in ("id", "proposed_by", "proposed_ms", "approved_by")},
        **{name: getattr(rollout, name) for name in ("bundle", "phase", "is_paused", "since_ms", "reason", "at_once")},
        soak_s=rollout.soak_ms // 1_000,
        timeout_s=rollout.timeout_ms // 1_000,
        counts={state: counts[state] for state in StepState},
    )


def _make_details(context: ApiContext, person: Person, stored: StoredRollout) -> RolloutDetails:
    nodes = find_visible_nodes(context, person)
    names = StepBody.model_fields.keys()
    return RolloutDetails(
        **_make_body(stored, nodes).model_dump(),
        devices=[StepBody(**{name: getattr(one, name) for name in names}) for one in _list_steps(stored, nodes)],
        no_way_back=find_way_back_trouble(context.library, stored.rollout)[:500],
    )
