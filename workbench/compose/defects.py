"""The defects that are injected into a bench to show that they are found: none by default.

Only `workbench.selftest` and `certify --qualify` use others, from `workbench.compose.named_defects`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from drivers import source_names
from drivers.errors import Usage
from drivers.evidence_class import is_emulated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.benchfile.model import Bench
    from drivers.safe_can_commands import CanSafeCommands
    from drivers.safe_commands import TcpSafeCommands
    from fixtures.emulated_bench import EmulatedBench
    from workbench.engine.tick_writer import RowRecorder

SafeSequence: TypeAlias = "tuple[TcpSafeCommands | CanSafeCommands, ...]"
Part = TypeVar("Part")

KEYS: Final = {source_names.DUT: "interface"}  # key of a section of the bench file that holds the address of its part


def identity(part: Part) -> Part:
    """Inject nothing."""
    return part


def no_thresholds(_: Path, __: Bench) -> None:
    """Keep the thresholds of the emulated BMS."""


@dataclass(frozen=True, slots=True)
class Defects:
    """Hooks of the composition: each takes a part and returns the part to use. It can be pickled.

    `section`: the section of the bench file whose part must be emulated for the defect to exist. `bms`: a defect
    seeded in the emulated BMS, and its place. `thresholds`: writes a file for the BMS of a bench into a folder.
    """

    name: str = ""
    section: str = ""
    bms: tuple[str, int] | None = None
    thresholds: Callable[[Path, Bench], Path | None] = no_thresholds
    emulated_bench: Callable[[EmulatedBench], EmulatedBench] = identity
    safe_sequence: Callable[[SafeSequence], SafeSequence] = identity
    recorder: Callable[[RowRecorder], RowRecorder] = identity


NO_DEFECTS: Final = Defects()


def refuse_without_part(bench: Bench, defects: Defects) -> None:
    """Raise `Usage` if the part that a defect concerns is not emulated: nothing would be injected."""
    section = defects.section
    if not section:
        return
    key = KEYS.get(section, "address")
    declared = str(getattr(getattr(bench, section), key))
    if is_emulated(declared):
        return
    what = f"{defects.name} cannot be injected: {section}.{key} = {declared!r} is not emulated"
    hint = "name the emulated bench, or a bench on which this part is emulated"
    raise Usage(what, where=str(bench.path), key=f"{section}.{key}", value=declared, hint=hint)
