"""Numbers in seven bits a byte, lowest first: lengths of MQTT packets (3.1.1, 2.2.3) and of protobuf fields."""

from __future__ import annotations

from typing import Final

MORE: Final = 0x80  # the bit of a byte that says that more follow
_ONE_BYTE: Final = tuple(bytes([number]) for number in range(MORE))


def encode_varint(number: int) -> bytes:
    """Encode a number that is not negative."""
    if number < MORE:
        return _ONE_BYTE[number]
    found = bytearray()
    while number >= MORE:
        found.append(number & 0x7F | MORE)
        number >>= 7
    found.append(number)
    return bytes(found)
