"""The names of a BMS's states and faults: the value tables of the DBC that a bundle holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from drivers.benchfile import read_bench
from drivers.canbus.dut_map import read_dut_map
from drivers.channel_names import BMS_FAULT, BMS_STATE
from drivers.private_files import make_private_folder
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.envelope import ENVELOPE
from edge_bridge.bundle.manifest import BENCH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drivers.canbus.dut_map import DutMap

MAX_WORD: Final = 80  # characters of a name


@dataclass(frozen=True, slots=True)
class BmsNames:
    """Names by number."""

    states: Mapping[int, str]
    faults: Mapping[int, str]


def read_bms_names(data: bytes) -> BmsNames:
    """Read the names from a bundle that was verified; raise `PulseError`, `OSError`. It takes some 0.1 s."""
    members = unpack(data)
    with TemporaryDirectory(prefix="pulse-names-") as folder:
        for name, member in members.items():  # the archive refuses names that lead out of the folder
            if name != ENVELOPE:
                path = Path(folder) / name
                make_private_folder(path.parent)
                path.write_bytes(member)
        mapped = read_dut_map(read_bench(Path(folder) / BENCH).dut_map)
    return BmsNames(_list_names(mapped, BMS_STATE), _list_names(mapped, BMS_FAULT))


def _list_names(mapped: DutMap, channel: str) -> dict[int, str]:
    try:
        return {number: word[:MAX_WORD] for number, word in mapped.words(channel).items()}
    except KeyError:  # this BMS does not tell it
        return {}
