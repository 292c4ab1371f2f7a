"""A device under test as data: a DBC, and one TOML file that maps its signals to channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import Field

from drivers.benchfile.document import Document
from drivers.benchfile.model import Bounds, PeriodMs, Section, Text
from drivers.benchfile.validation import validate
from drivers.canbus import map_checks, map_rows
from drivers.canbus.ages import MOST_S, max_ages_s
from drivers.canbus.dbc import Dbc, DbcMessage
from drivers.canbus.device_behaviour import CountsFrom, FaultRow, HealthRow, HeartbeatRow, RequestRow, TimesRow
from drivers.canbus.device_checks import check_behaviour, healthy_values
from drivers.canbus.device_faults import derive_fault_channels, fault_words
from drivers.channel_names import BMS_FAULT
from drivers.mistakes import Mistakes
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row = TypeVar("Row")
AgeMs: TypeAlias = Annotated[int, Field(ge=1, le=round(1000 * MOST_S))]
Rows: TypeAlias = Annotated[tuple[Row, ...], Field(strict=False)]


NAMES: Final = ("message", "signal", "valid_signal")  # of the DBC


class SignalRow(Section):
    """`[[signal]]`: SI value = scale * physical + offset, valid while `valid_signal` of its message reads `valid`.

    No decision uses a value older than `max_age_ms`. `dbc_unit`: the unit as the DBC writes it, if this project does
    not know that unit.
    """

    channel: Text
    unit: Literal["1", "V", "A", "K", "W", "s"]
    range: Bounds
    message: Text
    signal: Text
    scale: float = 1.0
    offset: float = 0.0
    max_age_ms: AgeMs | None = None
    dbc_unit: str | None = None
    valid_signal: Text | None = None
    valid: int = 1


class FamilyRow(SignalRow):
    """`[[signals]]`: {n} runs over `numbers`, {m} is the message's number.

    Channels count from 1; {n} and {m} in the names of the DBC count from `counts_from`.
    """

    numbers: Annotated[tuple[int, int], Field(strict=False)]
    per_message: Annotated[int, Field(ge=1)] = 1
    counts_from: CountsFrom = 1

    def members(self) -> Iterator[SignalRow]:
        """Return one row per number; raise `LookupError` or `ValueError` for a brace that is neither {n} nor {m}."""
        for n in range(self.numbers[0], self.numbers[1] + 1):
            m = (n - 1) // self.per_message + 1
            below = 1 - self.counts_from
            names = {
                name: text.format(n=n - below, m=m - below)
                for name in NAMES
                if (text := getattr(self, name)) is not None
            }
            rest = {name: getattr(self, name) for name in SignalRow.model_fields if name not in {"channel", *NAMES}}
            yield SignalRow(channel=self.channel.format(n=n, m=m), **names, **rest)


class ProtectedRow(Section):
    """`[[protected]]`: messages with a counter and a CRC-8/SAE-J1850 checksum."""

    messages: Annotated[tuple[str, ...], Field(strict=False)]
    counter: Text
    checksum: Text


class LastRequestRow(Section):
    """`[last_request]`: the guard's request, with an identifier of its own."""

    message: Text
    signal: Text
    open: int


class VerifyRow(Section):
    """`[verify]`: the value of a channel that means "contactors open"."""

    channel: Text
    open: float


class ArmingRow(Section):
    """`[arming]`."""

    state_channel: Text


class DutFile(Section):
    """The whole mapping file."""

    name: Text
    dbc: Text
    timeout_ms: PeriodMs
    max_age_ms: AgeMs | None = None
    signal: Rows[SignalRow]
    signals: Rows[FamilyRow] = ()
    protected: Rows[ProtectedRow] = ()
    fault: Rows[FaultRow] = ()
    heartbeat: HeartbeatRow | None = None
    request: RequestRow
    last_request: LastRequestRow
    verify: VerifyRow
    arming: ArmingRow
    times: TimesRow = TimesRow()
    health: HealthRow = HealthRow()


@dataclass(frozen=True)
class DutMap:
    """A checked mapping: every message, signal and channel that it names exists."""

    file: DutFile
    rows: tuple[SignalRow, ...]
    messages: dict[str, DbcMessage]
    dbc_hash: str

    @property
    def timeout_s(self) -> float:
        return self.file.timeout_ms / 1000.0

    @property
    def mapped_channels(self) -> tuple[Channel, ...]:
        """The channels that a signal fills."""
        ages_s = max_ages_s(self.rows, self.messages, self.file.max_age_ms)
        return tuple(
            Channel(row.channel, row.unit, *row.range, age_s) for row, age_s in zip(self.rows, ages_s, strict=True)
        )

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that a signal fills, then those derived from them (`drivers.canbus.device_faults`)."""
        mapped = self.mapped_channels
        return (*mapped, *derive_fault_channels(mapped, self.file.fault))

    @property
    def healthy(self) -> tuple[float, ...]:
        """The values of `health.channel` that mean no fault."""
        return healthy_values(self.file.health, self.words(self.file.health.channel))

    def words(self, channel: str) -> dict[int, str]:
        """Return the DBC's names for the values of `channel`; raise `KeyError` if there is no such channel."""
        if channel == BMS_FAULT and self.file.fault:
            return fault_words(self.file.fault)
        if channel not in {row.channel for row in self.rows} and channel in {known.name for known in self.channels}:
            return {}
        row = self.row(channel)
        return self.messages[row.message].words(row.signal)

    def row(self, channel: str) -> SignalRow:
        for row in self.rows:
            if row.channel == channel:
                return row
        raise KeyError(channel)


def read_dut_map(path: Path) -> DutMap:
    """Read and check a map; raise `BenchFileError` that names file, line, key and value."""
    document = Document.read(path)
    file = validate(document, DutFile)
    dbc = _read_dbc(document, file)
    found = Mistakes()
    messages = map_rows.protect(document, file, dbc.messages, found)
    rows = tuple(map_rows.check_rows(document, file, messages, found))
    for check in (map_rows.check_heartbeat, map_rows.check_request, map_rows.check_last_request):
        with found.collect():
            check(document, file, messages)
    map_rows.check_channels(document, file, rows, found)
    found.raise_all()
    mapped = DutMap(file, rows, messages, dbc.hash)
    map_checks.check(document, mapped, dbc.twice, found)
    with found.collect():
        check_behaviour(document, file, mapped.mapped_channels, mapped.words)
    found.raise_all()
    return mapped


def _read_dbc(document: Document, file: DutFile) -> Dbc:
    path = document.path.parent / file.dbc
    if not path.is_file():
        hint = f"paths are relative to {document.path.parent}"
        raise document.mistake(("dbc",), f'= "{file.dbc}" is not a file', value=file.dbc, hint=hint)
    return Dbc(path)
