"""The order for a new engine, and the entry of the process that a client starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path  # noqa: TC003  # a field of a record names it


@dataclass(frozen=True)
class EngineOrder:
    """The order for a new engine: bench file, folder of the runs, lanes."""

    bench: Path
    runs: Path
    unattended: bool = False
    shadows: bool = True


EngineEntry = Callable[[EngineOrder, Connection, Connection], None]
"""Target of the engine's process: the order, the client's pipe, the guard's end of the client's own pipe to it."""
