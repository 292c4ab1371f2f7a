"""Checks of a map against its DBC: each message, signal and value that a row or a request names exists and fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers.benchfile.validation import suggest
from drivers.canbus.units import find_unit_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drivers.benchfile.document import Document, KeyPath
    from drivers.canbus.dbc import DbcMessage
    from drivers.canbus.dut_map import DutFile, FamilyRow, SignalRow
    from drivers.mistakes import Mistakes


def protect(
    document: Document, file: DutFile, known: Mapping[str, DbcMessage], found: Mistakes
) -> dict[str, DbcMessage]:
    """Return the messages of the DBC, with counter and checksum where the map says that a message has them."""
    messages = dict(known)
    for number, rule in enumerate(file.protected):
        for place, name in enumerate(rule.messages):
            at: KeyPath = ("protected", number, "messages", place)
            with found.collect():
                message = _message(document, at, messages, name)
                for key, signal in (("counter", rule.counter), ("checksum", rule.checksum)):
                    _signal(document, ("protected", number, key), message, signal)
                try:
                    messages[name] = message.protected_by(rule.counter, rule.checksum)
                except ValueError as error:
                    raise document.mistake(at, f"cannot be protected: {error}", value=name) from error
    return messages


def check_rows(
    document: Document, file: DutFile, messages: dict[str, DbcMessage], found: Mistakes
) -> Iterator[SignalRow]:
    """Yield each row that is right; a mistake of a family of rows is told for its first member only."""
    channels: set[str] = set()
    for place, row in enumerate(file.signal):
        with found.collect():
            yield _check_row(document, ("signal", place), row, messages, channels)
    for place, family in enumerate(file.signals):
        with found.collect():
            for row in _members(document, place, family):
                yield _check_row(document, ("signals", place), row, messages, channels)


def _check_row(
    document: Document, at: KeyPath, row: SignalRow, messages: dict[str, DbcMessage], channels: set[str]
) -> SignalRow:
    """Return the row and add its channel to `channels`; raise `BenchFileError` for a mistake in it."""
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
    return row


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


def check_heartbeat(document: Document, file: DutFile, messages: dict[str, DbcMessage]) -> None:
    """Raise `BenchFileError` for a heartbeat that the DBC lacks."""
    if file.heartbeat is not None:
        _message(document, ("heartbeat", "message"), messages, file.heartbeat.message)


def check_request(document: Document, file: DutFile, messages: dict[str, DbcMessage]) -> None:
    """Raise `BenchFileError` for a request that the DBC lacks or cannot carry."""
    request = _message(document, ("request", "message"), messages, file.request.message)
    for key in ("signal", "reset_signal", "balance_signal"):
        if (name := getattr(file.request, key)) is not None:
            _signal(document, ("request", key), request, name)
    values = {key: value for key in ("none", "open", "close") if (value := getattr(file.request, key)) is not None}
    for key, value in values.items():
        _carried(document, ("request", key), request, file.request.signal, value)
    if len(set(values.values())) < len(values):
        hint = "remove none if the device has no such value"
        what = "has the same value for two of none, open and close"
        raise document.mistake(("request",), what, bound="three values", hint=hint)


def check_last_request(document: Document, file: DutFile, messages: dict[str, DbcMessage]) -> None:
    """Raise `BenchFileError` for a request of the guard that the DBC lacks or cannot carry."""
    last = _message(document, ("last_request", "message"), messages, file.last_request.message)
    _signal(document, ("last_request", "signal"), last, file.last_request.signal)
    _carried(document, ("last_request", "open"), last, file.last_request.signal, file.last_request.open)


def check_channels(document: Document, file: DutFile, rows: Sequence[SignalRow], found: Mistakes) -> None:
    """Add a mistake for each channel that the map names elsewhere and no row fills, unless rows are wrong too."""
    channels = {row.channel for row in rows}
    for at, channel in (
        (("verify", "channel"), file.verify.channel),
        (("arming", "state_channel"), file.arming.state_channel),
    ):
        if channel not in channels and channel not in {row.channel for row in file.signal}:
            what, hint = f'= "{channel}" is not a mapped channel', "map it to a signal"
            found.add(document.mistake(at, what, value=channel, hint=hint))


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


def _message(document: Document, at: KeyPath, messages: dict[str, DbcMessage], name: str) -> DbcMessage:
    if name not in messages:
        known, hint = ", ".join(messages), suggest(name, messages, "messages")
        raise document.mistake(at, f'= "{name}" is not a message of the DBC', value=name, bound=known, hint=hint)
    return messages[name]


def _signal(document: Document, at: KeyPath, message: DbcMessage, name: str) -> None:
    if name not in message.signals:
        known, hint = ", ".join(message.signals), suggest(name, message.signals, "signals")
        raise document.mistake(at, f'= "{name}" is not a signal of {message.name}', value=name, bound=known, hint=hint)


def _carried(document: Document, at: KeyPath, message: DbcMessage, signal: str, value: float) -> None:
    if not message.carries(signal, value):
        raise document.mistake(at, f"= {value:g} does not fit into {message.name}.{signal}", value=value)
