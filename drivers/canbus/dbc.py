"""The door to cantools: messages of a DBC file as typed functions of bytes."""

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
        """The value table of `signal`, empty without one."""
        choices = cast("dict[int, object]", self._message.get_signal_by_name(signal).choices or {})
        return {number: str(said) for number, said in choices.items()}

    def pages(self, signal: str) -> frozenset[Page]:
        """The pages of this message that carry `signal`."""
        return self.layout.fields[signal].pages

    def carries(self, signal: str, value: float) -> bool:
        """Whether the bits of `signal` can say exactly `value`."""
        field = self.layout.fields[signal]
        return math.isfinite(value) if field.floating else field.step(value) is not None

    def decode(self, payload: bytes) -> Mapping[str, float]:
        """Physical value of each signal that `payload` carries; what it lacks is absent."""
        return self.layout.read(payload)

    def oddity(self, payload: bytes) -> str:
        """What of `payload` cannot be read, empty where all can."""
        return self.layout.oddity(payload, self.length)

    def encode(self, values: Mapping[str, float], counter: int = 0) -> bytes:
        """The payload with `values`, on their page, sealed with its counter and checksum when it is protected.

        The others are 0, or no bits where 0 lies beyond them. Raises `ValueError` where it cannot say `values`.
        """
        try:
            payload = self.layout.written(values).to_bytes(self.length, "little")
        except (OverflowError, ValueError) as error:
            raise ValueError(f"{self.name}: {error}") from error
        return payload if self.protection is None else self.protection.protect(self.id, payload, counter)

    def bits(self, signal: str, value: float) -> tuple[int, int]:
        """Mask and value by which the little-endian number of a payload says that `signal` is `value`.

        The bits of its page are among them. Raises `ValueError` for a value that no bits say exactly.
        """
        raw = self.layout.fields[signal].step(value)
        if raw is None:
            raise ValueError(f"{self.name}.{signal} = {value:g} cannot be compared bit by bit")
        return self.layout.bits(signal, raw)

    def protected_by(self, counter: str, checksum: str) -> DbcMessage:
        """The same message under that rule; raises `ValueError` where its signals do not lie as the rule needs."""
        count, check = (self.layout.fields[name] for name in (counter, checksum))
        if check.length != BITS_PER_BYTE or check.start % BITS_PER_BYTE:
            raise ValueError(f"{self.name}.{checksum} is not one whole byte")
        if count.big_endian or check.big_endian:
            raise ValueError(f"{self.name} has its counter or checksum big-endian")
        if count.selected_by or check.selected_by:
            raise ValueError(f"{self.name} has its counter or checksum on one page only")
        if count.overlaps(check) or max(count.octets, check.octets) > self.length:
            raise ValueError(f"{self.name} has no place of their own for counter and checksum")
        rule = E2EProfile(count.start, count.length, check.start // BITS_PER_BYTE)
        return DbcMessage(self._message, rule, (counter, checksum))


class Dbc:
    """The messages of a DBC file by name, and the SHA-256 of the file.

    Loaded leniently: what nobody maps may overlap, repeat or reach beyond its message. `twice`: names that more than
    one message has, of which `messages` has the first.
    """

    def __init__(self, path: Path) -> None:
        """Raise `BenchFileError` when the file is missing, of a coding that no DBC has, or no DBC."""
        import cantools.database  # noqa: PLC0415  # 0.3 s that only a process with a bus pays

        logging.getLogger("cantools").setLevel(logging.ERROR)  # repeated names are told where they matter
        try:
            raw = path.read_bytes()
            text = decode_text(raw)
        except OSError as error:
            raise BenchFileError(f"cannot be read: {error.strerror}", where=str(path), hint="name another") from error
        except ValueError as error:
            raise BenchFileError(f"is {error}", where=str(path), bound="UTF-8", hint="save it as UTF-8") from error
        try:
            database = cantools.database.load_string(text, "dbc", strict=False)
        except Exception as error:  # cantools raises errors of its own and of textparser
            raise BenchFileError(f"is no DBC file: {error}", where=str(path), hint="name another file") from error
        self.hash = hashlib.sha256(raw).hexdigest()
        self.messages: dict[str, DbcMessage] = {}
        self.twice: set[str] = set()
        for message in cast("Any", database).messages:
            if message.name in self.messages:
                self.twice.add(message.name)
            else:
                self.messages[message.name] = DbcMessage(message, None)
