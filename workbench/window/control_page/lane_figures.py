"""The row of each controller in the table of lanes: its newest figures, and its solve times over the last minute."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from control.ports import Fallback
from drivers.channel_names import lane_channel
from workbench.window.control_page.control_plots import ROLE
from workbench.window.plots.default_plots import list_lane_colours
from workbench.window.widgets import format as fmt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from workbench.session.status import LaneInfo
    from workbench.window.plots.channel_history import ChannelHistory, ChannelReading

WINDOW_S: Final = 60.0
HEADS: Final = ("Lane", "Requests", "Cost", "Violations", "Interventions", "Falls back to", "Solve p50", "p99, 60 s")
RIGHT: Final = (1, 2, 3, 4, 6, 7)
NAME, FALLBACK = 0, 5
TIMES: Final = (6, 7)


class SolveTimes(NamedTuple):
    """How long a controller's decision took, in s; NaN if nothing is known."""

    p50_s: float = math.nan
    p99_s: float = math.nan


@dataclass(frozen=True, slots=True)
class ControllerRow:
    """What the table shows of one lane: the texts of its columns, in the order of `HEADS`."""

    lane: LaneInfo
    colour: str
    texts: tuple[str, ...]
    reason: str
    is_fresh: bool

    @property
    def name(self) -> str:
        return self.lane.name

    @property
    def falls_back(self) -> bool:
        return self.texts[FALLBACK] not in ("", fmt.DASH)


def find_solve_times(store: ChannelHistory, lanes: Sequence[LaneInfo]) -> dict[str, SolveTimes]:
    """Return the solve times of the controllers over the last minute of the history."""
    channels = {lane.name: lane_channel(ROLE, lane.name, "step") for lane in lanes if lane.role == ROLE}
    channels = {name: channel for name, channel in channels.items() if channel in store}
    newest_s = store.newest_s
    if not channels or not math.isfinite(newest_s):
        return {}
    _, values = store.between(list(channels.values()), newest_s - WINDOW_S, newest_s + 1e-6)
    found: dict[str, SolveTimes] = {}
    for name, steps in zip(channels, values, strict=True):
        known = steps[np.isfinite(steps)]
        if len(known):
            found[name] = SolveTimes(*(float(value) for value in np.percentile(known, (50.0, 99.0))))
    return found


def make_rows(
    lanes: Sequence[LaneInfo],
    reading: ChannelReading,
    notes: Mapping[str, str],
    times: Mapping[str, SolveTimes],
    *,
    fresh: bool,
) -> list[ControllerRow]:
    """Return the rows of the controllers; `notes` say why one falls back, by lane name."""
    rows: list[ControllerRow] = []
    for lane, colour in list_lane_colours(lanes, ROLE):
        own = partial(lane_channel, ROLE, lane.name)
        solve = times.get(lane.name, SolveTimes())
        texts = (
            lane.name,
            fmt.AMPERE.text(reading[own("current")]),
            fmt.NUMBER.number(reading[own("cost")]),
            fmt.COUNT.number(reading[own("violations")]),
            fmt.COUNT.number(reading[own("interventions")]),
            find_fallback_word(reading[own("fallback")]),
            fmt.step_time(solve.p50_s),
            fmt.step_time(solve.p99_s),
        )
        reason = lane.detail or notes.get(lane.name, "")
        rows.append(ControllerRow(lane, colour, texts, reason, fresh and lane.state == "ok"))
    return rows


def find_fallback_word(number: float) -> str:
    """Return what a recorded number of `Fallback` means; a dash if it falls back to nothing or is not known."""
    known = {float(fallback): fallback.word for fallback in Fallback}
    return known.get(number) or fmt.DASH
