"""The composition root of an edge: its pack, real on a CAN adapter or emulated in a process of its own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import BenchError, Usage
from drivers.evidence_class import EMULATED
from fixtures.emulated_bench import EmulatorError
from fixtures.pack.emulated_pack import EmulatedPack
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
    if pack != EMULATED:
        _parse_adapter(pack)


@contextmanager
def open_edge_pack(pack: str, folder: Path) -> Generator[PackLink]:
    """Open the pack: `emulated`, or `INTERFACE:CHANNEL[:BITRATE]` of python-can; raise `Usage` or `EmulatorError`."""
    if pack != EMULATED:
        yield _parse_adapter(pack)
        return
    know_loopback_can()
    try:
        emulated = EmulatedPack.start(folder)
    except EmulatorError as error:
        raise BenchError(str(error), hint="run: python main.py doctor") from error
    try:
        yield PackLink(LOOPBACK_CAN, emulated.can, BITRATE)
    finally:
        emulated.stop()


def _parse_adapter(pack: str) -> PackLink:
    interface, _, rest = pack.partition(":")
    channel, _, bitrate = rest.partition(":")
    if not interface or not channel or not (bitrate or "1").isdecimal():
        hint = "write emulated, or INTERFACE:CHANNEL[:BITRATE], for instance socketcan:can0:500000"
        raise Usage(f"--pack {pack!r} is not a pack", key="pack", value=pack, hint=hint)
    return PackLink(interface, channel, int(bitrate or BITRATE))
