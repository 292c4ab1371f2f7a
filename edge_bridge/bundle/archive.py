"""The file form: a ZIP (APPNOTE 6.3.10) with one spelling alone: stored, sorted, no dates, no extras, no comments.

It is read as the row of local entries that it must begin with, then written anew and compared: whatever an archive
could hide in its headers, between its entries or behind its end differs. Nothing is ever decompressed.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

from drivers.errors import BundleRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_FILE: Final = 8 * 2**20  # octets of the whole file; a bundle of 24 cells has about one million
MAX_MEMBERS: Final = 64
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}(/[A-Za-z0-9][A-Za-z0-9._-]{0,79}){0,3}")

_LOCAL: Final = struct.Struct("<4s5H3I2H")  # APPNOTE 4.3.7
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")  # 4.3.12
_END: Final = struct.Struct("<4s4H2IH")  # 4.3.16
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION: Final = 20
_DAY_ONE: Final = (0, 0x21)  # 00:00, 1 January 1980: the first that a ZIP can say


def packed(members: Mapping[str, bytes]) -> bytes:
    """The one file that holds `members`; raises `BundleRefused` for names or sizes that no bundle may have."""
    if reason := _misnamed(members):
        raise BundleRefused(reason, key="not_a_bundle", hint="rename the member")
    body, directory = bytearray(), bytearray()
    for name, octets in sorted(members.items()):
        said = (_VERSION, 0, 0, *_DAY_ONE, zlib.crc32(octets), len(octets), len(octets), len(name), 0)
        directory += _CENTRAL.pack(_CENTRAL_MARK, _VERSION, *said, 0, 0, 0, 0, len(body)) + name.encode()
        body += _LOCAL.pack(_LOCAL_MARK, *said) + name.encode() + octets
    count = len(members)
    data = bytes(body + directory + _END.pack(_END_MARK, 0, 0, count, count, len(directory), len(body), 0))
    if len(data) > MAX_FILE:
        raise _too_large(f"{len(data)} octets", f"{MAX_FILE} octets")
    return data


def unpacked(data: bytes) -> dict[str, bytes]:
    """The members of a bundle; raises `BundleRefused` (too_large, not_a_bundle, changed)."""
    if len(data) > MAX_FILE:
        raise _too_large(f"{len(data)} octets", f"{MAX_FILE} octets")
    if not data.startswith(_LOCAL_MARK):
        raise BundleRefused("is no bundle: it does not begin like one", key="not_a_bundle", hint="name a bundle file")
    members = _entries(data)
    if reason := _misnamed(members):
        raise BundleRefused(reason, key="not_a_bundle", hint="no bundle of ours names a member so")
    if packed(members) != data:
        raise _changed("its archive is not spelled as a bundle's: headers, order, checksums or what is behind the end")
    return members


def _entries(data: bytes) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    at = 0
    while data.startswith(_LOCAL_MARK, at):
        if len(members) == MAX_MEMBERS:
            raise _too_large(f"more than {MAX_MEMBERS} members", f"{MAX_MEMBERS} members")
        if len(data) < at + _LOCAL.size:
            raise _changed("it is cut short")
        *_, method, _time, _date, _crc, size, _whole, name_length, extra = _LOCAL.unpack_from(data, at)
        if method:
            raise _changed("a member is compressed")
        begins = at + _LOCAL.size + name_length + extra
        at, ends = begins + size, begins - extra
        if at > len(data):
            raise _changed(f"a member claims {size} octets, {max(0, len(data) - begins)} are there")
        name = data[ends - name_length : ends].decode("latin-1")
        if name in members:
            raise _changed(f"{name!r} is there twice")
        members[name] = data[begins:at]
    return members


def _misnamed(members: Mapping[str, bytes]) -> str:
    """Why these names cannot be unpacked into a folder on any system."""
    if not 0 < len(members) <= MAX_MEMBERS:
        return f"has {len(members)} members, a bundle has 1 to {MAX_MEMBERS}"
    for name in members:
        if not NAME.fullmatch(name):
            return f"has a member named {name[:100]!r}"
    lower = [name.lower() for name in members]
    folders = {name[:at] for name in lower for at, letter in enumerate(name) if letter == "/"}
    if len(set(lower)) < len(lower) or folders & set(lower):
        return "has two members that would be one file"
    return ""


def _changed(why: str) -> BundleRefused:
    return BundleRefused(f"was changed: {why}", key="changed", hint="fetch it anew from where it was built")


def _too_large(value: str, bound: str) -> BundleRefused:
    return BundleRefused(f"is too large: {value}", key="too_large", value=value, bound=bound, hint="no bundle is")
