"""Classes of evidence, and the weakest link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.evidence_class import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable


def weakest(links: Iterable[str]) -> str:
    """The lowest class of all links; raises `ValueError` for a class that does not exist, or without a link."""
    return CLASSES[min(CLASSES.index(link) for link in links)]
