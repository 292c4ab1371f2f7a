"""The opener of a session with an engine of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbench.compose.defects import NO_DEFECTS, Defects
from workbench.compose.engine_process import engine_main
from workbench.session.live_session import LiveSession
from workbench.session.order import EngineOrder

if TYPE_CHECKING:
    from pathlib import Path


def open_session(
    bench: Path,
    runs: Path,
    *,
    unattended: bool = False,
    shadows: bool = True,
    take_over: bool = False,
    defects: Defects = NO_DEFECTS,
) -> LiveSession:
    """Start an engine that reads the bench file and waits for `connect`; write recorded runs into `runs`.

    `shadows`: run the shadow lanes too. `take_over`: each connect takes over a supply that another client controls.
    """
    order = EngineOrder(bench.resolve(), runs.resolve(), unattended, shadows)
    return LiveSession(order, partial(engine_main, defects=defects), take_over=take_over)
