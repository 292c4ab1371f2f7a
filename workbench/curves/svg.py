"""Parts of an SVG picture. Each names a colour, which is light as it stands and dark where the reader's system is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drivers.snapshot import Floats

INK, QUIET, GROUND, GRID = "ink", "quiet", "ground", "grid"
LIGHT: Final = {
    INK: "#1d2227",
    QUIET: "#4d5761",
    GROUND: "#ffffff",
    GRID: "#e0e4e8",
    "blue": "#004d92",
    "orange": "#b56f00",
    "green": "#007950",
    "pink": "#aa5f9d",
    "grey": "#4d5761",
}
DARK: Final = {
    INK: "#e4e7ea",
    QUIET: "#a9b2ba",
    GROUND: "#14171a",
    GRID: "#2a3036",
    "blue": "#42bbfe",
    "orange": "#e69f00",
    "green": "#3da971",
    "pink": "#c776b2",
    "grey": "#a9b2ba",
}
SHADE: Final = 0.2  # opacity of a band
BOLD: Final = 600


def make_picture(width: float, height: float, title: str, parts: list[str]) -> str:
    """Return the file."""
    dark = "".join(f".f-{name}{{fill:{value}}}.s-{name}{{stroke:{value}}}" for name, value in DARK.items())
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"
 font-family="Inter, sans-serif" font-size="12">
<title>{escape(title)}</title>
<style>@media (prefers-color-scheme: dark) {{{dark}}}</style>
{make_box((0, 0), (width, height), GROUND)}
{chr(10).join(parts)}
</svg>
"""


def make_box(corner: tuple[float, float], size: tuple[float, float], colour: str, opacity: float = 1.0) -> str:
    """Return a filled rectangle from its upper left corner."""
    place = f'x="{corner[0]:g}" y="{corner[1]:g}" width="{size[0]:g}" height="{size[1]:g}"'
    return f'<rect {place} {_fill(colour)} fill-opacity="{opacity:g}"/>'


def make_text(place: tuple[float, float], text: str, colour: str, anchor: str = "start", *, px: int = 12) -> str:
    """Return a line of text; in `INK`, at its start, it is bold."""
    weight = f' font-weight="{BOLD}"' if (colour, anchor) == (INK, "start") else ""
    looks = f'{_fill(colour)} font-size="{px}" text-anchor="{anchor}"{weight}'
    return f'<text x="{place[0]:.1f}" y="{place[1]:.1f}" {looks}>{escape(text)}</text>'


def make_upward_text(place: tuple[float, float], text: str) -> str:
    """Return a line of text around its centre, read from below."""
    turned = make_text((0, 0), text, INK, "middle")
    return f'<g transform="translate({place[0]:.1f} {place[1]:.1f}) rotate(-90)">{turned}</g>'


def make_line(x: tuple[float, float], y: tuple[float, float], colour: str, width: float = 2.0, dashes: str = "") -> str:
    """Return a straight line."""
    ends = f'x1="{x[0]:.1f}" x2="{x[1]:.1f}" y1="{y[0]:.1f}" y2="{y[1]:.1f}"'
    return f"<line {ends} {_stroke(colour, width, dashes)}/>"


def make_curve(x: Floats, y: Floats, colour: str) -> str:
    """Return a line through some points; a single one is a dot."""
    if len(x) == 1:
        return f'<circle cx="{x[0]:.1f}" cy="{y[0]:.1f}" r="3" {_fill(colour)}/>'
    return f'<polyline points="{_join(x, y)}" fill="none" stroke-linejoin="round" {_stroke(colour, 2.2)}/>'


def make_band(x: Floats, low: Floats, high: Floats, colour: str) -> str:
    """Return the area between two lines."""
    points = f"{_join(x, high)} {_join(x[::-1], low[::-1])}"
    return f'<polygon points="{points}" {_fill(colour)} fill-opacity="{SHADE}"/>'


def _fill(colour: str) -> str:
    return f'class="f-{colour}" fill="{LIGHT[colour]}"'


def _stroke(colour: str, width: float, dashes: str = "") -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'class="s-{colour}" stroke="{LIGHT[colour]}" stroke-width="{width:g}"{dashed}'


def _join(x: Floats, y: Floats) -> str:
    return " ".join(f"{one:.1f},{other:.1f}" for one, other in zip(x, y, strict=True))
