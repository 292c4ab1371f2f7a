"""The door to cantools: messages of a DBC file as typed functions of bytes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, cast

from drivers.errors import BenchFileError
from drivers.frameproof import Protection

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BITS_PER_BYTE = 8
EXACT = 1e-6  # of a raw step


class Message:
    """One message of a DBC: its signals in the DBC's physical units."""

    def __init__(self, message: Any, protection: Protection | None) -> None:
        self._message = message
        self.name: str = message.name
        self.id: int = message.frame_id
        self.extended: bool = message.is_extended_frame
        self.length: int = message.length  # bytes
        self.signals: tuple[str, ...] = tuple(signal.name for signal in message.signals)
        self.cycle_s: float | None = message.cycle_time / 1000 if message.cycle_time else None
        self.protection = protection

    def unit(self, signal: str) -> str:
        return self._message.get_signal_by_name(signal).unit or ""

    def words(self, signal: str) -> dict[int, str]:
        """The value table of `signal`, empty without one."""
        choices = cast("dict[int, object]", self._message.get_signal_by_name(signal).choices or {})
        return {number: str(said) for number, said in choices.items()}

    def turns(self, signal: str) -> int:
        """Frames of this message until each has come that carries `signal`: more than one where it is multiplexed."""
        coded = self._message.get_signal_by_name(signal)
        if not coded.multiplexer_ids:
            return 1
        return len({turn for other in self._message.signals for turn in other.multiplexer_ids or ()})

    def carries(self, signal: str, value: float) -> bool:
        """Whether the bits of `signal` can say exactly `value`."""
        coded = self._message.get_signal_by_name(signal)
        raw = (value - coded.offset) / coded.scale
        low, high = (-1 << coded.length - 1, 1 << coded.length - 1) if coded.is_signed else (0, 1 << coded.length)
        return low <= round(raw) < high and abs(raw - round(raw)) < EXACT

    def decode(self, payload: bytes) -> Mapping[str, float]:
        """Physical value per signal, of a multiplexed message those that came; raises `ValueError` if too short."""
        try:
            return cast("Mapping[str, float]", self._message.decode(payload, decode_choices=False))
        except Exception as error:  # cantools raises errors of its own and of bitstruct
            raise ValueError(f"{self.name}: {error}") from error

    def encode(self, values: Mapping[str, float], counter: int = 0) -> bytes:
        """The payload with `values` (others 0), sealed with its counter and checksum when it is protected."""
        payload = bytes(self._message.encode({name: values.get(name, 0) for name in self.signals}, strict=False))
        return payload if self.protection is None else self.protection.sealed(self.id, payload, counter)

    def bits(self, signal: str, value: float) -> tuple[int, int]:
        """Mask and value by which the little-endian number of a payload says that `signal` is `value`."""
        coded = self._message.get_signal_by_name(signal)
        nothing = dict.fromkeys(self.signals, 0)
        ones = -1 if coded.is_signed else (1 << coded.length) - 1
        masked, said = (
            self._message.encode({**nothing, signal: raw}, scaling=False, strict=False)
            for raw in (ones, round((value - coded.offset) / coded.scale))
        )
        return int.from_bytes(masked, "little"), int.from_bytes(said, "little")

    def protected_by(self, counter: str, checksum: str) -> Message:
        """The same message under that rule; raises `ValueError` where its signals do not lie as the rule needs."""
        count, check = (self._message.get_signal_by_name(name) for name in (counter, checksum))
        if check.length != BITS_PER_BYTE or check.start % BITS_PER_BYTE:
            raise ValueError(f"{self.name}.{checksum} is not one whole byte")
        if "big_endian" in {count.byte_order, check.byte_order}:
            raise ValueError(f"{self.name} has its counter or checksum big-endian")
        return Message(self._message, Protection(count.start, count.length, check.start // BITS_PER_BYTE))


class Dbc:
    """The messages of a DBC file by name, and the SHA-256 of the file."""

    def __init__(self, path: Path) -> None:
        """Raise `BenchFileError` when the file is missing or no DBC."""
        import cantools.database  # noqa: PLC0415  # 0.3 s that only a process with a bus pays

        try:
            raw = path.read_bytes()
            database = cantools.database.load_string(raw.decode("cp1252", "replace"), "dbc")
        except Exception as error:  # cantools raises errors of its own and of textparser
            raise BenchFileError(f"is no DBC file: {error}", where=str(path), hint="name another file") from error
        self.hash = hashlib.sha256(raw).hexdigest()
        self.messages = {message.name: Message(message, None) for message in cast("Any", database).messages}
