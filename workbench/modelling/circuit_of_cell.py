"""The circuit that filters and twins run along a log: the fitted one, or the file's two pairs as such a circuit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.cell_parameters import make_parameters
from twin.network.network import make_network
from twin.network.widening import widen_table

if TYPE_CHECKING:
    from drivers.benchfile.cell_file import Cell
    from twin.network.network import Network


def make_circuit_of(cell: Cell) -> Network:
    """Return the fitted circuit of a cell, or the two pairs of its circuit for estimators in its place."""
    if cell.file.network is not None:
        return make_network(cell.file.network)
    return widen_table(make_parameters(cell).estimator)
