"""Where the engine process starts. Light to import: a client names `engine_main` without loading what it needs."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path


@dataclass(frozen=True)
class EngineOrder:
    """What a client asks of a new engine: bench file, where runs go, which lanes; for the tour one thing to break."""

    bench: Path
    runs: Path
    unattended: bool = False
    shadows: bool = True
    sabotage: str = ""


def engine_main(order: EngineOrder, client: Connection, guard_client: Connection) -> None:
    """Serve one client until it leaves; `guard_client` is the guard's end of the client's own pipe to it."""
    from workbench.engine.engine import Engine  # noqa: PLC0415  # compiled models stay out of the client
    from workbench.interrupt import outlive_terminal  # noqa: PLC0415

    engine = Engine(order, client, guard_client)
    outlive_terminal(on_term=engine.leave)
    engine.serve()
    if multiprocessing.active_children():  # the guard, which may outlive us: nobody shall wait for it
        os._exit(0)
