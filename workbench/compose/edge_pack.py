"""The composition root of an edge: its pack, real on a CAN adapter or emulated in a process of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.benchfile.cell_file import list_cells
from drivers.benchfile.cell_sections import DEFAULT
from drivers.benchfile.validation import suggest
from drivers.errors import BenchError, Usage
from drivers.evidence_class import is_emulated
from fixtures.emulated_bench import EmulatorError
from fixtures.pack.emulated_pack import EmulatedPack
from fixtures.wiring import CHANNELS
from workbench.engine.guard_entry import LOOPBACK_CAN, know_loopback_can

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

BITRATE: Final = 500_000


@dataclass(frozen=True, slots=True)
class PackLink:
    """The CAN connection to the pack's BMS, with python-can's parameters."""

    interface: str
    channel: str
    bitrate: int


def check_pack(pack: str) -> None:
    """Raise `Usage` unless `pack` is one that `open_edge_pack` accepts; start nothing."""
    if is_emulated(pack):
        _parse_emulated(pack)
    else:
        _parse_adapter(pack)


@contextmanager
def open_edge_pack(pack: str, folder: Path) -> Generator[PackLink]:
    """Open the pack, `emulated[:CELLS[:CELL]]` or `INTERFACE:CHANNEL[:BITRATE]`; raise `Usage` or `BenchError`."""
    if not is_emulated(pack):
        yield _parse_adapter(pack)
        return
    know_loopback_can()
    try:
        cells, cell = _parse_emulated(pack)
        emulated = EmulatedPack.start(folder, cells=cells, cell=cell)
    except EmulatorError as error:
        raise BenchError(str(error), hint="run: python main.py doctor") from error
    try:
        yield PackLink(LOOPBACK_CAN, emulated.can, BITRATE)
    finally:
        emulated.stop()


def _parse_emulated(pack: str) -> tuple[int, str]:
    """Return the number of cells in series of an emulated pack, and its cell; raise `Usage`."""
    _, colon, rest = pack.partition(":")
    count, _, cell = rest.partition(":")
    if cell and cell not in list_cells():
        hint = suggest(cell, list_cells(), "shipped cells")
        raise Usage(f"--pack {pack!r} names no shipped cell", key="pack", value=pack, hint=hint)
    cells = int(count) if count.isdecimal() else 0 if colon else CHANNELS
    if not 1 <= cells <= CHANNELS:
        hint = f"write emulated:CELLS with 1 to {CHANNELS} cells, for instance emulated:16"
        raise Usage(f"--pack {pack!r} has no number of cells", key="pack", value=pack, hint=hint)
    return cells, cell or DEFAULT


def _parse_adapter(pack: str) -> PackLink:
    interface, _, rest = pack.partition(":")
    channel, _, bitrate = rest.partition(":")
    if not interface or not channel or not (bitrate or "1").isdecimal():
        hint = "write emulated[:CELLS[:CELL]], or INTERFACE:CHANNEL[:BITRATE], for instance socketcan:can0:500000"
        raise Usage(f"--pack {pack!r} is not a pack", key="pack", value=pack, hint=hint)
    return PackLink(interface, channel, int(bitrate or BITRATE))
