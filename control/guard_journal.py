"""The guard's journal: one JSON object per line, appended by the guard, read when its run is over.

Each line has `t_s` (time in s on the machine's monotonic clock), `guard` (the kind of record), and the fields of that
kind; a number that is not known is NaN. In an older journal, without numbers of trips and requests, they read as 0.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from control.guard_reports import (
    ArmAnswer,
    GuardEnded,
    GuardReset,
    GuardResult,
    GuardStarted,
    MarkAnswer,
    OffReceived,
    ResetAnswer,
    TripReport,
)
from drivers.safe_commands import SafeStepResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from control.guard_reports import JournalRecord

R = TypeVar("R")
Fields: TypeAlias = "dict[str, Any]"

FILE_NAME: Final = "guard.jsonl"  # in the folder of the run
KINDS: Final = {
    GuardStarted: "started",
    OffReceived: "received",
    MarkAnswer: "said",
    TripReport: "tripped",
    GuardReset: "reset",
    GuardEnded: "ended",
}


@dataclass(frozen=True, slots=True)
class GuardJournal:
    """A journal: `records` as written, the oldest first; `damage`: a sentence for each line that cannot be read."""

    records: tuple[JournalRecord, ...]
    damage: tuple[str, ...]

    def newest(self, kind: type[R]) -> R | None:
        """Return the last record of that class; None without one."""
        return next((record for record in reversed(self.records) if isinstance(record, kind)), None)


def encode_line(record: JournalRecord, now_s: float) -> bytes:
    """Encode a record as one line; `now_s`: when it is written, s."""
    return (json.dumps({"t_s": now_s, **_as_json(record)}) + "\n").encode()


def decode_line(line: bytes) -> JournalRecord:
    """Decode the record of one line; raise `ValueError` for a line that is damaged or of an unknown kind."""
    try:
        return _record(json.loads(line.decode("utf-8")))
    except KeyError as error:
        raise ValueError(f"it lacks {error}") from error
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_journal(path: Path) -> GuardJournal:
    """Read every line of the journal at `path`; raise `OSError` if it cannot be opened."""
    records, damage = list["JournalRecord"](), list[str]()
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            records.append(decode_line(line))
        except ValueError as error:
            damage.append(f"line {number} of {path.name} cannot be read: {error}")
    return GuardJournal(tuple(records), tuple(damage))


def _as_json(record: JournalRecord) -> dict[str, object]:
    match record:
        case ArmAnswer(number, armed, cause):
            return {"guard": "armed" if armed else "disarmed", "number": number, "cause": cause}
        case ResetAnswer(number, cause):
            return {"guard": "latched" if cause else "ready", "number": number, "reason": cause}
        case _:
            return {"guard": KINDS[type(record)], **asdict(record)}


def _record(line: object) -> JournalRecord:
    if not isinstance(line, dict):
        raise TypeError("it is not a JSON object")
    fields = cast("Fields", line)
    kind = _text(fields, "guard")
    if kind not in READERS:
        raise ValueError(f"its kind {kind!r} is unknown")
    return READERS[kind](fields)


def _arm_answer(fields: Fields) -> ArmAnswer:
    return ArmAnswer(_whole(fields, "number"), armed=fields["guard"] == "armed", cause=_text(fields, "cause"))


def _reset_answer(fields: Fields) -> ResetAnswer:
    answer = ResetAnswer(_whole(fields, "number"), _text(fields, "reason"))
    if answer.is_granted is not (fields["guard"] == "ready"):
        raise ValueError("its kind and its reason contradict each other")
    return answer


def _trip_report(fields: Fields) -> TripReport:
    return TripReport(
        trip=_whole(fields, "trip"),
        offs=_wholes(fields, "offs"),
        reason=_text(fields, "reason"),
        result=_result(fields),
        steps=tuple(_step(step) for step in _list(fields, "steps")),
        trigger_s=_seconds(fields, "trigger_s"),
        first_send_s=_seconds(fields, "first_send_s"),
        verified_s=_seconds(fields, "verified_s"),
        ports=_wholes(fields, "ports"),
    )


def _step(step: object) -> SafeStepResult:
    if not isinstance(step, dict):
        raise TypeError("a step of it is not a JSON object")
    fields = cast("Fields", step)
    return SafeStepResult(
        _text(fields, "name"),
        verified=_truth(fields, "verified"),
        sent_s=_seconds(fields, "sent_s"),
        verified_s=_seconds(fields, "verified_s"),
        detail=_text(fields, "detail"),
    )


READERS: Final[dict[str, Callable[[Fields], JournalRecord]]] = {
    "started": lambda fields: GuardStarted(_text(fields, "realtime")),
    "armed": _arm_answer,
    "disarmed": _arm_answer,
    "ready": _reset_answer,
    "latched": _reset_answer,
    "received": lambda fields: OffReceived(_whole(fields, "number"), _seconds(fields, "t_s")),
    "said": lambda fields: MarkAnswer(_truth(fields, "ok")),
    "tripped": _trip_report,
    "reset": lambda fields: GuardReset(_text(fields, "reason"), _text(fields, "was")),
    "ended": lambda fields: GuardEnded(_result(fields)),
}


def _result(fields: Fields) -> GuardResult:
    return GuardResult(_text(fields, "result"))


def _text(fields: Fields, key: str) -> str:
    """Return a text, which may be empty."""
    if not isinstance(value := fields[key], str):
        raise TypeError(f"its {key} is not text")
    return value


def _truth(fields: Fields, key: str) -> bool:
    if not isinstance(value := fields[key], bool):
        raise TypeError(f"its {key} is neither true nor false")
    return value


def _seconds(fields: Fields, key: str) -> float:
    if type(value := fields[key]) not in (int, float):
        raise TypeError(f"its {key} is not a number")
    return float(value)


def _whole(fields: Fields, key: str) -> int:
    """Return a whole number; 0 in an older journal, without numbers."""
    if type(value := fields.get(key, 0)) is not int:
        raise TypeError(f"its {key} is not a whole number")
    return value


def _wholes(fields: Fields, key: str) -> tuple[int, ...]:
    """Return whole numbers; none in an older journal, without numbers."""
    values = _list(fields, key) if key in fields else []
    if any(type(value) is not int for value in values):
        raise TypeError(f"one of its {key} is not a whole number")
    return tuple(values)


def _list(fields: Fields, key: str) -> list[Any]:
    if not isinstance(value := fields[key], list):
        raise TypeError(f"its {key} is not a list")
    return cast("list[Any]", value)
