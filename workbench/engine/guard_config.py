"""The guard's configuration from a bench file: limits, ages and the safe sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from control.gate import BenchLimits
from control.gate_config import make_ages
from control.guard import GuardConfig
from control.output_states import OutputStates
from drivers.canbus.dut import open_steps
from drivers.channel_names import CONTACTOR, SUPPLY_OUTPUT, cell_voltage
from drivers.safe_can_commands import CanSafeCommands
from drivers.scpi import ea_psb10000

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile.limits import DeclaredLimits
    from drivers.benchfile.model import Bench
    from drivers.canbus.dut import Dut
    from drivers.safe_commands import TcpSafeCommands
    from drivers.snapshot import ChannelTable


def make_guard_config(
    bench: Bench,
    table: ChannelTable,
    declared: DeclaredLimits,
    ring: Path,
    words: tuple[TcpSafeCommands | CanSafeCommands, ...],
    *,
    report: Path,
    attended: bool,
) -> GuardConfig:
    """Return the configuration that the guard receives once, at its start."""
    lost_s = make_ages(table, bench.gate.lost_ms.seconds)
    required = np.flatnonzero(np.isfinite(lost_s))
    return GuardConfig(
        ring=ring,
        limits=BenchLimits(table.channels, declared.low, declared.high, declared.where),
        required=required,
        lost_s=lost_s[required],
        attended=attended,
        silent_s=bench.guard.silent_s,
        client_silent_s=bench.guard.client_silent_s,
        safe_commands=words,
        report=report,
        contact=table.index(CONTACTOR),
    )


def make_safe_commands(bench: Bench, dut: Dut) -> tuple[TcpSafeCommands | CanSafeCommands, ...]:
    """Return the declared safe sequence as bytes; the guard sends the steps in the order of the file."""
    words: list[TcpSafeCommands | CanSafeCommands] = []
    for step in bench.safe:
        if step.step == "supply off":
            words.append(ea_psb10000.off_commands(bench.supply.address, step.within_s))
        elif step.step == "contactors open":
            bus = (bench.dut.interface, bench.dut.channel, bench.dut.bitrate)
            words.append(CanSafeCommands(*bus, open_steps(dut.map, step.within_s)))
    return tuple(words)


def make_output_states(bench: Bench, table: ChannelTable) -> OutputStates:
    """Return the read-backs from which the state of the outputs is derived."""
    cells = [table.index(cell_voltage(cell)) for cell in range(1, bench.pack.cells + 1)]
    late_s = max(bench.gate.lost_ms.seconds.values())
    return OutputStates(table.index(SUPPLY_OUTPUT), table.index(CONTACTOR), cells, late_s)
