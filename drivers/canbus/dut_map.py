"""A device under test as data: a DBC, and one TOML file that maps its signals to channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import Field

from drivers.benchfile.document import Document
from drivers.benchfile.model import Bounds, PeriodMs, Section, Text
from drivers.benchfile.read import validate
from drivers.canbus import map_checks
from drivers.canbus.ages import MOST_S, max_ages_s
from drivers.canbus.dbc import Dbc, DbcMessage
from drivers.canbus.device_behaviour import CountsFrom, FaultRow, HealthRow, HeartbeatRow, RequestRow, TimesRow
from drivers.canbus.device_checks import check_behaviour, healthy_values
from drivers.canbus.device_faults import derive_fault_channels, fault_words
from drivers.canbus.units import find_unit_error
from drivers.channel_names import BMS_FAULT
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.document import KeyPath

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
    dbc = Dbc(path.parent / file.dbc)
    messages = dict(dbc.messages)
    for number, rule in enumerate(file.protected):
        for place, name in enumerate(rule.messages):
            at: KeyPath = ("protected", number, "messages", place)
            message = _message(document, at, messages, name)
            for key, signal in (("counter", rule.counter), ("checksum", rule.checksum)):
                _signal(document, ("protected", number, key), message, signal)
            try:
                messages[name] = message.protected_by(rule.counter, rule.checksum)
            except ValueError as error:
                raise document.mistake(at, f"cannot be protected: {error}", value=name) from error
    rows = tuple(_rows(document, file, messages))
    _check_requests(document, file, messages, {row.channel for row in rows})
    mapped = DutMap(file, rows, messages, dbc.hash)
    map_checks.check(document, mapped, dbc.twice)
    check_behaviour(document, file, mapped.mapped_channels, mapped.words)
    return mapped


def _rows(document: Document, file: DutFile, messages: dict[str, DbcMessage]) -> Iterator[SignalRow]:
    channels: set[str] = set()
    singles: list[tuple[KeyPath, SignalRow]] = [(("signal", number), row) for number, row in enumerate(file.signal)]
    families = [(("signals", k), row) for k, family in enumerate(file.signals) for row in _members(document, k, family)]
    for at, row in (*singles, *families):
        if row.scale == 0.0:
            raise document.mistake((*at, "scale"), "= 0 makes every value the same", value=0.0, bound="not 0")
        if not row.range[0] < row.range[1]:
            raise document.mistake(
                (*at, "range"), f"= {list(row.range)} contains no value", value=row.range, bound="low < high"
            )
        message = _message(document, (*at, "message"), messages, row.message)
        _signal(document, (*at, "signal"), message, row.signal)
        _valid_signal(document, at, message, row)
        if row.channel in channels:
            raise document.mistake((*at, "channel"), f'= "{row.channel}" is mapped twice', value=row.channel)
        _unit(document, at, message, row)
        channels.add(row.channel)
        yield row


def _unit(document: Document, at: KeyPath, message: DbcMessage, row: SignalRow) -> None:
    """Raise `BenchFileError` if the DBC's unit is not the row's."""
    text = message.unit(row.signal)
    if row.dbc_unit is not None:
        if row.dbc_unit.strip() != text.strip():
            what = f'= "{row.dbc_unit}" while {row.message}.{row.signal} is in "{text}"'
            raise document.mistake((*at, "dbc_unit"), what, value=row.dbc_unit, bound=text, hint="copy the DBC's text")
        return
    scaled, enumerated = (row.scale, row.offset) != (1.0, 0.0), bool(message.words(row.signal))
    if wrong := find_unit_error(text, row.unit, scaled=scaled, enumerated=enumerated):
        what = f'= "{row.unit}" while {row.message}.{row.signal} {wrong[0]}'
        raise document.mistake((*at, "unit"), what, value=row.unit, bound=text, hint=wrong[1])


def _members(document: Document, number: int, family: FamilyRow) -> list[SignalRow]:
    first, last = family.numbers
    at: KeyPath = ("signals", number)
    if first > last:
        raise document.mistake((*at, "numbers"), f"= [{first}, {last}] is not a range of numbers", value=family.numbers)
    try:
        return list(family.members())
    except (LookupError, ValueError) as error:
        names = f"{family.channel}, {family.message}, {family.signal}"
        raise document.mistake(at, f"has a brace that is neither {{n}} nor {{m}}: {names}", value=names) from error


def _check_requests(document: Document, file: DutFile, messages: dict[str, DbcMessage], channels: set[str]) -> None:
    if file.heartbeat is not None:
        _message(document, ("heartbeat", "message"), messages, file.heartbeat.message)
    request = _message(document, ("request", "message"), messages, file.request.message)
    for key in ("signal", "reset_signal", "balance_signal"):
        if (name := getattr(file.request, key)) is not None:
            _signal(document, ("request", key), request, name)
    last = _message(document, ("last_request", "message"), messages, file.last_request.message)
    _signal(document, ("last_request", "signal"), last, file.last_request.signal)
    values = {key: value for key in ("none", "open", "close") if (value := getattr(file.request, key)) is not None}
    for key, value in values.items():
        _carried(document, ("request", key), request, file.request.signal, value)
    _carried(document, ("last_request", "open"), last, file.last_request.signal, file.last_request.open)
    if len(set(values.values())) < len(values):
        hint = "remove none if the device has no such value"
        what = "has the same value for two of none, open and close"
        raise document.mistake(("request",), what, bound="three values", hint=hint)
    for at, channel in (
        (("verify", "channel"), file.verify.channel),
        (("arming", "state_channel"), file.arming.state_channel),
    ):
        if channel not in channels:
            raise document.mistake(
                at, f'= "{channel}" is not a mapped channel', value=channel, hint="map it to a signal"
            )


def _message(document: Document, at: KeyPath, messages: dict[str, DbcMessage], name: str) -> DbcMessage:
    if name not in messages:
        known = ", ".join(messages)
        raise document.mistake(at, f'= "{name}" is not a message of the DBC', value=name, bound=known)
    return messages[name]


def _signal(document: Document, at: KeyPath, message: DbcMessage, name: str) -> None:
    if name not in message.signals:
        known = ", ".join(message.signals)
        raise document.mistake(at, f'= "{name}" is not a signal of {message.name}', value=name, bound=known)


def _valid_signal(document: Document, at: KeyPath, message: DbcMessage, row: SignalRow) -> None:
    """Raise `BenchFileError` unless every frame that carries the value carries its flag too."""
    flag = row.valid_signal
    if flag is None:
        return
    _signal(document, (*at, "valid_signal"), message, flag)
    _carried(document, (*at, "valid"), message, flag, row.valid)
    if () not in message.pages(flag) and not message.pages(row.signal) <= message.pages(flag):
        what, hint = f'= "{flag}" is on another page than {row.signal}', "name the flag on the same page"
        raise document.mistake((*at, "valid_signal"), what, value=flag, hint=hint)


def _carried(document: Document, at: KeyPath, message: DbcMessage, signal: str, value: float) -> None:
    if not message.carries(signal, value):
        raise document.mistake(at, f"= {value:g} does not fit into {message.name}.{signal}", value=value)
