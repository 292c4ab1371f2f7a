"""Learning curves as a picture: median and band of each algorithm over steps, a level for each peer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from control.tasks.controllers import MPC, RULE, STAGES, WRONG_MPC
from workbench.curves import svg
from workbench.curves.axes import Axis, format_steps, make_step_axis, make_value_axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.curves.comparison import Comparison, Contender
    from workbench.curves.statistics import CurveBand

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 480, 84, 286, 64, 424
EDGE: Final = WIDTH - RIGHT
ALGORITHMS: Final = ("blue", "orange")
PEERS: Final = {  # colour and dashes
    RULE: ("grey", "2 4"),
    STAGES: ("orange", "6 3 2 3"),
    MPC: ("green", ""),
    WRONG_MPC: ("pink", "9 7"),
}
ENTRY: Final = 44  # height in the legend
NOTE: Final = "line: median of the seeds; band: from the lowest to the highest seed"
BELOW: Final = "earlier returns lie below the frame"


def draw_curves(comparison: Comparison) -> str:
    """Return the picture as SVG text."""
    bands = {one.name: one.make_band() for one in comparison.learned}
    colours = dict(zip(bands, ALGORITHMS, strict=False))
    levels = {one.name: -float(one.validated_eur.mean()) for one in comparison.peers}
    x = make_step_axis([band.steps for band in bands.values()], (LEFT, EDGE))
    y = make_value_axis(list(bands.values()), list(levels.values()), (BOTTOM, TOP))
    title = f"Learning curves, task {comparison.task}"
    is_cut = any((band.low < y.low).any() for band in bands.values())
    parts = [
        *_draw_grid(x, y),
        *(_draw_level(name, y.place(level)) for name, level in levels.items()),
        *(part for name, band in bands.items() for part in _draw_band(colours[name], band, x, y)),
        svg.make_box((0, BOTTOM), (WIDTH, HEIGHT - BOTTOM), svg.GROUND),  # over what is below the frame
        svg.make_text((LEFT, 26), title, svg.INK, px=15),
        svg.make_text((LEFT, 46), f"{NOTE}; {BELOW}" if is_cut else NOTE, svg.QUIET),
        *_draw_labels(comparison, x, y),
        *_draw_legend(comparison, bands, colours, levels),
    ]
    return svg.make_picture(WIDTH, HEIGHT, title, parts)


def _draw_grid(x: Axis, y: Axis) -> list[str]:
    across = [svg.make_line((LEFT, EDGE), (at, at), svg.GRID, 1.0) for at in (y.place(value) for value, _ in y.ticks)]
    return across + [
        svg.make_line((at, at), (TOP, BOTTOM), svg.GRID, 1.0) for at in (x.place(value) for value, _ in x.ticks)
    ]


def _draw_labels(comparison: Comparison, x: Axis, y: Axis) -> list[str]:
    steps = "steps of all packs of a seed" + (", logarithmic" if x.is_logarithmic else "")
    returns = f"mean return of {comparison.validation[1]} validation episodes (EUR)"
    return [
        *(svg.make_text((LEFT - 8, y.place(value) + 4), label, svg.QUIET, "end") for value, label in y.ticks),
        *(svg.make_text((x.place(value), BOTTOM + 18), label, svg.QUIET, "middle") for value, label in x.ticks),
        svg.make_text((0.5 * (LEFT + EDGE), HEIGHT - 14), steps, svg.INK, "middle"),
        svg.make_upward_text((20, 0.5 * (TOP + BOTTOM)), returns),
    ]


def _draw_level(name: str, at: float) -> str:
    colour, dashes = PEERS[name]
    return svg.make_line((LEFT, EDGE), (at, at), colour, dashes=dashes)


def _draw_band(colour: str, band: CurveBand, x: Axis, y: Axis) -> list[str]:
    """Return band and median, one of each for every part without gaps."""
    lines: list[str] = []
    known = np.flatnonzero(band.known)
    for piece in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
        places = x.place(band.steps[piece])
        low, median, high = (y.place(values[piece]) for values in (band.low, band.median, band.high))
        lines += [svg.make_band(places, low, high, colour), svg.make_curve(places, median, colour)]
    return lines


def _draw_legend(
    comparison: Comparison, bands: dict[str, CurveBand], colours: Mapping[str, str], levels: dict[str, float]
) -> list[str]:
    """Return an entry for each curve and level: its stroke, its name, and its return."""
    lines: list[str] = []
    for n, one in enumerate(comparison.contenders):
        colour, dashes = PEERS.get(one.name) or (colours[one.name], "")
        left, at = EDGE + 22, TOP + 10 + n * ENTRY
        if band := bands.get(one.name):
            lines.append(svg.make_box((left, at - 9), (30, 18), colour, svg.SHADE))
            name, value = f"{one.label}, {_count_seeds(one)}", _describe_end(band)
        else:
            name, value = one.label, f"{levels[one.name]:+.5f} EUR"
        lines.append(svg.make_line((left, left + 30), (at, at), colour, dashes=dashes))
        lines.append(svg.make_text((left + 40, at + 1), name, svg.INK))
        lines.append(svg.make_text((left + 40, at + 17), value, svg.QUIET))
    return lines


def _count_seeds(one: Contender) -> str:
    seeds = "1 seed" if len(one.seeds) == 1 else f"{len(one.seeds)} seeds"
    return f"{seeds}, {one.alarms} with an alarm" if one.alarms else seeds


def _describe_end(band: CurveBand) -> str:
    """Return the last median, and after how many steps it was."""
    known = np.flatnonzero(band.known)
    if not known.size:
        return "no return is a number"
    return f"{band.median[known[-1]]:+.5f} EUR after {format_steps(float(band.steps[known[-1]]))}"
