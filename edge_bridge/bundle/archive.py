"""The file form: a ZIP (APPNOTE 6.3.10) in one fixed form: stored, sorted, no dates, no extras, no comments.

The reader reads the local entries that the file must begin with, writes them again and compares: data hidden in
headers, between entries or after the end differ from that. Nothing is ever decompressed.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

from drivers.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES: Final = 8 * 2**20  # bytes of the whole file; a bundle of 24 cells has about one million
MAX_MEMBERS: Final = 64
MEMBER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(/[A-Za-z0-9][A-Za-z0-9._-]{0,79}){0,3}")

_LOCAL: Final = struct.Struct("<4s5H3I2H")  # APPNOTE 4.3.7
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")  # 4.3.12
_END: Final = struct.Struct("<4s4H2IH")  # 4.3.16
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION: Final = 20
_EPOCH: Final = (0, 0x21)  # 00:00, 1 January 1980: the first date that a ZIP can hold


def pack(members: Mapping[str, bytes]) -> bytes:
    """Pack `members` into one file; raise `BundleRefused` for names or sizes that no bundle may have."""
    if reason := _check_names(members):
        raise BundleRefused(reason, key="not_a_bundle", hint="rename the member")
    body, directory = bytearray(), bytearray()
    for name, data in sorted(members.items()):
        header = (_VERSION, 0, 0, *_EPOCH, zlib.crc32(data), len(data), len(data), len(name), 0)
        directory += _CENTRAL.pack(_CENTRAL_MARK, _VERSION, *header, 0, 0, 0, 0, len(body)) + name.encode()
        body += _LOCAL.pack(_LOCAL_MARK, *header) + name.encode() + data
    count = len(members)
    packed = bytes(body + directory + _END.pack(_END_MARK, 0, 0, count, count, len(directory), len(body), 0))
    if len(packed) > MAX_BYTES:
        raise _make_too_large_error(f"{len(packed)} bytes", f"{MAX_BYTES} bytes")
    return packed


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the members of a bundle; raise `BundleRefused` (too_large, not_a_bundle, changed)."""
    if len(data) > MAX_BYTES:
        raise _make_too_large_error(f"{len(data)} bytes", f"{MAX_BYTES} bytes")
    if not data.startswith(_LOCAL_MARK):
        raise BundleRefused(
            "is not a bundle: it does not begin like one", key="not_a_bundle", hint="name a bundle file"
        )
    members = _read_entries(data)
    if reason := _check_names(members):
        raise BundleRefused(reason, key="not_a_bundle", hint="build it again with this version")
    if pack(members) != data:
        raise _make_changed_error(
            "its archive is not in the form of a bundle: headers, order, checksums or data after the end"
        )
    return members


def _read_entries(data: bytes) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    offset = 0
    while data.startswith(_LOCAL_MARK, offset):
        if len(members) == MAX_MEMBERS:
            raise _make_too_large_error(f"more than {MAX_MEMBERS} members", f"{MAX_MEMBERS} members")
        if len(data) < offset + _LOCAL.size:
            raise _make_changed_error("it is truncated")
        *_, method, _time, _date, _crc, size, _whole, name_length, extra = _LOCAL.unpack_from(data, offset)
        if method:
            raise _make_changed_error("a member is compressed")
        begins = offset + _LOCAL.size + name_length + extra
        offset, ends = begins + size, begins - extra
        if offset > len(data):
            raise _make_changed_error(f"a member declares {size} bytes, {max(0, len(data) - begins)} are there")
        name = data[ends - name_length : ends].decode("latin-1")
        if name in members:
            raise _make_changed_error(f"member {name!r} occurs twice")
        members[name] = data[begins:offset]
    return members


def _check_names(members: Mapping[str, bytes]) -> str:
    """Return why these names cannot be unpacked into a folder on any system."""
    if not 0 < len(members) <= MAX_MEMBERS:
        return f"has {len(members)} members, a bundle has 1 to {MAX_MEMBERS}"
    for name in members:
        if not MEMBER_NAME.fullmatch(name):
            return f"has a member named {name[:100]!r}"
    lower = [name.lower() for name in members]
    folders = {name[:at] for name in lower for at, letter in enumerate(name) if letter == "/"}
    if len(set(lower)) < len(lower) or folders & set(lower):
        return "has two members whose file names conflict"
    return ""


def _make_changed_error(why: str) -> BundleRefused:
    return BundleRefused(f"was changed: {why}", key="changed", hint="copy it again from where it was built")


def _make_too_large_error(value: str, bound: str) -> BundleRefused:
    return BundleRefused(f"is too large: {value}", key="too_large", value=value, bound=bound, hint="name a bundle file")
