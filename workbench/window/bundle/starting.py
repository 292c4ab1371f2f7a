"""Where a clerk's process begins: what it needs is imported there, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def begin(pipe: Connection) -> None:
    """Serve until the window closes the pipe."""
    from workbench.window.bundle.duties import serve  # noqa: PLC0415  # see above

    serve(pipe)
