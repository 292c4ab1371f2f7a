"""How long each kind of command may take: the driver declares it, the bench file may say otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CommandTimeouts:
    """Seconds for each kind of command.

    To `open` a connection, to `identify` itself, to answer the `read` of each period, or any other question (`ask`),
    and to show in its read-back that it has obeyed (`obey`).
    """

    open: float = 0.5
    identify: float = 0.5
    read: float = 0.25
    ask: float = 0.25
    obey: float = 1.0

    def from_bench(self, seconds: Mapping[str, float]) -> Self:
        """These, with what a bench file declares in their place."""
        return replace(self, **seconds)
