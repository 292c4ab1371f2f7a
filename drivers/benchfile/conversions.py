"""Conversion of keys of older bench files to today's keys; each conversion is reported in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from drivers.benchfile.cell_sections import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from drivers.benchfile.document import Document
    from drivers.errors import BenchFileError

NO_CELL_AH: Final = 1.0  # in the place of a capacity that no cell gives: another mistake is reported then
HOLD_MS: Final = 500  # the longest time for which the last allowed command may be held
RENAMED_LANES: Final = {"twin.counting": "twin.coulomb_counter"}  # old module name -> new module name


def convert(document: Document) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the file's values with today's keys and names, and a sentence for each older one."""
    values, notes = _convert_hold(document)
    lanes, lane_notes = _convert_lanes(document)
    values = {**values, "lane": lanes} if lane_notes else values
    values, cell_notes = _convert_cell(document, values)
    return values, (*notes, *lane_notes, *cell_notes)


def fill_capacity(values: dict[str, Any], cell_ah: float) -> dict[str, Any]:
    """Return the values with the capacity of the cell where `[pack]` states none."""
    pack: Any = values.get("pack")
    if not isinstance(pack, dict) or "cell_ah" in pack:
        return values
    return {**values, "pack": {**cast("dict[str, Any]", pack), "cell_ah": cell_ah}}


def _convert_cell(document: Document, values: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the values with the cell that a pack without `cell` had: there was one."""
    pack: Any = values.get("pack")
    if not isinstance(pack, dict) or "cell" in pack or "cell_ah" not in pack:
        return values, ()
    named = {**cast("dict[str, Any]", pack), "cell": DEFAULT}
    line = document.line(("pack",))
    note = f'{document.path.name}:{line} pack names no cell and is read with {DEFAULT}; write cell = "{DEFAULT}"'
    return {**values, "pack": named}, (note,)


def _convert_lanes(document: Document) -> tuple[list[Any], tuple[str, ...]]:
    """Return the lanes of the file, with the new names of renamed modules."""
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
    """Convert `gate.hold_ticks`, turns of the loop, to `hold_ms`."""
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
    """Yield errors for an older key beside the newer one, or with a value out of today's bounds."""
    ticks, rate_hz = _hold(document.values)
    if ticks is None:
        return
    at = ("gate", "hold_ticks")
    if "hold_ms" in document.values["gate"]:
        what, hint = f"= {ticks} and hold_ms both set how long a command is held", "keep hold_ms, remove hold_ticks"
        yield document.mistake(at, what, value=ticks, bound="one of hold_ms, hold_ticks", hint=hint)
    elif ticks < 0:
        yield document.mistake(at, f"= {ticks} should be at least 0", value=ticks, bound=">= 0", hint="write hold_ms")
    elif rate_hz is not None and 1000 * ticks / rate_hz > HOLD_MS:
        what = f"= {ticks} turns are {1000 * ticks / rate_hz:g} ms at {rate_hz} Hz, more than {HOLD_MS} ms"
        hint = f"write hold_ms = {HOLD_MS} or less"
        yield document.mistake(at, what, value=ticks, bound=f"<= {HOLD_MS} ms", hint=hint)


def _hold(values: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Return `gate.hold_ticks` and `bench.rate_hz` if they are whole numbers, the rate only above 0."""
    ticks, rate_hz = _whole(values, "gate", "hold_ticks"), _whole(values, "bench", "rate_hz")
    return ticks, rate_hz if rate_hz is not None and rate_hz > 0 else None


def _whole(values: Mapping[str, Any], table: str, key: str) -> int | None:
    section = values.get(table)
    value: Any = cast("dict[str, Any]", section).get(key) if isinstance(section, dict) else None
    return value if type(value) is int else None
