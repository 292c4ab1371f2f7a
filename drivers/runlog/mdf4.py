"""The only use of asammdf: write groups of channels, each on its own time base, to an MDF 4.10 file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from drivers.snapshot import Floats


@dataclass(frozen=True, slots=True)
class Mdf4Series:
    """One channel's samples on the time base of its group; `invalid` marks those that must not be used."""

    name: str
    unit: str
    samples: Floats
    invalid: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Mdf4Group:
    """Channels sampled together, at `t_s` from the start of the run."""

    name: str
    t_s: Floats
    series: tuple[Mdf4Series, ...]


def write_mdf4(path: Path, groups: Iterable[Mdf4Group], started: str) -> None:
    """Write the groups in order, one at a time in memory; `started` is ISO 8601. Raise `OSError`."""
    asammdf: Any = import_module("asammdf")  # takes 1 s, so it is imported only for an export
    with asammdf.MDF(version="4.10") as file:
        file.header.start_time = datetime.fromisoformat(started)
        for group in groups:
            signals = [
                asammdf.Signal(
                    samples=series.samples,
                    timestamps=group.t_s,
                    name=series.name,
                    unit=series.unit,
                    invalidation_bits=series.invalid if series.invalid.any() else None,
                )
                for series in group.series
            ]
            file.append(signals, acq_name=group.name, comment=group.name, common_timebase=True)
        file.save(path, overwrite=True, compression=2)  # 2: transposed, then deflated
