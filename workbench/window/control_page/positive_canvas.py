"""A plot of a quantity that cannot be negative: its axis begins at zero where its values come near to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from workbench.window.plots.canvas import PlotCanvas

if TYPE_CHECKING:
    from workbench.window.plots.min_max_bins import MinMaxBins

_BELOW: Final = 0.03  # of the range, so that a curve at zero shows


class PositiveCanvas(PlotCanvas):
    """Cuts off the part of the axis below zero."""

    def _follow(self, bins: MinMaxBins) -> None:
        super()._follow(bins)
        scale, (low, _) = self.scale, self._find_extent(bins)
        if scale is not None and not self.held and low >= 0.0 and scale.low < -_BELOW * scale.high:
            self.scale = replace(scale, low=-_BELOW * scale.high)
            self.invalidate()
