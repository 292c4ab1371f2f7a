"""What an edge runs of a bundle: its bench, its estimator and its gate, from the bundle's members alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from control.gate import Gate
from control.gate_config import build_lane, make_gate_config, make_pack_spec, make_rest_command
from control.snapshot_builder import PackView, Wiring
from drivers.benchfile import read_bench
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BundleRefused
from drivers.snapshot import ChannelTable
from edge_bridge.bundle import canonical_json, limits
from edge_bridge.bundle.manifest import BENCH, LIMITS
from edge_bridge.bundle.pack_gate import CHAIN_CHANNEL, pack_gate
from edge_bridge.bundle.pack_gate import make_wiring as pack_wiring

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench, LaneSection
    from drivers.canbus.dut_map import DutMap
    from edge_bridge.bundle.manifest import Bundle
    from twin.ports import Estimator, PackSpec

MODEL_PREFIX: Final = "twin."  # a bundle names a model that is installed here, never any other module


@dataclass(frozen=True)
class Configuration:
    """A bundle unpacked: `dut_map` is the path of the device map, `table` the channels that its gate judges.

    `estimator` has not seen anything yet; one that starts anew is `configure`d anew.
    """

    bench: Bench
    dut_map: Path
    pack: PackSpec
    estimator: Estimator
    table: ChannelTable
    wiring: Wiring

    def make_gate(self, table: ChannelTable | None = None) -> Gate:
        """A gate at rest over `table` (default: the bundle's own); raises `BenchFileError` where limits do not fit."""
        over = self.table if table is None else table
        spec = make_gate_config(self.bench, over, self.bench.limits(over), self.wiring)
        return Gate(spec, make_rest_command(self.pack.cells, self.pack.ambient_k))

    def make_pack_gate(self) -> Gate:
        """The gate that an edge runs beside a pack, at rest, over what the pack's BMS tells."""
        mapped = read_dut_map(self.dut_map)
        table = ChannelTable((*mapped.channels, CHAIN_CHANNEL))
        return pack_gate(self.bench, table, pack_wiring(self.pack.cells, self.bench.io_box.thermistors))

    def make_pack_sense(self, table: ChannelTable | None = None) -> PackView:
        """What estimators may know of a snapshot of `table`; raises `KeyError` for a channel that it lacks."""
        return PackView(self.table if table is None else table, self.wiring)


def configure(bundle: Bundle, folder: Path) -> Configuration:
    """Unpack `bundle` into `folder` and build what it configures; raises `PulseError`, `OSError`."""
    for name, octets in bundle.files.items():  # the archive lets no name out of the folder
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
    bench = read_bench(folder / BENCH)
    table = _set_ages(_read_table(bundle, bench), read_dut_map(bench.dut_map))
    pack = make_pack_spec(bench.pack)
    lane = _with_parameters(bench.active("estimator"), bundle, folder)
    if not lane.module.startswith(MODEL_PREFIX):
        what = f"names {lane.module} for its estimator"
        raise BundleRefused(what, key="not_a_bundle", value=lane.module, bound=f"{MODEL_PREFIX}*", hint="build it anew")
    wiring = Wiring.hil(pack.cells, bench.io_box.thermistors)
    return Configuration(bench, bench.dut_map, pack, build_lane(bench, lane, pack), table, wiring)


def _read_table(bundle: Bundle, bench: Bench) -> ChannelTable:
    """The channels of `limits.json`, whose limits must be those of `bench.toml`."""
    try:
        said = bundle.limits
        table = limits.read_channels(said)
    except (KeyError, TypeError, ValueError) as error:
        what = f"cannot be run: {LIMITS}: {error}"
        raise BundleRefused(what, key="not_a_bundle", value=LIMITS, hint="build it anew") from error
    if canonical_json.dump_json(limits.describe_limits(bench, table)) != bundle.files[LIMITS]:
        what = f"cannot be run: {LIMITS} and {BENCH} say different limits"
        raise BundleRefused(what, key="not_a_bundle", value=LIMITS, hint="build it anew")
    return table


def _set_ages(table: ChannelTable, mapped: DutMap) -> ChannelTable:
    """`table` with the ages up to which the device map lets a decision use a value."""
    ages_s = {channel.name: channel.max_age_s for channel in mapped.channels}
    return ChannelTable(
        tuple(replace(channel, max_age_s=ages_s.get(channel.name, channel.max_age_s)) for channel in table)
    )


def _with_parameters(lane: LaneSection, bundle: Bundle, folder: Path) -> LaneSection:
    """The lane on the parameters that the bundle carries for it, not on those that happen to be installed."""
    name: Any = bundle.lanes.get("parameters")
    if name is None:
        return lane
    if name not in bundle.files:
        what = f"cannot be run: it names parameters {name!r} and has none"
        raise BundleRefused(what, key="not_a_bundle", hint="build it anew")
    lane.settings["file"] = str((folder / name).resolve())
    return lane
