"""The range of the twins' equations: one event when cells of a twin leave it, and one when they are back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.event import KIND, Event, EventKind, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.ports import PackState


class ModelRange:
    """The cells that each twin has outside the range of its equations."""

    def __init__(self) -> None:
        self._outside: dict[str, tuple[int, ...]] = {}

    def take_changes(self, packs: Mapping[str, PackState], active: str) -> list[Event]:
        """Return an event for each twin of `packs` whose cells have left their range, or are back."""
        return [
            self._change(name, state.outside, name == active)
            for name, state in packs.items()
            if state.outside != self._outside.get(name, ())
        ]

    def _change(self, name: str, outside: tuple[int, ...], active: bool) -> Event:  # noqa: FBT001  # inside only
        self._outside[name] = outside
        data = {KIND: EventKind.MODEL_RANGE, "role": "twin", "lane": name, "cells": format_cells(outside)}
        rank = "active" if active else "shadow"
        if not outside:
            return Event(Level.INFO, "loop", f"{rank} twin {name}: every cell is in the range of its equations", data)
        return Event(Level.ALARM if active else Level.WARNING, "loop", f"{rank} twin {describe(name, outside)}", data)


def describe(name: str, outside: tuple[int, ...]) -> str:
    """Return the sentence on the cells of a twin that are `outside` (columns from 0)."""
    verb, whose = ("is", "its voltage is") if len(outside) == 1 else ("are", "their voltages are")
    cells = f"cell{'s' if len(outside) > 1 else ''} {format_cells(outside)}"
    return f"{name}: {cells} {verb} outside the range of its equations; {whose} held and must not be trusted"


def format_cells(columns: tuple[int, ...]) -> str:
    """Return cell numbers (from 1) of columns (from 0)."""
    return ", ".join(str(column + 1) for column in columns)
