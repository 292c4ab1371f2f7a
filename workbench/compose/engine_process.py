"""The entry of the engine process. Light to import: a client names `engine_main` without loading what it needs."""

from __future__ import annotations

import multiprocessing
import os
from functools import partial
from typing import TYPE_CHECKING

from workbench.compose.defects import NO_DEFECTS, Defects

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from workbench.session.order import EngineOrder


def engine_main(
    order: EngineOrder, client: Connection, guard_client: Connection, *, defects: Defects = NO_DEFECTS
) -> None:
    """Serve one client until it leaves; `guard_client` is the guard's end of the client's own pipe to it."""
    from workbench.signals import outlive_terminal  # noqa: PLC0415  # before anything slow is loaded

    outlive_terminal()  # at once: the imports take seconds
    from workbench.compose.bench import compose  # noqa: PLC0415  # compiled models stay out of the client
    from workbench.engine.engine import Engine  # noqa: PLC0415

    engine = Engine(order, client, guard_client, partial(compose, defects=defects))
    outlive_terminal(on_term=engine.leave)
    engine.serve()
    if multiprocessing.active_children():  # the guard may outlive this process: do not wait for it
        os._exit(0)
