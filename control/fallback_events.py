"""Events of controllers that fall back, and of those that plan for themselves again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control.ports import Fallback
from drivers.event import KIND, Event, EventKind, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.ports import Decision


class FallbackEvents:
    """Knows what each controller fell back to last."""

    def __init__(self) -> None:
        self._last: dict[str, Fallback] = {}

    def take_changes(self, decisions: Mapping[str, Decision], active: str) -> list[Event]:
        """Return one event for each controller whose fallback has changed."""
        return [
            self._change(name, decision, name == active)
            for name, decision in decisions.items()
            if decision.fallback is not self._last.get(name, Fallback.NONE)
        ]

    def _change(self, name: str, decision: Decision, active: bool) -> Event:  # noqa: FBT001  # inside only
        self._last[name] = decision.fallback
        data = {KIND: EventKind.CONTROLLER_FALLBACK, "lane": name, "fallback": decision.fallback.name.lower()}
        rank = "active" if active else "shadow"
        if decision.fallback is Fallback.NONE:
            return Event(Level.INFO, "loop", f"{rank} controller {name} decides by itself again", data)
        reason = f": {decision.note}" if decision.note else ""
        text = f"{rank} controller {name} falls back ({decision.fallback.word}){reason}"
        return Event(Level.WARNING if active else Level.INFO, "loop", text, data)
