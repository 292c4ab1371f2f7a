"""What engine and client send to the guard: one byte for the kind, for some a number, then what belongs to it.

The guard answers a numbered message under its number, at once, whatever else it does at that moment.
"""

from __future__ import annotations

from typing import Final, NamedTuple

TICK: Final = b"t"
ARMED: Final = b"a"  # numbered; answered with `armed`
DISARMED: Final = b"d"  # numbered; answered with `disarmed`
RESET: Final = b"r"  # numbered, and the reason behind it; answered with `ready` or `latched`
TRIP: Final = b"x"  # and the reason behind it
MARK: Final = b"m"  # and bytes for the first connection behind it, by which the engine proves that it is taken
QUIT: Final = b"q"
HEARTBEAT: Final = b"h"
OFF: Final = b"o"  # numbered; answered with `received`, and by the number in the report on what was verified
BYE: Final = b"b"


class Numbered(NamedTuple):
    """A message of a numbered kind; `number` is 0 where the sender wants no answer of its own."""

    kind: bytes
    number: int
    text: str


def encode(kind: bytes, number: int, text: str = "") -> bytes:
    """A numbered message as bytes."""
    return kind + str(number).encode() + b" " + text.encode()


def decode(message: bytes) -> Numbered:
    """A numbered message from bytes; one without a number has number 0."""
    kind, rest = message[:1], message[1:]
    digits, _, text = rest.partition(b" ")
    number, text = (int(digits), text) if digits.isdigit() else (0, rest)
    return Numbered(kind, number, text.decode(errors="replace"))
