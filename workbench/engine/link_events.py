"""The events of the links: a link fails, reports trouble, or works again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.event import Event, Level
from drivers.ports import Health, LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_TROUBLE = ""


class LinkEvents:
    """Compares each source with its last report; a source that has never answered gives no event."""

    def __init__(self) -> None:
        self._reported: dict[str, str] = {}  # the trouble of each source that has answered

    def take_changes(self, health: Iterable[Health]) -> list[Event]:
        """Return an event for each change."""
        return [event for now in health for event in self._change(now)]

    def forget(self, name: str) -> None:
        """Forget a source that was switched off on purpose."""
        self._reported.pop(name, None)

    def _change(self, now: Health) -> list[Event]:
        if now.state is LinkState.CLOSED:  # the engine closed it
            return []
        trouble = now.detail if now.state is LinkState.OK else f"{now.state}: {now.detail}".removesuffix(": ")
        before = self._reported.get(now.name)
        if before is None and now.state is not LinkState.OK:
            return []
        self._reported[now.name] = trouble
        if trouble == (before or NO_TROUBLE):
            return []
        return [Event(Level.WARNING if trouble else Level.INFO, now.name, trouble or "works again")]
