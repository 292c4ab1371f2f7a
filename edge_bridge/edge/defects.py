"""Injected defects of an edge, to show that the fleet finds them; an ordinary edge has none."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from edge_bridge.defect_choice import choose_part
from edge_bridge.edge.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Mapping

LOST: Final = 20  # the number of the row that is lost


class RowLosingOutbox(Outbox):
    """An outbox that deletes one row before it is sent and counts it nowhere."""

    _done = False

    def commit(self, t_ms: int, now_s: float) -> None:
        super().commit(t_ms, now_s)
        if not self._done and self.newest >= LOST:
            self._done = True
            self._database.execute("DELETE FROM row WHERE boot = ? AND seq = ?", (self.boot, LOST))
            self._on_disk -= 1


OUTBOXES: Final[Mapping[str, type[Outbox]]] = MappingProxyType({"lose-row": RowLosingOutbox})


def find_outbox(defect: str) -> type[Outbox]:
    """Return the outbox with the defect, the ordinary one for an empty name; raise `Usage` with the known names."""
    return choose_part(defect, Outbox, OUTBOXES)
