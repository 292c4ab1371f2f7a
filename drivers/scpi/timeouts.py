"""Time-outs for each kind of command: the driver declares them, the bench file may replace them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CommandTimeouts:
    """Seconds for each kind of command.

    `open`: to open a connection. `identify`: to reply to the identity query. `read`: to reply to the read of each
    period. `ask`: to reply to any other query. `obey`: until the read-back shows that a command was executed.
    """

    open: float = 0.5
    identify: float = 0.5
    read: float = 0.25
    ask: float = 0.25
    obey: float = 1.0

    def from_bench(self, seconds: Mapping[str, float]) -> Self:
        """Return these time-outs, with those of a bench file in their place."""
        return replace(self, **seconds)
