"""What a case does and sees, with the times between which it happened; s of the monotonic clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What was done to the device, between `begin_s` (sent) and `end_s` (first seen); shown on `channel`.

    `late_s`: by how much an emulated device had been held up by its machine until then.
    """

    begin_s: float
    end_s: float
    channel: str = ""
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reaction:
    """From a stimulus to the contact: `value_s` +- `uncertainty_s`, the contact moved at `at_s`.

    `late_s` of it an emulated device was held up by its machine.
    """

    value_s: float
    uncertainty_s: float
    at_s: float
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What the device said over CAN: the fault in its own word, the place that it named, when."""

    fault: str
    place: int
    at_s: float
