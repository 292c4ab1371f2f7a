"""What the tour breaks in an edge, so that it can show that it would notice."""

from __future__ import annotations

from typing import Final

from edge_bridge.edge.outbox import Outbox

LOSE_ROW: Final = "lose-row"
NAMES: Final = (LOSE_ROW,)
LOST: Final = 20  # the number of the row that goes


class LosesRow(Outbox):
    """An outbox that deletes one row before it is sent, and counts it nowhere."""

    _done = False

    def commit(self, t_ms: int, now_s: float) -> None:
        super().commit(t_ms, now_s)
        if not self._done and self.newest >= LOST:
            self._done = True
            self._database.execute("DELETE FROM row WHERE boot = ? AND seq = ?", (self.boot, LOST))
            self._on_disk -= 1
