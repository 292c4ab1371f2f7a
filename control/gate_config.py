"""Makes lanes, the pack and the gate's configuration from a bench file."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from control.gate import BenchLimits, GateConfig
from control.pack_limits import find_pack_limits
from drivers import source_names
from drivers.channel_names import ESTOP, SUPPLY_CURRENT, cell_voltage, find_owner
from drivers.errors import BenchFileError, describe_error
from drivers.snapshot import Command
from twin.ports import PackSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from control.snapshot_builder import Wiring
    from drivers.benchfile.limits import DeclaredLimits
    from drivers.benchfile.model import Bench, LaneSection
    from drivers.snapshot import ChannelTable, Floats
    from twin.cell_parameters import CellParameters

REST_V: Final = 3.6  # a lithium cell at rest; the active twin replaces it before anything is live


def make_pack_spec(bench: Bench, cell: CellParameters | None = None) -> PackSpec:
    """Return the declared pack of `cell` (default: the bench's), its spread drawn from the declared seed.

    Two starts get the same pack.
    """
    from twin.cell_parameters import make_parameters  # noqa: PLC0415  # numba, which light verbs do without

    pack = bench.pack
    draw = np.random.default_rng(pack.seed)
    return PackSpec(
        cells=pack.cells,
        parallel=pack.parallel,
        cell_ah=pack.cell_ah,
        soc0=np.clip(pack.soc0 + pack.soc0_spread * draw.standard_normal(pack.cells), 0.0, 1.0),
        capacity_factor=1.0 + pack.capacity_spread * draw.standard_normal(pack.cells).clip(-2.5, 2.5),
        resistance_factor=1.0 + pack.resistance_spread * draw.standard_normal(pack.cells).clip(-2.5, 2.5),
        ambient_k=pack.ambient_k,
        cell=make_parameters(bench.cell) if cell is None else cell,
        limits=find_pack_limits(bench),
    )


def build_lane(bench: Bench, lane: LaneSection, pack: PackSpec) -> Any:
    """Build one lane with its module's `build`; raise `BenchFileError` at its line if that fails."""
    try:
        return importlib.import_module(lane.module).build(pack, lane.settings)
    except BenchFileError as error:
        if error.where is not None:  # of a file that the lane names
            raise
        raise bench.document.mistake(
            (*bench.at(lane), "settings"), f"are wrong: {error.what}", value=error.value, hint=error.hint
        ) from error
    except Exception as error:
        reason = f"cannot be built: {describe_error(error, 'the lane')}"
        hint = "see docs/lanes.md for what a lane needs"
        raise bench.document.mistake((*bench.at(lane), "module"), reason, value=lane.module, hint=hint) from error


def make_gate_config(bench: Bench, table: ChannelTable, declared: DeclaredLimits, wiring: Wiring) -> GateConfig:
    """Return the gate's configuration; a value that the device measures is late at its own `max_age_s` at most."""
    late = bench.gate.late_ms.seconds
    late_s = make_ages(table, {name: age for name, age in late.items() if name != source_names.DUT})
    measured = table.indices({wiring.pack_current, *wiring.cell_voltage, *wiring.cell_temperature})
    late_s[measured] = np.minimum(late_s[measured], table.max_age_s[measured])
    device = [column for column, name in enumerate(table.names) if find_owner(name) == source_names.DUT]
    return GateConfig(
        table=table,
        limits=BenchLimits(table.channels, declared.low, declared.high, declared.where),
        current=SUPPLY_CURRENT,
        cell_voltage=tuple(cell_voltage(cell) for cell in range(1, bench.pack.cells + 1)),
        cell_temperature=wiring.cell_temperature,
        late_s=late_s,
        lost_s=make_ages(table, bench.gate.lost_ms.seconds),
        device=np.array(device, dtype=np.intp),
        device_silent_s=late[source_names.DUT],
        estop=table.index(ESTOP),
        hold_ticks=bench.hold_ticks,
        ramp_a_s=bench.gate.ramp_a_s,
    )


def make_rest_command(cells: int, ambient_k: float) -> Command:
    """Return the command that stays applied until a first command passes."""
    return Command(0.0, np.full(cells, REST_V), np.full(cells, ambient_k))


def make_ages(table: ChannelTable, by_source: Mapping[str, float]) -> Floats:
    """Return one age per column, infinite where the source need not be known."""
    return np.array([by_source.get(find_owner(name), np.inf) for name in table.names])
