"""The schema of a bench file as frozen models; field names carry the file's units, properties return SI."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from drivers import source_names
from drivers.benchfile.conversions import HOLD_MS
from drivers.benchfile.limits import DeclaredLimits, lay_over_channels
from drivers.benchfile.units import to_si
from drivers.evidence_class import is_emulated

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile.cell_file import Cell
    from drivers.benchfile.document import Document, KeyPath
    from drivers.snapshot import ChannelTable

ROUNDED: Final = 1e-6  # of a turn: 10 turns at 300 Hz are 33.333... ms, and 10 turns again
NAME: Final = r"^[^\s/]([^/\x00-\x1f]*[^\s/])?$"
MODULE: Final = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$"
FILE_SETTINGS: Final = ("file", "policy", "task")  # settings of a lane that name a file
Name: TypeAlias = Annotated[str, Field(max_length=60, pattern=NAME)]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Spread: TypeAlias = Annotated[float, Field(ge=0, le=0.5)]
PeriodMs: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]
LostMs: TypeAlias = Annotated[int, Field(ge=1, le=2_000)]
Bounds: TypeAlias = Annotated[tuple[float, float], Field(strict=False)]

Role: TypeAlias = Literal["twin", "estimator", "controller"]
ROLES: Final[tuple[Role, ...]] = ("twin", "estimator", "controller")
SafeStepName: TypeAlias = Literal["supply off", "contactors open", "cells off"]


class Section(BaseModel):
    """A table of the file: no undeclared keys, no conversion of types, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class General(Section):
    """`[bench]`."""

    name: Name
    mode: Literal["hil", "pack"]
    closure: Literal["shunt-loop", "signal", "terminals"]
    attended: bool
    rate_hz: Annotated[int, Field(ge=4, le=1000)]  # below 4, two turns would take longer than the guard's `silent_ms`

    @property
    def period_s(self) -> float:
        return 1.0 / self.rate_hz


class Pack(Section):
    """`[pack]`: the pack that the twin simulates; spreads are standard deviations, drawn with `seed`.

    `cell`: a shipped cell or the path of a cell file; `cell_ah` is that cell's capacity where the file states none.
    """

    cells: Annotated[int, Field(ge=1, le=24)]
    parallel: Annotated[int, Field(ge=1, le=1000)]
    cell: Text
    cell_ah: Annotated[float, Field(gt=0, le=1000)]
    soc0: Fraction
    soc0_spread: Spread
    capacity_spread: Spread
    resistance_spread: Spread
    seed: Annotated[int, Field(ge=0)]
    ambient_degc: Annotated[float, Field(ge=-40, le=85)]

    @property
    def ambient_k(self) -> float:
        return to_si(self.ambient_degc, "degC")

    @property
    def element_ah(self) -> float:
        """The capacity of a series element."""
        return self.parallel * self.cell_ah


class Protect(Section):
    """The instrument's own protection, set at connect and read back."""

    voltage_v: Positive
    current_a: Positive


class TimeoutsSection(Section):
    """Milliseconds for each kind of command (`drivers.scpi.timeouts`); the driver declares those left out."""

    open: PeriodMs | None = None
    identify: PeriodMs | None = None
    read: PeriodMs | None = None
    ask: PeriodMs | None = None
    obey: PeriodMs | None = None

    @property
    def seconds(self) -> dict[str, float]:
        """Kind of command -> s, for those that the file declares."""
        return {name: value / 1000 for name, value in self.model_dump().items() if value is not None}


class InstrumentSection(Section):
    """An instrument: `kind` names its driver, `expect` the model in its answer to `*IDN?`."""

    address: Text
    expect: Text
    period_ms: PeriodMs
    timeouts_ms: TimeoutsSection = TimeoutsSection()

    @property
    def period_s(self) -> float:
        return self.period_ms / 1000


class CellSimulatorSection(InstrumentSection):
    """`[cell_simulator]`."""

    kind: Literal["ngi_n83624"]
    protect: Protect
    discharge_reads: Literal["positive", "negative"] = "positive"


class SupplySection(InstrumentSection):
    """`[supply]`: `charge_v` sources into the loop's buffer battery, `discharge_v` sinks from it."""

    kind: Literal["ea_psb10000"]
    protect: Protect
    charge_v: Positive
    discharge_v: Annotated[float, Field(ge=0)]


class IoBoxSection(InstrumentSection):
    """`[io_box]`."""

    kind: Literal["pulse_io"]
    thermistors: Annotated[int, Field(ge=1, le=8)]


class DutSection(Section):
    """`[dut]`: the device under test, described only by a CAN bus and a map."""

    interface: Text
    channel: Text
    bitrate: Annotated[int, Field(ge=10_000, le=1_000_000)]
    map: Text
    dbc_sha256: Annotated[str, Field(pattern=r"^(|[0-9a-f]{64})$")] = ""  # not declared: any DBC is accepted


class LimitSection(Section):
    """`[[limit]]`: bounds in `unit` for the channels that the pattern matches."""

    channels: Text
    unit: Literal["V", "mV", "A", "mA", "W", "degC", "K", "s", "ms", "1", "%"]
    device: Bounds | None = None
    bench: Bounds | None = None

    def has_channel(self, channel: str) -> bool:
        """Return whether the pattern matches the name `channel`."""
        return fnmatchcase(channel, self.channels)


class DeviceLimits(Section):
    """`[device_limits]`: what `certify` requires of the device beside the `device` bounds of the limits.

    `thresholds`: the device's own profile (`drivers.benchfile.device_sheet`). A value beyond a bound by `tolerance_*`
    must trip, one within by `tolerance_*` must not. The contactor must be open `react_ms` after the debounce, and the
    fault reported in `tell_ms`.
    """

    thresholds: Text
    tolerance_v: Positive
    tolerance_a: Positive
    tolerance_k: Positive
    react_ms: PeriodMs
    tell_ms: PeriodMs


class Ages(Section):
    """Milliseconds for each source that the gate must not lose."""

    cell_simulator: PeriodMs
    supply: PeriodMs
    io_box: PeriodMs

    @property
    def seconds(self) -> dict[str, float]:
        """Source name -> s."""
        return {name: milliseconds / 1000 for name, milliseconds in self.model_dump().items()}


class LateAges(Ages):
    """Milliseconds for each source, also for the device under test: its silence requests 0 A."""

    dut: PeriodMs


class LostAges(Ages):
    """Milliseconds after which an instrument counts as lost."""

    cell_simulator: LostMs
    supply: LostMs
    io_box: LostMs


class GateSection(Section):
    """`[gate]`."""

    hold_ms: Annotated[float, Field(ge=0, le=HOLD_MS)]
    ramp_a_s: Annotated[float, Field(gt=0, le=10_000)]
    late_ms: LateAges
    lost_ms: LostAges

    def hold_ticks(self, rate_hz: float) -> int:
        """Return how many turns of a loop at `rate_hz` fit into `hold_ms`."""
        return int(self.hold_ms * rate_hz / 1000 + ROUNDED)


class GuardSection(Section):
    """`[guard]`."""

    silent_ms: Annotated[int, Field(ge=1, le=500)]
    client_silent_s: Annotated[float, Field(ge=0.5, le=5)]

    @property
    def silent_s(self) -> float:
        return self.silent_ms / 1000


class SafeStep(Section):
    """`[[safe]]`: one step of the safe sequence, verified by read-back within its time."""

    step: SafeStepName
    within_ms: PeriodMs

    @property
    def within_s(self) -> float:
        return self.within_ms / 1000


class LaneSection(Section):
    """`[[lane]]`: one module with `build(pack, settings)`; files among the settings are absolute paths."""

    role: Role
    name: Name
    module: Annotated[str, Field(pattern=MODULE)]
    active: bool = False
    settings: dict[str, Any] = {}


class Bench(Section):
    """A whole bench file."""

    bench: General
    pack: Pack
    cell_simulator: CellSimulatorSection
    supply: SupplySection
    io_box: IoBoxSection
    dut: DutSection
    limit: Annotated[tuple[LimitSection, ...], Field(strict=False)]
    device_limits: DeviceLimits | None = None
    gate: GateSection
    guard: GuardSection
    safe: Annotated[tuple[SafeStep, ...], Field(strict=False)]
    lane: Annotated[tuple[LaneSection, ...], Field(strict=False)]

    _document: Document = PrivateAttr()
    _cell: Cell = PrivateAttr()
    _notes: tuple[str, ...] = PrivateAttr(default=())

    @property
    def document(self) -> Document:
        """The file that was read: its path, text and the line of each key, for later errors."""
        return self._document

    @property
    def cell(self) -> Cell:
        """The cell file of the pack."""
        return self._cell

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each older key that was read as its newer form."""
        return self._notes

    @property
    def path(self) -> Path:
        return self._document.path

    @property
    def instruments(self) -> dict[str, InstrumentSection]:
        """The section of each instrument by the name of its source."""
        return {
            source_names.CELL_SIMULATOR: self.cell_simulator,
            source_names.SUPPLY: self.supply,
            source_names.IO_BOX: self.io_box,
        }

    @property
    def emulated_parts(self) -> tuple[str, ...]:
        """The parts that the file declares emulated; the device may be real while the instruments are emulated."""
        declared = {name: section.address for name, section in self.instruments.items()}
        declared[source_names.BMS] = self.dut.interface
        return tuple(name for name in source_names.EMULATORS if is_emulated(declared[name]))

    @property
    def hold_ticks(self) -> int:
        """Turns of the loop for which the last allowed command is held."""
        return self.gate.hold_ticks(self.bench.rate_hz)

    @property
    def dut_map(self) -> Path:
        """The path of the device map, relative to the bench file unless it is absolute."""
        return self.path.parent / self.dut.map

    def lanes(self, role: Role) -> tuple[LaneSection, ...]:
        """Return the lanes of one role in the file's order."""
        return tuple(lane for lane in self.lane if lane.role == role)

    def active(self, role: Role) -> LaneSection:
        """Return the one active lane of `role`."""
        return next(lane for lane in self.lanes(role) if lane.active)

    def at(self, lane: LaneSection) -> KeyPath:
        """Return the place of `lane` in the file, for `document.mistake`."""
        return ("lane", self.lane.index(lane))

    def limits(self, table: ChannelTable) -> DeclaredLimits:
        """Return the limits in SI over `table`; raise `BenchFileError` if a pattern or a unit matches nothing."""
        return lay_over_channels(self, table)
