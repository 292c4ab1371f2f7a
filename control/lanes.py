"""Lanes of one role: several run on the same samples, one is active; one that raises is out, the others go on."""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from drivers.errors import Refused, describe_error
from drivers.event import DETAIL, KIND, Event, EventKind, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Part = TypeVar("Part")
Answer = TypeVar("Answer")


@dataclass
class Lane(Generic[Part]):
    """One lane: `failure` is a sentence on why it failed, `step_s` how long its last step took."""

    name: str
    part: Part
    failure: str = ""
    step_s: float = math.nan


class Lanes(Generic[Part]):
    """The lanes of a role, in the order of the bench file."""

    def __init__(self, role: str, parts: Mapping[str, Part], active: str, now: Callable[[], float]) -> None:
        """Time the steps with `now`. Raise `KeyError` if `active` is not among `parts`."""
        self.role = role
        self._lanes = {name: Lane(name, part) for name, part in parts.items()}
        self._now = now
        self.active = self._lanes[active].name

    @property
    def all(self) -> tuple[Lane[Part], ...]:
        return tuple(self._lanes.values())

    def __getitem__(self, name: str) -> Lane[Part]:
        """Return a lane by name; raise `Refused`, which lists the names, if there is none."""
        if name not in self._lanes:
            raise Refused(f"{self.role} lane {name!r} does not exist", hint=f"the lanes are {', '.join(self._lanes)}")
        return self._lanes[name]

    def healthy(self, name: str) -> Lane[Part]:
        """Return a lane that may become active; raise `Refused` for one that failed."""
        lane = self[name]
        if lane.failure:
            raise Refused(f"{self.role} {name} has failed: {lane.failure}", hint="choose another lane")
        return lane

    def run(self, work: Callable[[Part], Answer], events: list[Event]) -> dict[str, Answer]:
        """Return every healthy lane's answer by name; a lane that raises is out from now on, with an event."""
        answers: dict[str, Answer] = {}
        for lane in self._lanes.values():
            if lane.failure:
                continue
            began_s = self._now()
            try:
                answers[lane.name] = work(lane.part)
            except Exception as error:  # noqa: BLE001  # a lane may fail in any way, the loop may not
                lane.failure = describe_error(error, "the lane")
                events.append(self._failed(lane, traceback.format_exc()))
            lane.step_s = self._now() - began_s
        return answers

    def _failed(self, lane: Lane[Part], details: str) -> Event:
        """Return the event: an alarm for the active lane, without which the loop goes on; else a warning."""
        rank, level = ("active", Level.ALARM) if lane.name == self.active else ("shadow", Level.WARNING)
        data = {KIND: EventKind.LANE_FAILED, "role": self.role, "lane": lane.name, DETAIL: details}
        return Event(level, "loop", f"{rank} {self.role} {lane.name} failed: {lane.failure}", data)
