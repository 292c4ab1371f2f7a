"""What the pytest process tells the runner: one JSON object a line, appended and flushed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME: Final = "progress.jsonl"
STOP: Final = "stop"
LONGEST: Final = 8_000_000  # octets of one line: traces of a long case


class Teller:
    """Writes `event` lines: bench, collected, begun, check, ended, finished."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / NAME).open("a", encoding="utf-8")

    def say(self, event: str, **said: Any) -> None:
        self._file.write(json.dumps({"event": event, **said}) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class Listener:
    """Reads whole lines as they come; a line that is not ours is left out."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._at = 0

    def heard(self) -> Iterator[dict[str, Any]]:
        """Everything new."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            while (line := file.readline(LONGEST)).endswith(b"\n"):
                self._at += len(line)
                try:
                    said = json.loads(line)
                except ValueError:
                    continue
                if isinstance(said, dict) and "event" in said:
                    yield said
