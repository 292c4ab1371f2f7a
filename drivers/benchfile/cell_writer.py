"""Write a cell file as TOML that a person can read: one value a line, tables of numbers in rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.state_file import write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drivers.benchfile.cell_sections import CellFile

_A_ROW: Final = 10  # numbers in one line
_DIGITS: Final = 6  # that a number keeps


def write_cell(file: CellFile, path: Path) -> None:
    """Write `file` to `path`, whole or not at all; raise `OSError`. Numbers keep six digits."""
    values = file.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    write_bytes(path, spell_cell(values).encode())


def spell_cell(values: dict[str, Any]) -> str:
    """Return the text of a cell file with these tables."""
    scalars = {key: value for key, value in values.items() if not isinstance(value, dict)}
    tables = {key: cast("dict[str, Any]", value) for key, value in values.items() if isinstance(value, dict)}
    blocks = [
        "\n".join(_spell_lines(scalars)),
        *("\n".join([f"[{key}]", *_spell_lines(tables[key])]) for key in tables),
    ]
    return "\n\n".join(blocks) + "\n"


def _spell_lines(table: dict[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{key} = {_spell(value)}"


def _spell(value: Any, indent: str = "") -> str:
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return spell_number(value)
    items = list(value)
    if all(isinstance(item, int | float) for item in items):
        return _spell_row(items, indent)
    inner = indent + "    "
    return "[\n" + "".join(f"{inner}{_spell(item, inner)},\n" for item in items) + f"{indent}]"


def _spell_row(numbers: list[float], indent: str) -> str:
    words = [spell_number(number) for number in numbers]
    if len(words) <= _A_ROW or indent:
        return f"[{', '.join(words)}]"
    rows = (", ".join(words[n : n + _A_ROW]) for n in range(0, len(words), _A_ROW))
    return "[\n" + "".join(f"    {row},\n" for row in rows) + "]"


def spell_number(number: float) -> str:
    """Return a TOML float of at most six digits."""
    text = f"{number:.{_DIGITS}g}"
    return text if any(mark in text for mark in ".en") else f"{text}.0"


def round_all(values: Any) -> Any:
    """Return lists of numbers as a written file would give them back."""
    if isinstance(values, float | int):
        return float(f"{values:.{_DIGITS}g}")
    return [round_all(value) for value in cast("Iterable[Any]", values)]
