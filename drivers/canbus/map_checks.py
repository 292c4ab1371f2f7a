"""Strict checks of everything that a map uses: unique names and identifiers, bits in place, conclusive verification.

The rest of the DBC is not checked.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from drivers.canbus.dbc import CLASSIC_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drivers.benchfile.document import Document, KeyPath
    from drivers.canbus.dbc import DbcMessage
    from drivers.canbus.dut_map import DutMap, SignalRow
    from drivers.mistakes import Mistakes


def check(document: Document, mapped: DutMap, twice: set[str], found: Mistakes) -> None:
    """Add each mistake, with message and signal, to `found`; `twice`: names that several messages of the DBC have."""
    used = dict(_used(mapped))
    for name, at in used.items():
        with found.collect():
            _check_message(document, at, mapped.messages[name], twice)
    with found.collect():
        _check_identifiers(document, used, mapped.messages)
    for at, name, signals in _sent(mapped):
        with found.collect():
            _check_sent(document, at, mapped.messages[name], signals)
    for at, name, signal in _read(mapped):
        with found.collect():
            _check_signal(document, at, mapped.messages[name], signal)
    with found.collect():
        _check_verify(document, mapped)


def _used(mapped: DutMap) -> Iterator[tuple[str, KeyPath]]:
    """Yield each message that the map names, with the place where it is named last."""
    for at, name, _ in _read(mapped):
        yield name, (*at, "message")
    for at, name, _ in _sent(mapped):
        yield name, (*at, "message")


def _read(mapped: DutMap) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield for each signal mapped to a channel its place in the map, its message and its name."""
    singles = len(mapped.file.signal)
    for number, row in enumerate(mapped.rows[:singles]):
        yield from ((("signal", number), row.message, name) for name in _read_of(row))
    remaining = iter(mapped.rows[singles:])
    for number, family in enumerate(mapped.file.signals):
        for _, row in zip(family.members(), remaining, strict=False):
            yield from ((("signals", number), row.message, name) for name in _read_of(row))


def _read_of(row: SignalRow) -> tuple[str, ...]:
    """Return the signal and the flag beside it."""
    return (row.signal,) if row.valid_signal is None else (row.signal, row.valid_signal)


def _sent(mapped: DutMap) -> Iterator[tuple[KeyPath, str, tuple[str, ...]]]:
    """Yield what is sent: the place in the map, the message, and its signals that carry words."""
    file = mapped.file
    if file.heartbeat is not None:
        yield ("heartbeat",), file.heartbeat.message, ()
    request = file.request
    signals = (request.signal, request.reset_signal, request.balance_signal)
    yield ("request",), request.message, tuple(name for name in signals if name is not None)
    yield ("last_request",), file.last_request.message, (file.last_request.signal,)


def _check_message(document: Document, at: KeyPath, message: DbcMessage, twice: set[str]) -> None:
    if message.name in twice:
        what, hint = f'= "{message.name}" names two messages of the DBC', "rename one of them in the DBC"
        raise document.mistake(at, what, value=message.name, bound="one message", hint=hint)
    if message.length > CLASSIC_BYTES:
        what = f'= "{message.name}" has {message.length} bytes, more than a frame of classic CAN carries'
        hint = "map a message that fits; CAN FD is not supported"
        raise document.mistake(at, what, value=message.length, bound=f"<= {CLASSIC_BYTES} bytes", hint=hint)


def _check_identifiers(document: Document, used: Mapping[str, KeyPath], messages: Mapping[str, DbcMessage]) -> None:
    for one, other in combinations(used, 2):
        first, second = messages[one], messages[other]
        if (first.id, first.extended) == (second.id, second.extended):
            what = f"names {other}, which shares identifier 0x{second.id:X} with {one}, which is mapped too"
            hint = "correct the identifier in the DBC"
            raise document.mistake(used[other], what, value=f"0x{second.id:X}", bound="one message", hint=hint)


def _check_sent(document: Document, at: KeyPath, message: DbcMessage, signals: tuple[str, ...]) -> None:
    """Raise unless the message can carry all `signals`, each one in bits of its own."""
    names = [*dict.fromkeys((*signals, *message.proven_by))]
    for name in names:
        _check_signal(document, at, message, name)
    for one, other in combinations((message.layout.fields[name] for name in names), 2):
        if one.overlaps(other):
            what = f"needs {message.name}.{one.name} and {message.name}.{other.name}, which overlap in their bits"
            raise document.mistake(at, what, value=other.name, bound="separate bits", hint="correct the DBC")
    try:
        message.encode({name: message.layout.fields[name].offset for name in signals})  # no bits set, which always fits
    except ValueError as error:
        raise document.mistake(at, f"cannot be sent: {error}", value=message.name, hint="correct the DBC") from error


def _check_signal(document: Document, at: KeyPath, message: DbcMessage, name: str) -> None:
    where = f"{message.name}.{name}"
    if name in message.layout.twice:
        what, hint = f"maps {where}, which occurs twice in the message", "rename one of them in the DBC"
        raise document.mistake(at, what, value=name, bound="one signal", hint=hint)
    field = message.layout.fields[name]
    if field.byte_count > message.length:
        what = f"maps {where}, which reaches beyond the {message.length} bytes of its message"
        raise document.mistake(
            at, what, value=field.byte_count, bound=f"<= {message.length} bytes", hint="correct the DBC"
        )
    if field.scale == 0.0:
        what = f"maps {where}, whose factor is 0 in the DBC"
        raise document.mistake(at, what, value=0.0, bound="not 0", hint="correct the DBC")


def _check_verify(document: Document, mapped: DutMap) -> None:
    """Raise unless the device itself reports "contactors open", in bits that can be compared, by a value in range."""
    verify, row = mapped.file.verify, mapped.row(mapped.file.verify.channel)
    message, at = mapped.messages[row.message], ("verify", "open")
    where = f"{row.message}.{row.signal}"
    if row.message in {name for _, name, _ in _sent(mapped)}:
        what = f'= "{verify.channel}" is {where}, which the workbench itself sends: that verifies nothing'
        hint = "verify by a signal that the device sends"
        raise document.mistake(("verify", "channel"), what, value=verify.channel, hint=hint)
    if message.layout.fields[row.signal].floating:
        what = f"= {verify.open:g} cannot be compared: {where} is a floating-point number"
        hint = "verify by a flag, a state or another whole number"
        raise document.mistake(at, what, value=verify.open, bound="a whole number", hint=hint)
    if not row.range[0] <= verify.open <= row.range[1]:
        what = f"= {verify.open:g} lies outside the range {list(row.range)} of {verify.channel}"
        raise document.mistake(at, what, value=verify.open, bound=list(row.range), hint="correct one of them")
    if not message.carries(row.signal, (verify.open - row.offset) / row.scale):
        what = f"= {verify.open:g} does not fit into {where}"
        raise document.mistake(at, what, value=verify.open, bound="a step of the signal", hint="correct the value")
