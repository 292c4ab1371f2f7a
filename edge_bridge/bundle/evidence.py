"""The evidence classes, and the weakest of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.evidence_class import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable


def weakest(links: Iterable[str]) -> str:
    """Return the lowest class of all links; raise `ValueError` for an unknown class, or without a link."""
    return CLASSES[min(CLASSES.index(link) for link in links)]
