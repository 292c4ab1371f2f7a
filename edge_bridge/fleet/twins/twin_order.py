"""What one job computes from: the rows of a device, its bundle and a duty. Plain values, which a process can get."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[Any]

COLUMNS: Final = ("current_a", "voltage_v", "soc", "soc_std", "soh", "soh_std", "temperature_max_k")
MAX_HOURS: Final = 24
MAX_PROFILE: Final = 1_500  # rows of a duty that a person gives
HOUR_MS: Final = 3_600_000
TwinResult: TypeAlias = "dict[str, Any]"  # as JSON


class TwinKind(StrEnum):
    """What is asked of a twin."""

    ESTIMATES = "estimates"
    FORECAST = "forecast"


@dataclass(frozen=True, slots=True)
class RowMeans:
    """The means of `COLUMNS` in buckets of `step_ms` that begin at `t_ms[n]`; NaN where a bucket has no value."""

    t_ms: NDArray[Any]
    step_ms: int
    columns: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class GivenDuty:
    """A duty that a person gives: the pack's current (A, discharge positive) from each time (s) to the next."""

    time_s: tuple[float, ...]
    current_a: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TwinOrder:
    """One job. `bundle`: the file that the device says it runs, None if this fleet does not have it.

    `is_quick`: the circuit alone, no physical model. `duty`: None for that of the rows.
    """

    kind: TwinKind
    node: str
    from_ms: int
    to_ms: int
    hours: int
    rows: RowMeans
    bundle_sha256: str
    bundle: bytes | None
    is_quick: bool = False
    duty: GivenDuty | None = None
