"""A session with an engine of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.compose.engine_process import engine_main
from workbench.session.live import LiveSession
from workbench.session.order import EngineOrder

if TYPE_CHECKING:
    from pathlib import Path


def open_session(
    bench: Path,
    runs: Path,
    *,
    unattended: bool = False,
    shadows: bool = True,
    sabotage: str = "",
    take_over: bool = False,
) -> LiveSession:
    """Start an engine that reads the bench file and waits for `connect`; recorded runs go into `runs`.

    `shadows`: run the lanes that do not act, too. `take_over`: each connect takes a supply that somebody else controls.
    """
    order = EngineOrder(bench.resolve(), runs.resolve(), unattended, shadows, sabotage)
    return LiveSession(order, engine_main, take_over=take_over)
