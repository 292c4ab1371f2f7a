"""`events.jsonl`: the events of a run, one JSON object per line.

Its keys are `t_s`, `wall_s`, `level`, `where`, `sentence`, `detail` and, since `pulsebms.run/2`, `data`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.event import DETAIL, KIND, Event, EventKind, EventRecord, Level
from drivers.runlog.folder import EVENTS, WITHOUT_EVENT_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Data = dict[str, float | int | str]
_LANE_ACTIVE: Final = re.compile(r"(twin|estimator|controller) (.+) is active")  # all data of the first version


def event_line(record: EventRecord) -> bytes:
    """Return one event as a line of the file."""
    event = record.event
    line = {
        "t_s": record.t_s,
        "wall_s": record.wall_s,
        "level": event.level,
        "where": event.source,
        "sentence": event.text,
        "detail": event.detail,
        "data": {key: value for key, value in event.data.items() if key != DETAIL},
    }
    return json.dumps(line, default=str).encode() + b"\n"


def read_events(folder: Path, schema: str, start_s: float) -> list[EventRecord]:
    """Read the events of the run in `folder`, in order; omit an unfinished last line.

    `schema` is that of the run; `start_s` replaces a missing time. Content that cannot be read becomes an event of
    its own, because what happened then is lost.
    """
    try:
        *lines, rest = (folder / EVENTS).read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        return [EventRecord(0, start_s, 0.0, _lost(f"{EVENTS} cannot be read: {error.strerror or error}"))]
    records: list[EventRecord] = []
    for number, line in enumerate(lines):
        content = _decoded(line)
        event = _lost(f"line {number + 1} of {EVENTS} cannot be read") if content is None else _event(content, schema)
        t_s, wall_s = start_s, 0.0
        if content is not None:
            t_s, wall_s = _number(content, "t_s", start_s), _number(content, "wall_s", 0.0)
        records.append(EventRecord(number, t_s, wall_s, event))
    if b"\0" in rest:
        records.append(EventRecord(len(records), start_s, 0.0, _lost(f"the end of {EVENTS} contains zero bytes")))
    return records


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        content: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", content) if isinstance(content, dict) else None


def _event(content: Mapping[str, Any], schema: str) -> Event:
    level, text = content.get("level"), str(content.get("sentence", ""))
    data = _data_of_first_version(text) if schema == WITHOUT_EVENT_DATA else _data(content.get("data"))
    if detail := str(content.get("detail", "")):
        data[DETAIL] = detail
    return Event(Level(level) if level in tuple(Level) else Level.INFO, str(content.get("where", "")), text, data)


def _data(content: object) -> Data:
    if not isinstance(content, dict):
        return {}
    known = cast("dict[str, object]", content)
    return {key: value for key, value in known.items() if isinstance(value, float | int | str)}


def _data_of_first_version(text: str) -> Data:
    """Return the data that programs need of an event; a run of the first version has it only in the text."""
    found = _LANE_ACTIVE.fullmatch(text)
    return {} if found is None else {KIND: EventKind.LANE_ACTIVE, "role": found[1], "lane": found[2]}


def _number(content: Mapping[str, Any], key: str, instead: float) -> float:
    value = content.get(key)
    return float(value) if isinstance(value, float | int) else instead


def _lost(text: str) -> Event:
    return Event(Level.ALARM, "record", f"{text}; the events in it are lost")
