"""Injected defects of a fleet's store, to show that counting finds them; an ordinary store has none."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from edge_bridge.defect_choice import choose_part
from edge_bridge.fleet.row_store import RowStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_bridge.fleet.row import StoredRow


class RowDoublingStore(RowStore):
    """A store that keeps its first row twice; its file has no key that prevents this."""

    _unique = False
    _done = False

    def _keep(self, row: StoredRow) -> bool:
        if not self._done:
            self._done = True
            super()._keep(row)
        return super()._keep(row)


class RowLosingStore(RowStore):
    """A store that acknowledges its first row and does not store it."""

    _done = False

    def _keep(self, row: StoredRow) -> bool:
        if self._done:
            return super()._keep(row)
        self._done = True
        self._raise_highest(row.node, row.boot, row.seq)
        return True


STORES: Final[Mapping[str, type[RowStore]]] = MappingProxyType(
    {"double-row": RowDoublingStore, "lose-row": RowLosingStore}
)


def find_store(defect: str) -> type[RowStore]:
    """Return the store with the defect, the ordinary one for an empty name; raise `Usage` with the known names."""
    return choose_part(defect, RowStore, STORES)
