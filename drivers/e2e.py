"""End-to-end protection of a frame: a counter that steps by one, and CRC-8/SAE-J1850 over identifier and payload."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

POLYNOMIAL: Final = 0x1D
START: Final = 0xFF
FINAL_XOR: Final = 0xFF


def _shift_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte << 1) ^ POLYNOMIAL if byte & 0x80 else byte << 1
    return byte & 0xFF


_TABLE: Final = bytes(_shift_byte(byte) for byte in range(256))


def crc8(data: bytes) -> int:
    """Return the CRC-8/SAE-J1850 (AUTOSAR profile "CRC8"), 0x4B for b"123456789"."""
    crc = START
    for byte in data:
        crc = _TABLE[crc ^ byte]
    return crc ^ FINAL_XOR


@dataclass(frozen=True, slots=True)
class E2EProfile:
    """Where a message carries its counter (bits of the little-endian payload) and its checksum (byte)."""

    counter_bit: int
    counter_bits: int
    checksum_byte: int

    @property
    def counter_values(self) -> int:
        """Number of counter values before it wraps."""
        return 1 << self.counter_bits

    def counter(self, payload: bytes) -> int:
        return int.from_bytes(payload, "little") >> self.counter_bit & self.counter_values - 1

    def checksum(self, message_id: int, payload: bytes) -> int:
        """Return the CRC over identifier low byte, identifier high byte and the payload with the checksum byte 0."""
        at = self.checksum_byte
        return crc8(message_id.to_bytes(4, "little")[:2] + payload[:at] + b"\0" + payload[at + 1 :])

    def check(self, message_id: int, payload: bytes) -> bool:
        if len(payload) <= self.checksum_byte:
            return False
        return payload[self.checksum_byte] == self.checksum(message_id, payload)

    def protect(self, message_id: int, payload: bytes, counter: int) -> bytes:
        """Return `payload` with its counter and checksum in place."""
        mask = self.counter_values - 1 << self.counter_bit
        number = int.from_bytes(payload, "little") & ~mask | counter % self.counter_values << self.counter_bit
        sealed = bytearray(number.to_bytes(len(payload), "little"))
        sealed[self.checksum_byte] = self.checksum(message_id, bytes(sealed))
        return bytes(sealed)


@dataclass
class E2EChecker:
    """Checks frames and counts them: `bad` lengths or checksums, `lost` and `repeated` ones by their counters."""

    bad: int = 0
    lost: int = 0
    repeated: int = 0
    _counters: dict[int, int] = field(default_factory=dict[int, int])

    def check(self, protection: E2EProfile | None, message_id: int, payload: bytes, length: int) -> str:
        """Return why a frame that should have `length` bytes is rejected, empty if it is accepted.

        A frame without `protection` is accepted, whatever its length; bytes after `length` are not checked.
        """
        if protection is None:
            return ""
        if len(payload) < length:
            self.bad += 1
            return f"{len(payload)} bytes instead of {length}"
        payload = payload[:length]
        if not protection.check(message_id, payload):
            self.bad += 1
            return "a wrong checksum"
        counter = protection.counter(payload)
        before = self._counters.get(message_id, counter - 1)
        self._counters[message_id] = counter
        steps = (counter - before) % protection.counter_values
        if steps == 0:
            self.repeated += 1
            return "a counter that does not change"
        self.lost += steps - 1
        return ""
