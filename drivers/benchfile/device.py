"""The sheet of a device under test: the thresholds that its maker declares, for certification to judge by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.benchfile.document import Document
from drivers.benchfile.read import checked
from drivers.benchfile.units import to_si

if TYPE_CHECKING:
    from pathlib import Path

Milliseconds = Annotated[float, Field(gt=0, le=600_000)]


class Part(BaseModel):
    """A table of the sheet; what certification does not ask for is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class Protection(Part):
    """Trips beyond `limit` for `debounce_ms`; can be reset once within `recover`. Magnitudes, in `unit`."""

    unit: Literal["V", "A", "degC", "K"]
    limit: float
    recover: float
    debounce_ms: Milliseconds

    @property
    def limit_si(self) -> float:
        return to_si(self.limit, self.unit)

    @property
    def debounce_s(self) -> float:
        return self.debounce_ms / 1e3


class Timeout(Part):
    """Silence for so long counts as lost."""

    timeout_ms: Milliseconds


class Debounced(Part):
    """Seen for so long it counts."""

    every_ms: Milliseconds
    debounce_ms: Milliseconds


class Feedback(Part):
    """The auxiliary contact must agree by then."""

    feedback_ms: Milliseconds


class DeviceSheet(Part):
    """What the maker declares."""

    cell_overvoltage: Protection
    cell_undervoltage: Protection
    overcurrent_charge: Protection
    overcurrent_discharge: Protection
    overtemperature: Protection
    heartbeat: Timeout
    open_wire: Debounced
    contactor: Feedback


def read_sheet(path: Path) -> DeviceSheet:
    """Read and check a sheet; raises `BenchFileError` with its line."""
    return checked(Document.read(path), DeviceSheet)
