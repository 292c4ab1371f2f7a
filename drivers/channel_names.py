"""The names of all channels: the only place that spells one; a source declares its channels with them.

The channels of a device under test are named by its device map; here are those that the workbench itself asks for.
Cells, sensors and thermistors count from 1.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# What begins a name, and the source that fills it; the rest is the device's.
CELL: Final = "cell_"
SUPPLY: Final = "supply/"
IO: Final = "io/"
BMS: Final = "bms/"
OWNERS: Final = {CELL: "cell_simulator", SUPPLY: "supply", IO: "io_box"}

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

EDGE_CHAIN: Final = "edge/chain"  # what stands for the hard-wired chain beside a pack

# What the window derives from the channels of a run.
CELLS_MIN: Final = "cells/min"
CELLS_MEAN: Final = "cells/mean"
CELLS_MAX: Final = "cells/max"
CELLS_SPREAD: Final = "cells/spread"
COLDEST: Final = "temperature/coldest"
HOTTEST: Final = "temperature/hottest"
DERIVED: Final = frozenset({"cells", "temperature"})
LANES: Final = frozenset({"twin", "estimator", "controller"})

# Patterns, for channels of which a run may have any number.
CELL_VOLTAGES: Final = re.compile(r"cell_\d+/voltage")
SENSED_TEMPERATURES: Final = re.compile(r"bms/temperature_\d+")
LANE_STEPS: Final = re.compile(r"(twin|estimator|controller)/(.+)/step")
FAMILY: Final = re.compile(r"(.+/)?cell_\d+/.+|.*\d")  # a channel of which there are many: cells, sensors


@cache
def cell_name(cell: int) -> str:
    """`cell_07`."""
    return f"{CELL}{cell:02d}"


@cache
def cell_voltage(cell: int) -> str:
    """What the cell simulator measures."""
    return f"{cell_name(cell)}/voltage"


@cache
def cell_current(cell: int) -> str:
    """What the cell simulator measures beside the loop's current."""
    return f"{cell_name(cell)}/current"


@cache
def sensed_voltage(cell: int) -> str:
    """What the device under test measures of a cell."""
    return f"{BMS}{cell_name(cell)}/voltage"


@cache
def sensed_temperature(sensor: int) -> str:
    """What the device under test measures at a sensor."""
    return f"{BMS}temperature_{sensor}"


@cache
def thermistor(number: int) -> str:
    """What an output of the I/O box shows a sensor of the device under test."""
    return f"{IO}thermistor_{number}"


@cache
def lane_channel(role: str, lane: str, what: str) -> str:
    """`twin/SPMe pack/age`: what a lane of `role` tells of the pack or of itself."""
    return f"{role}/{lane}/{what}"


@cache
def lane_cell_channel(role: str, lane: str, cell: int, what: str) -> str:
    """`estimator/EKF/cell_07/soc`: what a lane of `role` tells of a cell."""
    return f"{role}/{lane}/{cell_name(cell)}/{what}"


def lane_prefix(role: str, lane: str) -> str:
    """What begins every channel of a lane."""
    return f"{role}/{lane}/"


def command_voltage(cell: int) -> str:
    """The voltage of a cell that was requested."""
    return f"command/{cell_voltage(cell)}"


def allowed_voltage(cell: int) -> str:
    """The voltage of a cell that the gate applied."""
    return f"allowed/{cell_voltage(cell)}"


def find_owner(channel: str) -> str:
    """The source that fills `channel`."""
    return next((source for prefix, source in OWNERS.items() if channel.startswith(prefix)), "dut")
