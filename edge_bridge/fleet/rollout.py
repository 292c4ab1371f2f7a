"""The rollout of one bundle to several devices, canary first, as a pure state machine: what is seen and the time in.

A device is begun only by `advance`. The others are begun after every canary has run the bundle in health for the soak
time; one that refuses it, reverts, trips or takes too long halts the rollout. It is level-triggered: a step that is
`sent` says what the device should run, whoever sends it and however often the host was restarted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION: Final = 1
EARLIER_MS: Final = 60_000  # after this time the failure of an earlier attempt counts as the result of this one
MAX_REASON: Final = 200


class StepState(StrEnum):
    """How far one device is."""

    WAITING = "waiting"
    SENT = "sent"
    HEALTHY = "healthy"
    FAILED = "failed"
    REVERTING = "reverting"
    BACK = "back"  # runs the bundle that it was to go back to
    STUCK = "stuck"  # could not go back


class RolloutPhase(StrEnum):
    """How far the rollout is."""

    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"
    CANARY = "canary"
    SOAK = "soak"
    REST = "rest"
    DONE = "done"
    HALTED = "halted"
    REVERTING = "reverting"
    REVERTED = "reverted"


ACTIVE: Final = frozenset({RolloutPhase.CANARY, RolloutPhase.SOAK, RolloutPhase.REST, RolloutPhase.REVERTING})
ENDED: Final = frozenset({RolloutPhase.WITHDRAWN, RolloutPhase.DONE, RolloutPhase.HALTED, RolloutPhase.REVERTED})
BEGUN: Final = frozenset({StepState.SENT, StepState.HEALTHY, StepState.FAILED})


@dataclass(frozen=True, slots=True)
class DeviceSight:
    """What a device last told of itself; `state` and `reason` are about the bundle `desired`."""

    online: bool = False
    running: str = ""
    desired: str = ""
    state: str = ""
    reason: str = ""
    is_tripped: bool = False

    def runs(self, bundle: str) -> bool:
        """Return whether it runs a bundle that is not on probation any more."""
        return self.running == bundle and (self.desired != bundle or self.state in {"healthy", ""})

    def failed(self, bundle: str) -> bool:
        """Return whether it refused a bundle, or went back from it."""
        return self.desired == bundle and self.state in {"refused", "reverted"}


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One device; `target` is what it should run, `former` what it ran before."""

    node: str
    is_canary: bool
    state: StepState = StepState.WAITING
    since_ms: int = 0
    target: str = ""
    former: str = ""
    reason: str = ""
    has_earlier: bool = False  # it still tells how an earlier attempt with the target failed


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout; `reason` says why it halted."""

    bundle: str
    steps: tuple[RolloutStep, ...]
    soak_ms: int
    timeout_ms: int
    at_once: int  # devices that may be `sent` at the same time after the canary
    phase: RolloutPhase = RolloutPhase.PROPOSED
    since_ms: int = 0
    is_paused: bool = False
    reason: str = ""

    @property
    def is_active(self) -> bool:
        return self.phase in ACTIVE

    def list_targets(self) -> dict[str, str]:
        """Return which bundle must be sent to which device now."""
        return {one.node: one.target for one in self.steps if one.state in {StepState.SENT, StepState.REVERTING}}

    def as_body(self) -> dict[str, Any]:
        """Return its content as JSON."""
        fields = asdict(self)
        del fields["steps"]
        return {"version": VERSION, **fields, "steps": [asdict(one) for one in self.steps]}


def parse_rollout(body: Mapping[str, Any]) -> Rollout:
    """Return the rollout of `as_body`; raise `ValueError`, `KeyError`, `TypeError`."""
    if body["version"] != VERSION:
        raise ValueError(f"a rollout of version {body['version']}")
    names = Rollout.__dataclass_fields__.keys() - {"steps", "phase"}
    steps = tuple(RolloutStep(**(one | {"state": StepState(one["state"])})) for one in body["steps"])
    return Rollout(steps=steps, phase=RolloutPhase(body["phase"]), **{name: body[name] for name in names})


def approve(rollout: Rollout, now_ms: int) -> Rollout:
    """Begin a rollout that was proposed."""
    return replace(rollout, phase=RolloutPhase.CANARY, since_ms=now_ms)


def withdraw(rollout: Rollout, now_ms: int) -> Rollout:
    """End a rollout that was proposed only."""
    return replace(rollout, phase=RolloutPhase.WITHDRAWN, since_ms=now_ms)


def revert(rollout: Rollout, now_ms: int, to: str = "") -> Rollout:
    """Send every device that was begun back to its former bundle, or to `to`."""
    steps = tuple(_begin_back(one, to, now_ms) if one.state in BEGUN else one for one in rollout.steps)
    return replace(rollout, phase=RolloutPhase.REVERTING, since_ms=now_ms, is_paused=False, steps=steps)


def advance(rollout: Rollout, seen: Mapping[str, DeviceSight], now_ms: int) -> Rollout:
    """Return the rollout after what is seen of its devices now; a device that was never seen has no entry."""
    if rollout.phase is RolloutPhase.REVERTING:
        return _advance_back(rollout, seen, now_ms)
    if not rollout.is_active:
        return rollout
    rollout = replace(rollout, steps=tuple(_observe(rollout, one, seen, now_ms) for one in rollout.steps))
    failed = next((one for one in rollout.steps if one.state is StepState.FAILED), None)
    if failed is not None:
        reason = f"{failed.node}: {failed.reason}"[:MAX_REASON]
        return replace(rollout, phase=RolloutPhase.HALTED, since_ms=now_ms, reason=reason)
    return _begin_next(_change_phase(rollout, seen, now_ms), seen, now_ms)


def _observe(rollout: Rollout, step: RolloutStep, seen: Mapping[str, DeviceSight], now_ms: int) -> RolloutStep:
    if step.state not in {StepState.SENT, StepState.HEALTHY}:
        return step
    sight = seen.get(step.node, DeviceSight())
    step = _forget_earlier(step, sight, now_ms)
    failure = _find_failure(rollout, step, sight, now_ms)
    if failure:
        return _end(step, StepState.FAILED, failure, now_ms)
    if step.state is StepState.SENT and sight.runs(step.target):
        return _end(step, StepState.HEALTHY, "", now_ms)
    return step


def _find_failure(rollout: Rollout, step: RolloutStep, sight: DeviceSight, now_ms: int) -> str:
    """Return why a device failed, empty if it did not."""
    if sight.is_tripped:
        return "its gate tripped"
    if sight.failed(step.target) and not step.has_earlier:
        return f"{sight.state}: {sight.reason}"
    if step.state is StepState.HEALTHY:
        return "" if sight.running in {"", step.target} else "it runs another bundle"
    is_late = not sight.runs(step.target) and now_ms - step.since_ms >= rollout.timeout_ms
    return f"not healthy within {rollout.timeout_ms // 1_000} s" if is_late else ""


def _forget_earlier(step: RolloutStep, sight: DeviceSight, now_ms: int) -> RolloutStep:
    if step.has_earlier and (not sight.failed(step.target) or now_ms - step.since_ms >= EARLIER_MS):
        return replace(step, has_earlier=False)
    return step


def _change_phase(rollout: Rollout, seen: Mapping[str, DeviceSight], now_ms: int) -> Rollout:
    canary = [one for one in rollout.steps if one.is_canary]
    is_healthy = all(one.state is StepState.HEALTHY for one in canary)
    if rollout.phase is RolloutPhase.CANARY and is_healthy:
        return replace(rollout, phase=RolloutPhase.SOAK, since_ms=now_ms)
    waited_ms = now_ms - rollout.since_ms
    if rollout.phase is RolloutPhase.SOAK and waited_ms >= rollout.soak_ms:
        away = [one.node for one in canary if not seen.get(one.node, DeviceSight()).online]
        if not away:
            return replace(rollout, phase=RolloutPhase.REST, since_ms=now_ms)
        if waited_ms >= rollout.soak_ms + rollout.timeout_ms:
            reason = f"{away[0]}: offline at the end of the soak time"
            return replace(rollout, phase=RolloutPhase.HALTED, since_ms=now_ms, reason=reason)
    if rollout.phase is RolloutPhase.REST and all(one.state is StepState.HEALTHY for one in rollout.steps):
        return replace(rollout, phase=RolloutPhase.DONE, since_ms=now_ms)
    return rollout


def _begin_next(rollout: Rollout, seen: Mapping[str, DeviceSight], now_ms: int) -> Rollout:
    """Begin the devices that may be begun now: the canary at once, then `at_once` of the others."""
    if rollout.is_paused or rollout.phase not in {RolloutPhase.CANARY, RolloutPhase.REST}:
        return rollout
    is_rest = rollout.phase is RolloutPhase.REST
    free = (
        rollout.at_once - sum(one.state is StepState.SENT for one in rollout.steps) if is_rest else len(rollout.steps)
    )
    steps = list(rollout.steps)
    for place, one in enumerate(steps):
        if free > 0 and one.state is StepState.WAITING and one.is_canary is not is_rest:
            steps[place], free = _begin(one, rollout.bundle, seen.get(one.node, DeviceSight()), now_ms), free - 1
    return replace(rollout, steps=tuple(steps))


def _begin(step: RolloutStep, bundle: str, sight: DeviceSight, now_ms: int) -> RolloutStep:
    has_earlier = sight.failed(bundle)
    former = sight.running if sight.running != bundle else ""
    return replace(
        step, state=StepState.SENT, since_ms=now_ms, target=bundle, former=former, has_earlier=has_earlier, reason=""
    )


def _begin_back(step: RolloutStep, to: str, now_ms: int) -> RolloutStep:
    target = to or step.former
    if not target:
        return replace(step, state=StepState.STUCK, since_ms=now_ms, reason="what it ran before is not known")
    return replace(step, state=StepState.REVERTING, since_ms=now_ms, target=target, reason="", has_earlier=True)


def _advance_back(rollout: Rollout, seen: Mapping[str, DeviceSight], now_ms: int) -> Rollout:
    steps = tuple(_observe_back(rollout, one, seen.get(one.node, DeviceSight()), now_ms) for one in rollout.steps)
    rollout = replace(rollout, steps=steps)
    if any(one.state is StepState.REVERTING for one in steps):
        return rollout
    return replace(rollout, phase=RolloutPhase.REVERTED, since_ms=now_ms)


def _observe_back(rollout: Rollout, step: RolloutStep, sight: DeviceSight, now_ms: int) -> RolloutStep:
    if step.state is not StepState.REVERTING:
        return step
    if sight.runs(step.target):
        return _end(step, StepState.BACK, "", now_ms)
    step = _forget_earlier(step, sight, now_ms)
    if sight.failed(step.target) and not step.has_earlier:
        return _end(step, StepState.STUCK, f"{sight.state}: {sight.reason}", now_ms)
    if now_ms - step.since_ms >= rollout.timeout_ms:
        return _end(step, StepState.STUCK, f"not back within {rollout.timeout_ms // 1_000} s", now_ms)
    return step


def stop_sending(rollout: Rollout, bundle: str, reason: str, now_ms: int) -> Rollout:
    """Return the rollout without the steps that need a bundle that the fleet does not have."""

    def change(one: RolloutStep) -> RolloutStep:
        if one.target != bundle or one.state not in {StepState.SENT, StepState.REVERTING}:
            return one
        return _end(one, StepState.STUCK if one.state is StepState.REVERTING else StepState.FAILED, reason, now_ms)

    return _map_steps(rollout, change)


def _map_steps(rollout: Rollout, change: Callable[[RolloutStep], RolloutStep]) -> Rollout:
    return replace(rollout, steps=tuple(change(one) for one in rollout.steps))


def _end(step: RolloutStep, state: StepState, reason: str, now_ms: int) -> RolloutStep:
    return replace(step, state=state, since_ms=now_ms, reason=reason[:MAX_REASON].rstrip(": "))
