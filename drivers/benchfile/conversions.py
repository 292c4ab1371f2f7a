"""Keys of older bench files, read as what they mean today; each conversion is told in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drivers.benchfile.document import Document
    from drivers.errors import BenchFileError

HOLD_MS: Final = 500  # how long the last allowed command may stay at most
RENAMED_LANES: Final = {"twin.counting": "twin.coulomb_counter"}  # modules, by the name that they had


def convert(document: Document) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The file's values with today's keys and names, and a sentence for each that was an older one's."""
    values, notes = _convert_hold(document)
    lanes, lane_notes = _convert_lanes(document)
    return ({**values, "lane": lanes}, notes + lane_notes) if lane_notes else (values, notes)


def _convert_lanes(document: Document) -> tuple[list[Any], tuple[str, ...]]:
    """The lanes of the file, a module that was renamed under its new name."""
    lanes: Any = document.values.get("lane")
    if not isinstance(lanes, list):
        return [], ()
    converted, notes = list[Any](), list[str]()
    for n, lane in enumerate(cast("list[Any]", lanes)):
        table = cast("dict[str, Any]", lane) if isinstance(lane, dict) else {}
        module: Any = table.get("module")
        renamed = RENAMED_LANES.get(module) if isinstance(module, str) else None
        if renamed is not None:
            line = document.line(("lane", n, "module"))
            notes.append(f"{document.path.name}:{line} lane module {module} is read as {renamed}; write {renamed}")
        converted.append(lane if renamed is None else {**table, "module": renamed})
    return converted, tuple(notes)


def _convert_hold(document: Document) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`gate.hold_ticks`, turns of the loop, as `hold_ms`."""
    values = document.values
    ticks, rate_hz = _hold(values)
    gate = cast("dict[str, Any]", values["gate"]) if ticks is not None else {}
    if ticks is None or rate_hz is None or "hold_ms" in gate:
        return values, ()
    hold_ms = 1000 * ticks / rate_hz
    newer = {key: value for key, value in gate.items() if key != "hold_ticks"} | {"hold_ms": hold_ms}
    line = document.line(("gate", "hold_ticks"))
    note = (
        f"{document.path.name}:{line} gate.hold_ticks = {ticks} is read as hold_ms = {hold_ms:g} at {rate_hz} Hz; "
        f"write hold_ms"
    )
    return {**values, "gate": newer}, (note,)


def conflicts(document: Document) -> Iterator[BenchFileError]:
    """An older key that stands beside the newer one, or that says what is out of bounds today."""
    ticks, rate_hz = _hold(document.values)
    if ticks is None:
        return
    at = ("gate", "hold_ticks")
    if "hold_ms" in document.values["gate"]:
        what, hint = f"= {ticks} and hold_ms both say how long a command stays", "keep hold_ms, leave hold_ticks out"
        yield document.mistake(at, what, value=ticks, bound="one of hold_ms, hold_ticks", hint=hint)
    elif ticks < 0:
        yield document.mistake(at, f"= {ticks} should be at least 0", value=ticks, bound=">= 0", hint="write hold_ms")
    elif rate_hz is not None and 1000 * ticks / rate_hz > HOLD_MS:
        what = f"= {ticks} turns are {1000 * ticks / rate_hz:g} ms at {rate_hz} Hz, more than {HOLD_MS} ms"
        hint = f"write hold_ms = {HOLD_MS} or less"
        yield document.mistake(at, what, value=ticks, bound=f"<= {HOLD_MS} ms", hint=hint)


def _hold(values: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """`gate.hold_ticks` and `bench.rate_hz` where they are whole numbers; the rate above 0."""
    ticks, rate_hz = _whole(values, "gate", "hold_ticks"), _whole(values, "bench", "rate_hz")
    return ticks, rate_hz if rate_hz is not None and rate_hz > 0 else None


def _whole(values: Mapping[str, Any], table: str, key: str) -> int | None:
    section = values.get(table)
    value: Any = cast("dict[str, Any]", section).get(key) if isinstance(section, dict) else None
    return value if type(value) is int else None
