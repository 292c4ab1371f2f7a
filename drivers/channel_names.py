"""The names of all channels, spelled only here; a source declares its channels with them.

The device map names the channels of a device under test; this module has those that the workbench itself uses.
Cells, sensors and thermistors count from 1.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from drivers import source_names

# The prefix of a name, and the source that fills it; all other channels are the device's.
CELL: Final = "cell_"
SUPPLY: Final = "supply/"
IO: Final = "io/"
BMS: Final = "bms/"
OWNERS: Final = {CELL: source_names.CELL_SIMULATOR, SUPPLY: source_names.SUPPLY, IO: source_names.IO_BOX}

SUPPLY_OUTPUT: Final = "supply/output"
SUPPLY_VOLTAGE: Final = "supply/voltage"
SUPPLY_CURRENT: Final = "supply/current"
SUPPLY_POWER: Final = "supply/power"

ESTOP: Final = "io/estop"  # the hard-wired chain: 1 while it is closed
CONTACTOR: Final = "io/contactor"  # its auxiliary contact: 1 while it is closed
CONTACTOR_AGE: Final = "io/contactor_age"  # since its last edge
BMS_POWER: Final = "io/bms_power"

BMS_STATE: Final = "bms/state"
BMS_FAULT: Final = "bms/fault"
BMS_FAULT_CELL: Final = "bms/fault_cell"
BMS_CONTACTOR: Final = "bms/contactor"
BMS_BALANCING: Final = "bms/balancing"
PACK_VOLTAGE: Final = "bms/pack_voltage"
PACK_CURRENT: Final = "bms/pack_current"
CHARGE_LIMIT: Final = "bms/charge_limit"
DISCHARGE_LIMIT: Final = "bms/discharge_limit"

LOOP_NUMBER: Final = "loop/number"
LOOP_MISSED: Final = "loop/missed"
LOOP_LATE: Final = "loop/late"
LOOP_TURN: Final = "loop/turn"
LOOP_TWIN: Final = "loop/twin"  # the active twin's place among the twins, from 0
BENCH_STATE: Final = "bench/state"
GATE_VERDICT: Final = "gate/verdict"  # 0 allowed, 1 held, 2 tripped
GATE_TICKS_LEFT: Final = "gate/ticks_left"
COMMAND_CURRENT: Final = "command/current"
ALLOWED_CURRENT: Final = "allowed/current"

EDGE_CHAIN: Final = "edge/chain"  # the substitute for the hard-wired chain beside a pack

# Channels that the window derives from the channels of a run.
CELLS_MIN: Final = "cells/min"
CELLS_MEAN: Final = "cells/mean"
CELLS_MAX: Final = "cells/max"
CELLS_SPREAD: Final = "cells/spread"
COLDEST: Final = "temperature/coldest"
HOTTEST: Final = "temperature/hottest"
# What an estimator lane tells of the pack's health, in the order of `StateOfHealth.describe_pack`.
SOH, SOH_STD, SOH_MIN, GROWTH, GROWTH_STD = "soh", "soh_std", "soh_min", "resistance_growth", "resistance_growth_std"
DERIVED: Final = frozenset({"cells", "temperature"})
LANES: Final = frozenset({"twin", "estimator", "controller"})

# Patterns, for channels of which a run may have any number.
CELL_VOLTAGES: Final = re.compile(r"cell_\d+/voltage")
SENSED_TEMPERATURES: Final = re.compile(r"bms/temperature_\d+")
LANE_STEPS: Final = re.compile(r"(twin|estimator|controller)/(.+)/step")
FAMILY: Final = re.compile(r"(.+/)?cell_\d+/.+|.*\d")  # a channel that exists many times: cells, sensors


@cache
def cell_name(cell: int) -> str:
    """Return the name of a cell: `cell_07`."""
    return f"{CELL}{cell:02d}"


@cache
def cell_voltage(cell: int) -> str:
    """Return the channel of a cell's voltage as the cell simulator measures it."""
    return f"{cell_name(cell)}/voltage"


@cache
def cell_current(cell: int) -> str:
    """Return the channel of a cell's current as the cell simulator measures it, beside the loop's current."""
    return f"{cell_name(cell)}/current"


@cache
def sensed_voltage(cell: int) -> str:
    """Return the channel of a cell's voltage as the device under test measures it."""
    return f"{BMS}{cell_name(cell)}/voltage"


@cache
def sensed_temperature(sensor: int) -> str:
    """Return the channel of a sensor's temperature as the device under test measures it."""
    return f"{BMS}temperature_{sensor}"


@cache
def thermistor(number: int) -> str:
    """Return the channel of the temperature that an output of the I/O box simulates to a sensor of the device."""
    return f"{IO}thermistor_{number}"


@cache
def lane_channel(role: str, lane: str, what: str) -> str:
    """Return a channel of a lane of `role` about the pack or the lane itself: `twin/SPMe pack/age`."""
    return f"{role}/{lane}/{what}"


@cache
def lane_cell_channel(role: str, lane: str, cell: int, what: str) -> str:
    """Return a channel of a lane of `role` about a cell: `estimator/EKF/cell_07/soc`."""
    return f"{role}/{lane}/{cell_name(cell)}/{what}"


def lane_prefix(role: str, lane: str) -> str:
    """Return the prefix of every channel of a lane."""
    return f"{role}/{lane}/"


def command_voltage(cell: int) -> str:
    """Return the channel of a cell's requested voltage."""
    return f"command/{cell_voltage(cell)}"


def allowed_voltage(cell: int) -> str:
    """Return the channel of a cell's voltage that the gate applied."""
    return f"allowed/{cell_voltage(cell)}"


def find_owner(channel: str) -> str:
    """Return the source that fills `channel`."""
    return next((source for prefix, source in OWNERS.items() if channel.startswith(prefix)), source_names.DUT)
