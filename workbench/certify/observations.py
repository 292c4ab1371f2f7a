"""What a case does and observes, with the times between which it happened, in s of the monotonic clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What was done to the device, between `begin_s` (sent) and `end_s` (first seen); shown on `channel`.

    `late_s`: how long its machine had delayed an emulated device until then.
    """

    begin_s: float
    end_s: float
    channel: str = ""
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ContactorReaction:
    """The time from a stimulus to the contact: `value_s` +- `uncertainty_s`; the contact moved at `at_s`.

    `late_s`: the part of it for which its machine delayed an emulated device.
    """

    value_s: float
    uncertainty_s: float
    at_s: float
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ReportedFault:
    """What the device reported over CAN: the fault in its own word, the place that it named, and when."""

    fault: str
    place: int
    at_s: float


@dataclass(frozen=True, slots=True)
class ActTimes:
    """When an act of a case was requested, sent and done; NaN where the act has no such time.

    `late_s`: how long its machine had delayed an emulated device until then.
    """

    asked_s: float
    late_s: float
    sent_s: float = math.nan
    done_s: float = math.nan

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """Return the times in the engine's response to an act."""
        names = ("asked_s", "late_s", "sent_s", "done_s")
        return cls(**{name: float(payload[name]) for name in names if name in payload})
