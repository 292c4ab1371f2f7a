"""The process that scores, at low priority: one step in, the scores of all controllers out."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from drivers.processes import end_with_parent, give_way

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from control.shadow.scores import ShadowOrder, ShadowStep

READY: Final = "ready"


def serve(link: Connection, order: ShadowOrder) -> None:
    """Process main: answer each step until the loop closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the loop's process ends this one
    end_with_parent()
    give_way()
    from control.shadow.scorer import ShadowScorer  # noqa: PLC0415  # takes seconds, which only this process may spend

    scorer = ShadowScorer(order)
    try:
        link.send(READY)
        while True:
            step: ShadowStep = link.recv()
            link.send(scorer.score(step))
    except (EOFError, OSError):
        return
