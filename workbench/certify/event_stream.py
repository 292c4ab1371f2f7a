"""The event stream from the pytest process to the runner: one JSON object a line, appended and flushed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from workbench.certify.events import FileBroken, decode_event, encode_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workbench.certify.events import CertifyEvent

NAME: Final = "progress.jsonl"
STOP: Final = "stop"
LONGEST: Final = 8_000_000  # bytes of one line: traces of a long case


class EventStreamWriter:
    """A writer that appends events to the stream in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / NAME).open("a", encoding="utf-8")

    def write(self, event: CertifyEvent) -> None:
        self._file.write(json.dumps(encode_event(event)) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class EventStreamReader:
    """A reader of complete lines of the stream in `folder`, as they come."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._at = 0

    def read(self) -> Iterator[CertifyEvent]:
        """Yield all new events. Skip a line of another writer; yield `FileBroken` for a damaged event."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            while (line := file.readline(LONGEST)).endswith(b"\n"):
                self._at += len(line)
                if (event := read_line(line)) is not None:
                    yield event


def read_line(line: bytes) -> CertifyEvent | None:
    """Return the event of one line; None for a line of another writer."""
    try:
        value: Any = json.loads(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(cast("dict[str, Any]", value).get("event"), str):
        return None
    try:
        return decode_event(cast("object", value))
    except ValueError as error:
        return FileBroken(NAME, f"a line cannot be read: {error}")
