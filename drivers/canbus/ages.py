"""The greatest age of each value of a device at which a decision may still use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drivers.canbus.dbc import DbcMessage
    from drivers.canbus.dut_map import SignalRow
    from drivers.canbus.message_layout import Page

CYCLES: Final = 3.0
MOST_S: Final = 5.0
UNDECLARED_S: Final = 1.0  # if neither map nor DBC gives a cycle time: three cycles of the slowest usual limits


def max_ages_s(rows: Sequence[SignalRow], messages: Mapping[str, DbcMessage], of_map_ms: int | None) -> list[float]:
    """Return for each row its own age, else the map's, else three message cycles for each page that the map uses.

    An age is at most `MOST_S`; it is `UNDECLARED_S` if the DBC has no cycle time either.
    """
    used: dict[str, set[Page]] = {}
    for row in rows:
        used.setdefault(row.message, set()).update(messages[row.message].pages(row.signal))
    ages_s: list[float] = []
    for row in rows:
        declared_ms = row.max_age_ms or of_map_ms
        message = messages[row.message]
        if declared_ms is not None:
            age_s = declared_ms / 1000.0
        elif message.cycle_s is None:
            age_s = UNDECLARED_S
        else:
            everywhere = () in message.pages(row.signal)
            age_s = CYCLES * message.cycle_s * (1 if everywhere else _rounds(used[row.message]))
        ages_s.append(min(age_s, MOST_S))
    return ages_s


def _rounds(pages: set[Page]) -> int:
    """Return how many frames it takes to receive all `pages`; an outer page comes with each page inside it."""
    return sum(not any(page != inner and inner[: len(page)] == page for inner in pages) for page in pages)
