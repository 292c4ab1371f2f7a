"""The channels of a whole bench, from its declaration only: no instrument is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.scpi import cell_simulator, io_box, supply
from drivers.snapshot import ChannelTable

if TYPE_CHECKING:
    from drivers.benchfile.model import Bench
    from drivers.canbus.dut_map import DutMap


def make_channel_table(bench: Bench, mapped: DutMap) -> ChannelTable:
    """Return the channels that the sources of `bench` measure, in the order in which the loop reads them."""
    protect = bench.supply.protect
    return ChannelTable(
        (
            *cell_simulator.channels(bench.pack.cells),
            *supply.channels(protect.voltage_v, protect.current_a),
            *mapped.channels,
            *io_box.channels(bench.io_box.thermistors),
        )
    )
