"""The only use of cantools: messages of a DBC file as typed functions of bytes."""

from __future__ import annotations

import hashlib
import logging
import math
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.canbus.dbc_text import decode_text
from drivers.canbus.message_layout import BITS_PER_BYTE, MessageLayout
from drivers.e2e import E2EProfile
from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drivers.canbus.message_layout import Page

CLASSIC_BYTES: Final = 8  # of data in a frame of classic CAN


class DbcMessage:
    """One message of a DBC: its signals in the DBC's physical units."""

    def __init__(self, message: Any, protection: E2EProfile | None, proven_by: tuple[str, ...] = ()) -> None:
        """`proven_by`: the signals of `protection`."""
        self._message = message
        self.name: str = message.name
        self.id: int = message.frame_id
        self.extended: bool = message.is_extended_frame
        self.length: int = message.length  # bytes
        self.layout: Final = MessageLayout(message.signals)
        self.signals: tuple[str, ...] = tuple(self.layout.fields)
        self.cycle_s: float | None = message.cycle_time / 1000 if message.cycle_time else None
        self.protection = protection
        self.proven_by = proven_by

    def unit(self, signal: str) -> str:
        return self._message.get_signal_by_name(signal).unit or ""

    def words(self, signal: str) -> dict[int, str]:
        """Return the value table of `signal`, empty if it has none."""
        choices = cast("dict[int, object]", self._message.get_signal_by_name(signal).choices or {})
        return {number: str(name) for number, name in choices.items()}

    def pages(self, signal: str) -> frozenset[Page]:
        """Return the pages of this message that carry `signal`."""
        return self.layout.fields[signal].pages

    def carries(self, signal: str, value: float) -> bool:
        """Return whether the bits of `signal` can represent exactly `value`."""
        field = self.layout.fields[signal]
        return math.isfinite(value) if field.floating else field.step(value) is not None

    def decode(self, payload: bytes) -> Mapping[str, float]:
        """Return the physical value of each signal that `payload` carries; other signals are absent."""
        return self.layout.read(payload)

    def oddity(self, payload: bytes) -> str:
        """Return what in `payload` cannot be read, empty if everything can."""
        return self.layout.oddity(payload, self.length)

    def encode(self, values: Mapping[str, float], counter: int = 0) -> bytes:
        """Return the payload with `values` on their page, with counter and checksum if the message is protected.

        Other signals are 0, or have no bits set where their bits cannot represent 0. Raise `ValueError` if the message
        cannot carry `values`.
        """
        try:
            payload = self.layout.written(values).to_bytes(self.length, "little")
        except (OverflowError, ValueError) as error:
            raise ValueError(f"{self.name}: {error}") from error
        return payload if self.protection is None else self.protection.protect(self.id, payload, counter)

    def bits(self, signal: str, value: float) -> tuple[int, int]:
        """Return mask and value of the bits, in the payload as a little-endian number, that mean `signal` = `value`.

        The bits of its page are included. Raise `ValueError` for a value that no bits represent exactly.
        """
        raw = self.layout.fields[signal].step(value)
        if raw is None:
            raise ValueError(f"{self.name}.{signal} = {value:g} cannot be compared bit by bit")
        return self.layout.bits(signal, raw)

    def protected_by(self, counter: str, checksum: str) -> DbcMessage:
        """Return the same message protected by these signals; raise `ValueError` if the rule forbids their layout."""
        count, check = (self.layout.fields[name] for name in (counter, checksum))
        if check.length != BITS_PER_BYTE or check.start % BITS_PER_BYTE:
            raise ValueError(f"{self.name}.{checksum} is not one whole byte")
        if count.big_endian or check.big_endian:
            raise ValueError(f"{self.name} has a big-endian counter or checksum")
        if count.selected_by or check.selected_by:
            raise ValueError(f"{self.name} has its counter or checksum on only one page")
        if count.overlaps(check) or max(count.byte_count, check.byte_count) > self.length:
            raise ValueError(f"{self.name} has no separate bits for counter and checksum")
        rule = E2EProfile(count.start, count.length, check.start // BITS_PER_BYTE)
        return DbcMessage(self._message, rule, (counter, checksum))


class Dbc:
    """The messages of a DBC file by name, and the SHA-256 of the file.

    The file is loaded leniently: signals that no map uses may overlap, repeat or reach beyond their message. `twice`:
    names that more than one message has; `messages` holds the first of them.
    """

    def __init__(self, path: Path) -> None:
        """Load the file; raise `BenchFileError` if it is missing, has an encoding that no DBC has, or is no DBC."""
        import cantools.database  # noqa: PLC0415  # takes 0.3 s, needed only in a process with a bus

        logging.getLogger("cantools").setLevel(logging.ERROR)  # repeated names are reported where they matter
        try:
            raw = path.read_bytes()
            text = decode_text(raw)
        except OSError as error:
            raise BenchFileError(
                f"cannot be read: {error.strerror}", where=str(path), hint="name another file"
            ) from error
        except ValueError as error:
            raise BenchFileError(f"is {error}", where=str(path), bound="UTF-8", hint="save it as UTF-8") from error
        try:
            database = cantools.database.load_string(text, "dbc", strict=False)
        except Exception as error:  # cantools raises its own errors and those of textparser
            raise BenchFileError(f"is not a DBC file: {error}", where=str(path), hint="name another file") from error
        self.hash = hashlib.sha256(raw).hexdigest()
        self.messages: dict[str, DbcMessage] = {}
        self.twice: set[str] = set()
        for message in cast("Any", database).messages:
            if message.name in self.messages:
                self.twice.add(message.name)
            else:
                self.messages[message.name] = DbcMessage(message, None)
