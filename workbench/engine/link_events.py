"""What an operator is told of the wires: when one fails, complains, or is well again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.event import Event, Level
from drivers.ports import Health, LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable

WELL = ""


class LinkEvents:
    """Compares every source with what was told of it; a source that has never answered is no news."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}  # by source that has answered, its trouble in words

    def take_changes(self, health: Iterable[Health]) -> list[Event]:
        """Everything that is new."""
        return [event for now in health for event in self._change(now)]

    def forget(self, name: str) -> None:
        """A source that was switched off on purpose."""
        self._told.pop(name, None)

    def _change(self, now: Health) -> list[Event]:
        if now.state is LinkState.CLOSED:  # by ourselves
            return []
        trouble = now.detail if now.state is LinkState.OK else f"{now.state}: {now.detail}".removesuffix(": ")
        before = self._told.get(now.name)
        if before is None and now.state is not LinkState.OK:
            return []
        self._told[now.name] = trouble
        if trouble == (before or WELL):
            return []
        return [Event(Level.WARNING if trouble else Level.INFO, now.name, trouble or "is well again")]
