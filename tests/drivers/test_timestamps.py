"""Times in files and in the names of folders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from drivers.timestamps import format_folder_stamp, format_utc, make_serial, parse_utc

NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)
EAST = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))


def test_a_time_is_utc_wherever_it_was_noted() -> None:
    assert format_utc(NOON) == format_utc(EAST) == "2026-03-01T12:00:05Z"
    assert format_folder_stamp(NOON) == format_folder_stamp(EAST) == "2026-03-01_120005"
    assert make_serial(NOON) == make_serial(EAST) == 20260301120005


def test_what_is_written_is_read_again() -> None:
    assert parse_utc(format_utc(EAST)) == NOON


@pytest.mark.parametrize("text", ["", "2026-03-01", "2026-3-1T12:00:05Z", "2026-03-01T12:00:05+00:00", "yesterday"])
def test_any_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026|does not match"):
        parse_utc(text)


def test_names_and_serials_sort_by_time() -> None:
    moments = [NOON + timedelta(seconds=step) for step in (0, 1, 60, 3600, 86_400, 40 * 86_400, 400 * 86_400)]
    stamps, serials = [format_folder_stamp(one) for one in moments], [make_serial(one) for one in moments]
    assert stamps == sorted(set(stamps))
    assert serials == sorted(set(serials))
