"""The configuration that an edge runs: bench, estimator and gate, built from the bundle's members alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from control.gate import Gate
from control.gate_config import build_lane, make_gate_config, make_pack_spec, make_rest_command
from control.snapshot_builder import PackView, Wiring
from drivers.benchfile import read_bench
from drivers.benchfile.cell_file import parse_cell
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BundleRefused
from drivers.private_files import make_private_folder
from drivers.snapshot import ChannelTable
from edge_bridge.bundle import limits
from edge_bridge.bundle.manifest import BENCH, CELL_MARK, LIMITS
from edge_bridge.bundle.pack_gate import CHAIN_CHANNEL, pack_gate
from edge_bridge.bundle.pack_gate import make_wiring as pack_wiring

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench, LaneSection
    from drivers.canbus.dut_map import DutMap
    from edge_bridge.bundle.manifest import Bundle
    from twin.cell_parameters import CellParameters
    from twin.ports import Estimator, PackSpec

MODEL_PREFIX: Final = "twin."  # a bundle may name only a model that is installed here, never another module


@dataclass(frozen=True)
class Configuration:
    """An unpacked bundle: `dut_map` is the path of the device map, `table` the channels that its gate checks.

    `estimator` has had no input yet; call `configure` again for one that starts from its initial state.
    """

    bench: Bench
    dut_map: Path
    pack: PackSpec
    estimator: Estimator
    table: ChannelTable
    wiring: Wiring

    def make_gate(self, table: ChannelTable | None = None) -> Gate:
        """Make a gate at rest over `table` (default: the bundle's own); raise `BenchFileError` if limits do not fit."""
        over = self.table if table is None else table
        spec = make_gate_config(self.bench, over, self.bench.limits(over), self.wiring)
        return Gate(spec, make_rest_command(self.pack.cells, self.pack.ambient_k))

    def make_pack_gate(self) -> Gate:
        """Make the gate that an edge runs beside a pack, at rest, over the channels of the pack's BMS."""
        mapped = read_dut_map(self.dut_map)
        table = ChannelTable((*mapped.channels, CHAIN_CHANNEL))
        return pack_gate(self.bench, table, pack_wiring(self.pack.cells, self.bench.io_box.thermistors))

    def make_pack_sense(self, table: ChannelTable | None = None) -> PackView:
        """Make the pack view that estimators get of a snapshot of `table`; raise `KeyError` for a missing channel."""
        return PackView(self.table if table is None else table, self.wiring)


def configure(bundle: Bundle, folder: Path) -> Configuration:
    """Unpack `bundle` into `folder` and build its configuration; raise `PulseError`, `OSError`."""
    for name, data in bundle.files.items():  # the archive refuses names that lead out of the folder
        path = folder / name
        make_private_folder(path.parent)
        path.write_bytes(data)
    bench = read_bench(folder / BENCH)
    table = _set_ages(_read_table(bundle, bench), read_dut_map(bench.dut_map))
    pack = make_pack_spec(bench, _read_own_cell(bundle, bench))
    lane = _with_parameters(bench.active("estimator"), bundle, folder)
    if not lane.module.startswith(MODEL_PREFIX):
        what = f"names {lane.module} as its estimator"
        raise BundleRefused(
            what, key="not_a_bundle", value=lane.module, bound=f"{MODEL_PREFIX}*", hint="build it again"
        )
    wiring = Wiring.hil(pack.cells, bench.io_box.thermistors)
    return Configuration(bench, bench.dut_map, pack, build_lane(bench, lane, pack), table, wiring)


def _read_table(bundle: Bundle, bench: Bench) -> ChannelTable:
    """Read the channels of `limits.json`, whose limits must be those of `bench.toml`."""
    try:
        return limits.read_checked_channels(bundle.files[LIMITS], bench)
    except ValueError as error:
        what = f"cannot be run: {LIMITS}: {error}"
        raise BundleRefused(what, key="not_a_bundle", value=LIMITS, hint="build it again") from error


def _set_ages(table: ChannelTable, mapped: DutMap) -> ChannelTable:
    """Return `table` with the device map's maximum ages, up to which a decision may use a value."""
    ages_s = {channel.name: channel.max_age_s for channel in mapped.channels}
    return ChannelTable(
        tuple(replace(channel, max_age_s=ages_s.get(channel.name, channel.max_age_s)) for channel in table)
    )


def _read_own_cell(bundle: Bundle, bench: Bench) -> CellParameters:
    """Return the cell that the bundle holds, not the one of that name which is installed here."""
    from twin.cell_parameters import make_parameters  # noqa: PLC0415  # numba, which light verbs do without

    text = bundle.cell_text
    return make_parameters(parse_cell(bench.path.parent / bench.pack.cell, text) if text else bench.cell)


def _with_parameters(lane: LaneSection, bundle: Bundle, folder: Path) -> LaneSection:
    """Return the lane with the parameters that the bundle holds for it, not with installed ones."""
    name: Any = bundle.lanes.get("parameters")
    if name is None:
        return lane
    if CELL_MARK in bundle.files.get(name, b""):  # the pack has it
        return lane
    if name not in bundle.files:
        what = f"cannot be run: it names parameters {name!r}, but this member is missing"
        raise BundleRefused(what, key="not_a_bundle", hint="build it again")
    lane.settings["file"] = str((folder / name).resolve())
    return lane
