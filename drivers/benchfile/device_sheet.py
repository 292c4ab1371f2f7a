"""The profile of a device under test: the maker's declarations, the reference for certification."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from drivers.benchfile.document import Document
from drivers.benchfile.units import to_si
from drivers.benchfile.validation import find_misspelt, raise_first, validate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOTHING: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
Milliseconds = Annotated[float, Field(gt=0, le=600_000)]
FaultName = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """A table of the profile; keys that certification does not need are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


class ProtectedQuantity(Part):
    """A condition that opens the contactors.

    `fault` is the device's name of the fault (absent: the table's name in capitals), `place` whether the device names
    cell or sensor. `react_ms` is the time from the end of the debounce to the open contact, if not the bench file's.
    """

    fault: FaultName | None = None
    place: bool = True
    react_ms: Milliseconds | None = None


class ProtectionSpec(ProtectedQuantity):
    """A trip beyond `limit` for `debounce_ms`; it can be reset once within `recover`. Magnitudes, in `unit`.

    `latched`: whether the fault outlives a power cycle.
    """

    latched: bool = True
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


class Timeout(ProtectedQuantity):
    """A message that is absent for this time counts as lost."""

    fault: FaultName | None = "HEARTBEAT_LOST"
    timeout_ms: Milliseconds


class Debounced(ProtectedQuantity):
    """A condition that lasts this time counts."""

    every_ms: Milliseconds
    debounce_ms: Milliseconds


class Feedback(ProtectedQuantity):
    """The time within which the auxiliary contact must agree."""

    fault: FaultName | None = "CONTACTOR_WELDED"
    feedback_ms: Milliseconds


class DeviceSheet(Part):
    """The maker's declarations; functions that a device lacks are absent."""

    cell_overvoltage: ProtectionSpec | None = None
    cell_undervoltage: ProtectionSpec | None = None
    overcurrent_charge: ProtectionSpec | None = None
    overcurrent_discharge: ProtectionSpec | None = None
    overtemperature: ProtectionSpec | None = None
    heartbeat: Timeout | None = None
    open_wire: Debounced | None = None
    contactor: Feedback | None = None


def read_sheet(path: Path, silent: Mapping[str, Mapping[str, Any]] = NOTHING) -> DeviceSheet:
    """Read and check a profile; raise `BenchFileError` with the line of the mistake.

    `silent`: what follows from the pack's cell; it fills the tables that the profile has.
    Keys that certification does not need are allowed, but not one that looks like a misspelt one: without it, the
    device would not be tested for that function.
    """
    document = Document.read(path)
    values = {
        name: {**silent.get(name, {}), **cast("dict[str, Any]", table)} if isinstance(table, dict) else table
        for name, table in document.values.items()
    }
    sheet = validate(document, DeviceSheet, values)
    raise_first(find_misspelt(document, DeviceSheet))
    return sheet
