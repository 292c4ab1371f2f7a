"""Times as text, UTC to the second: in files that other programs read, and in the names of folders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

ISO: Final = "%Y-%m-%dT%H:%M:%SZ"
FOLDER: Final = "%Y-%m-%d_%H%M%S"  # so that names sort by time
SERIAL: Final = "%Y%m%d%H%M%S"


def format_utc(moment: datetime) -> str:
    """Return the time as `2026-03-01T12:00:00Z`."""
    return moment.astimezone(UTC).strftime(ISO)


def parse_utc(text: str) -> datetime:
    """Parse the text of `format_utc`; raise `ValueError` for any other format."""
    found = datetime.strptime(text, ISO).replace(tzinfo=UTC)
    if format_utc(found) != text:
        raise ValueError(f"{text!r} is not a time of the form 2026-03-01T12:00:00Z")
    return found


def format_folder_stamp(moment: datetime) -> str:
    """Return the start of a run's folder name: `2026-03-01_120000`."""
    return moment.astimezone(UTC).strftime(FOLDER)


def make_serial(moment: datetime) -> int:
    """Return the serial of a bundle that declares none: `20260301120000`; a later one is greater."""
    return int(moment.astimezone(UTC).strftime(SERIAL))
