"""Classes of evidence, and the weakest link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

CLASSES: Final = ("SIM", "HIL", "PACK")  # from software, from a bench, from a real pack


def weakest(links: Iterable[str]) -> str:
    """The lowest class of all links; raises `ValueError` for a class that does not exist, or without a link."""
    return CLASSES[min(CLASSES.index(link) for link in links)]
