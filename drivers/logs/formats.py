"""The format of a file by its first bytes, not by its suffix; binary formats that are not read are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.logs.delimited import open_delimited
from drivers.logs.table import Table, refuse_log
from drivers.regular_file import open_regular
from drivers.text_encoding import decode_any, find_wide_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LONGEST_TEXT: Final = 2_000_000_000  # bytes of a text that is read at once
_CSV: Final = "export it as CSV, Parquet or Excel"
_UNPACK: Final = "unpack it and name the file inside"
_HEAD: Final = 4096  # bytes that tell text from binary


@dataclass(frozen=True, slots=True)
class Unread:
    """A format that is not read: what it is called, and what to do."""

    name: str
    hint: str


UNREAD: Final[tuple[tuple[int, bytes, Unread], ...]] = (  # where in the file, what stands there
    (0, b"\x89HDF\r\n\x1a\n", Unread("HDF5, as MATLAB 7.3 writes it", "save it with save -v7, or export it as CSV")),
    (4, b"Standard Jet DB", Unread("an Arbin .res database", _CSV)),
    (4, b"Standard ACE DB", Unread("an Access database", _CSV)),
    (0, b"SQLite format 3\0", Unread("an SQLite database", _CSV)),
    (0, b"LOGG", Unread("a Vector BLF log of CAN frames", "decode it and export the signals as MDF4 or CSV")),
    (0, b"TDSm", Unread("a LabVIEW TDMS file", _CSV)),
    (0, b"\x1f\x8b", Unread("a gzip archive", _UNPACK)),
    (0, b"BZh", Unread("a bzip2 archive", _UNPACK)),
    (0, b"\xfd7zXZ\0", Unread("an xz archive", _UNPACK)),
    (0, b"\x28\xb5\x2f\xfd", Unread("a zstd archive", _UNPACK)),
    (0, b"7z\xbc\xaf\x27\x1c", Unread("a 7z archive", _UNPACK)),
    (0, b"Rar!\x1a\x07", Unread("a RAR archive", _UNPACK)),
    (257, b"ustar", Unread("a tar archive", _UNPACK)),
    (0, b"%PDF", Unread("a PDF", _CSV)),
    (0, b"\x93NUMPY", Unread("a NumPy array without names of columns", _CSV)),
    (0, b"\x80\x04\x95", Unread("a Python pickle, which could run code", _CSV)),
    (0, b"\x80\x03", Unread("a Python pickle, which could run code", _CSV)),
    (0, b"ORC", Unread("an ORC file", _CSV)),
    (0, b"Obj\x01", Unread("an Avro file", _CSV)),
    (0, b"\x7fELF", Unread("a program", "name the log")),
    (0, b"\x89PNG", Unread("a picture", "name the log")),
)
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_table(path: Path, given: Mapping[str, str]) -> Table:
    """Return the table that a file holds; `given` are the columns that the user names.

    Raise `LogError` for a file that cannot be read or whose format is not read, `PackageMissing` for a format whose
    reader is not installed.
    """
    head = _read_head(path)
    if not head:
        raise refuse_log(path, "is empty", "export the log again")
    for place, mark, unread in UNREAD:
        if head[place : place + len(mark)] == mark:
            raise refuse_log(path, f"is {unread.name}: that format is not read", unread.hint)
    return _open_binary(path, head, given) or open_delimited(path, _read_text(path, head), given)


def _open_binary(path: Path, head: bytes, given: Mapping[str, str]) -> Table | None:
    """Return the table of a binary format, None for a file that is none of them."""
    from drivers.logs import columnar, matlab, measurement, spreadsheet, vendor_binaries  # noqa: PLC0415  # one is used

    if head.startswith(_ZIP) and path.suffix.lower() == ".ndax":  # a zip archive, as a workbook is
        return vendor_binaries.open_neware(path)
    readers: dict[tuple[bytes, ...], Callable[[], Table]] = {
        (b"PAR1",): lambda: columnar.open_columnar(path, arrow=False),
        (b"ARROW1",): lambda: columnar.open_columnar(path, arrow=True),
        (b"MDF     ", b"UnFinMF "): lambda: measurement.open_measurement(path),
        (b"MATLAB 5.0", b"MATLAB 7."): lambda: matlab.open_matlab(path),
        (b"BIO-LOGIC MODULAR FILE",): lambda: vendor_binaries.open_biologic(path),
        (b"NEWARE",): lambda: vendor_binaries.open_neware(path),
        (_ZIP, _OLE): lambda: spreadsheet.open_spreadsheet(path, given),
    }
    return next((read() for marks, read in readers.items() if head.startswith(marks)), None)


def _read_head(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(_HEAD)
    except OSError as error:
        raise refuse_log(path, f"cannot be read: {error.strerror or error}", "name a file that can be read") from error


def _read_text(path: Path, head: bytes) -> str:
    """Return the text of a file in UTF-8, UTF-16, UTF-32 or Windows-1252; raise `LogError` for binary content."""
    wide = find_wide_encoding(head)
    if not wide and _is_binary(head):
        raise refuse_log(path, "is binary, in a format that is not known", _CSV)
    with open_regular(path) as file:
        raw = file.read(LONGEST_TEXT + 1)
    if len(raw) > LONGEST_TEXT:
        raise refuse_log(path, f"is a text of more than {LONGEST_TEXT} bytes", "save it as Parquet", bound=LONGEST_TEXT)
    try:
        return decode_any(raw)
    except UnicodeDecodeError as error:
        if wide:
            raise refuse_log(path, "is binary, or text in an encoding that is not known", _CSV) from error
        return raw.decode("cp1252", errors="replace")


def _is_binary(head: bytes) -> bool:
    """Return whether the first bytes hold control characters that no text has."""
    odd = sum(byte < ord(" ") and byte not in b"\t\n\r\f\x1a" for byte in head)
    return b"\0" in head or odd > len(head) // 100
