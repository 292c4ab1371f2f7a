"""Emulated instruments for a measurement, without an engine: started by the same part as in the composition root."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from drivers.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextmanager
def instruments(folder: Path, bms_map: Path, *parts: str) -> Generator[dict[str, str]]:
    """Yield the addresses of the emulators `parts`, which run until the end of the block; raise `BenchError`."""
    from workbench.compose.bench import EmulatedBench, EmulatorError  # noqa: PLC0415  # brings drivers and twins along

    try:
        bench = EmulatedBench.start(folder, bms_map, parts=parts)
    except EmulatorError as error:
        raise BenchError(str(error), hint="run: python main.py doctor") from error
    try:
        with bench.hold():
            yield bench.addresses
    finally:
        bench.stop()
