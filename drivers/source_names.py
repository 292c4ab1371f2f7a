"""The names of a bench's sources, spelled only here: in health, gate times, sections of the bench file, journals."""

from __future__ import annotations

from typing import Final

CELL_SIMULATOR: Final = "cell_simulator"
SUPPLY: Final = "supply"
IO_BOX: Final = "io_box"
DUT: Final = "dut"  # the device under test, as it is heard on the CAN bus

INSTRUMENTS: Final = (CELL_SIMULATOR, SUPPLY, IO_BOX)
BMS: Final = "bms"  # the emulator of the device; its source is `DUT`
EMULATORS: Final = (CELL_SIMULATOR, SUPPLY, BMS, IO_BOX)
