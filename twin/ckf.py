"""Cubature Kalman filter of each cell (Arasaratnam and Haykin 2009): see `twin.network.soc_filter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twin.network.pack_filter import SETTINGS as FILTER_SETTINGS
from twin.network.pack_filter import build_filter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twin.ports import Estimator, PackSpec

SETTINGS: Final = FILTER_SETTINGS  # that a bench file may give


def build(pack: PackSpec, settings: Mapping[str, Any]) -> Estimator:
    """Build the lane; settings `soc0` (fraction, 0.5) and `soc0_std` (0.1)."""
    return build_filter("twin.ckf", pack, settings, cubature=True)
