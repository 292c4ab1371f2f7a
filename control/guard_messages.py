"""Messages that engine and client send to the guard: one byte for the kind, for some a number, then the content.

The guard answers a numbered message under its number, at once, even while a sequence runs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

TICK: Final = b"t"
ARMED: Final = b"a"  # numbered; answered with an `ArmAnswer`
DISARMED: Final = b"d"  # numbered; answered with an `ArmAnswer`
RESET: Final = b"r"  # numbered, then the reason; answered with a `ResetAnswer`
TRIP: Final = b"x"  # then the reason
MARK: Final = (
    b"m"  # then bytes for the first TCP connection; the engine uses them to prove that the instrument accepts it
)
QUIT: Final = b"q"
HEARTBEAT: Final = b"h"
OFF: Final = b"o"  # numbered; answered with `OffReceived`, later with the number in a `TripReport`
BYE: Final = b"b"


class Numbered(NamedTuple):
    """A message of a numbered kind; `number` is 0 where the sender needs no answer of its own."""

    kind: bytes
    number: int
    text: str


def encode(kind: bytes, number: int, text: str = "") -> bytes:
    """Encode a numbered message."""
    return kind + str(number).encode() + b" " + text.encode()


def decode(message: bytes) -> Numbered:
    """Decode a numbered message; one without a number has number 0."""
    kind, rest = message[:1], message[1:]
    digits, _, text = rest.partition(b" ")
    number, text = (int(digits), text) if digits.isdigit() else (0, rest)
    return Numbered(kind, number, text.decode(errors="replace"))
