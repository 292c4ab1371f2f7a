"""The defects that `selftest` and `certify --qualify` inject into a bench, by name."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from drivers import source_names
from drivers.safe_commands import TcpSafeCommands
from fixtures.bms.defects import DEFECTS
from workbench.compose.defects import NO_DEFECTS, Defects

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drivers.benchfile.model import Bench
    from drivers.snapshot import Bytes, Floats
    from fixtures.emulated_bench import EmulatedBench
    from workbench.compose.defects import SafeSequence
    from workbench.engine.tick_writer import RowRecorder

SEED: Final = "seed"  # a defect of the emulated BMS is called seed:NAME:PLACE
TOO_HIGH_V, RECOVERS_V = 0.15, 0.05
LOST_TICK: Final = 1_500  # within the selftest's run


def mute_guard(sequence: SafeSequence) -> SafeSequence:
    """Remove the off command from the safe sequence; the guard still checks its connection and queries."""
    return tuple(
        replace(word, steps=tuple(replace(step, send=b"") for step in word.steps))
        for word in sequence
        if isinstance(word, TcpSafeCommands)
    )


def write_high_thresholds(folder: Path, bench: Bench) -> Path:
    """Write an over-voltage threshold that is too high for the bench's cell."""
    path, limit_v = folder / "thresholds.toml", bench.cell.file.bms.voltage_v[1] + TOO_HIGH_V
    text = f"[cell_overvoltage]\nlimit = {limit_v:.3f}\nrecover = {limit_v - RECOVERS_V:.3f}\n"
    path.write_text(text, encoding="utf-8")
    return path


def mute_supply(bench: EmulatedBench) -> EmulatedBench:
    """Stop all answers of the supply."""
    bench.inject("mute", instrument=source_names.SUPPLY)
    return bench


def swap_cells(bench: EmulatedBench) -> EmulatedBench:
    """Exchange the wires of the last two cells."""
    bench.inject("swap", a=bench.cells - 1, b=bench.cells)
    return bench


class TickDroppingRecorder:
    """A recorder that loses one tick of a run."""

    def __init__(self, recorder: RowRecorder) -> None:
        self._recorder, self._count = recorder, 0

    def put(self, t_s: float, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        self._count += 1
        if self._count != LOST_TICK:
            self._recorder.put(t_s, values, sampled_s, quality)


BENCH_DEFECTS: Final[Mapping[str, Defects]] = MappingProxyType(
    {
        defects.name: defects
        for defects in (
            Defects("mute-supply", section=source_names.SUPPLY, emulated_bench=mute_supply),
            Defects("swap-cells", section=source_names.CELL_SIMULATOR, emulated_bench=swap_cells),
            Defects("drop-tick", recorder=TickDroppingRecorder),
            Defects("bms-threshold", section=source_names.DUT, thresholds=write_high_thresholds),
            Defects("mute-guard", safe_sequence=mute_guard),
        )
    }
)


def list_bms_defects() -> dict[str, str]:
    """Return the defects that can be seeded in the emulated BMS: a description by name."""
    return {name: defect.about for name, defect in DEFECTS.items()}


def seed_defect(name: str, place: int) -> Defects:
    """Return one of `list_bms_defects`, seeded in a cell or sensor."""
    return Defects(f"{SEED}:{name}:{place}", section=source_names.DUT, bms=(name, place))


def find_defects(name: str) -> Defects:
    """Return the defects of that `name`, none for an empty name; raise `KeyError`."""
    if not name:
        return NO_DEFECTS
    kind, _, rest = name.partition(":")
    if kind != SEED:
        return BENCH_DEFECTS[name]
    defect, _, place = rest.partition(":")
    return seed_defect(defect, int(place))
