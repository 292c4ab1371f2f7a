"""Choose the columns of a log: by the table of names, or as the user names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drivers.errors import Usage
from drivers.logs.column_names import NAMES, QUANTITY, Role, simplify
from drivers.logs.table import refuse_log
from drivers.logs.units import Unit, find_unit, split_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from drivers.errors import LogError
    from drivers.logs.table import Table

GIVE: Final = "name the columns: --columns time=...,voltage=...,current=..."
PERIOD: Final = "or, for rows at a fixed period, time=5s"
CHOICES: Final = tuple(role.value for role in Role)
SHOWN: Final = 30  # names of columns in an error
_TIMES: Final = (Role.TIME, Role.DATE, Role.STEP_TIME)


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One chosen column: its role, its place in the table, its header, and its unit where one is written."""

    role: Role
    place: int
    header: str
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns of a log; `period_s` is the time from row to row where no column holds it."""

    columns: tuple[ColumnChoice, ...]
    period_s: float | None = None

    def __getitem__(self, role: Role) -> ColumnChoice:
        return next(choice for choice in self.columns if choice.role is role)

    def __contains__(self, role: Role) -> bool:
        return any(choice.role is role for choice in self.columns)


def parse_columns(text: str) -> dict[str, str]:
    """Return the columns that an option names, as in `time=Time [s],voltage=U, cell 1`: a header may hold commas.

    Raise `Usage` for a text of another form, for an unknown role and for one that stands twice.
    """
    columns: dict[str, str] = {}
    for part in re.split(rf",(?=(?:{'|'.join(CHOICES)})=)", text):
        role, equals, header = part.partition("=")
        role, header = role.strip(), header.strip()
        if not equals or not header or role not in CHOICES or role in columns:
            what = f"--columns {text!r} does not say which column is which at {part!r}"
            raise Usage(
                what, key="columns", value=text, hint=f"write time=...,voltage=...; it may name {', '.join(CHOICES)}"
            )
        columns[role] = header
    return columns


def count_roles(headers: Sequence[str]) -> int:
    """Return for how many roles the table knows one of these headers; the first is voltage, or it is 0."""
    found = {role for role in Role if _find(role, headers) is not None}
    return len(found) if Role.VOLTAGE in found else 0


def choose_columns(table: Table, given: Mapping[str, str]) -> Chosen:
    """Return the columns of the log; `given` maps roles to headers, or to places from 1.

    Raise `LogError` for a role or a header that is not there, and where time, voltage or current stay unknown.
    """
    unknown = [role for role in given if role not in CHOICES]
    if unknown:
        hint = f"use {', '.join(CHOICES)}"
        raise refuse_log(
            table.path, f"holds no {unknown[0]}: a log has no such column", hint, key="columns", value=unknown[0]
        )
    chosen: list[ColumnChoice] = []
    period_s: float | None = None
    for role in Role:
        wanted = given.get(role.value)
        if wanted is None:
            place = None if role in _TIMES and _names_a_time(given) else _find(role, table.names, table.units)
        else:
            place = _find_given(table.names, wanted)
            period_s = _read_period(wanted) if place is None and role is Role.TIME else period_s
            if place is None and (role is not Role.TIME or period_s is None):
                raise _unknown_header(table, role, wanted)
        if place is not None:
            chosen.append(_make(table, role, place))
    return _check(table, Chosen(tuple(chosen), period_s))


def _names_a_time(given: Mapping[str, str]) -> bool:
    return any(role.value in given for role in _TIMES)


def _make(table: Table, role: Role, place: int) -> ColumnChoice:
    header = table.names[place] if table.has_header else f"{place + 1}"
    spelling = table.unit_of(place) or split_unit(header)[1]
    unit = find_unit(QUANTITY[role], spelling) if role in QUANTITY and spelling else None
    return ColumnChoice(role, place, header, unit)


def _find(role: Role, headers: Sequence[str], beside: Sequence[str] = ()) -> int | None:
    """Return the place of the column with the best name for the role, the first of equals."""
    best: tuple[int, int] | None = None
    for place, header in enumerate(headers):
        name, spelling = split_unit(header)
        spelling = spelling or (beside[place] if place < len(beside) else "")
        rank = _rank(role, {simplify(name), simplify(header)}, spelling)
        if rank is not None and (best is None or rank < best[0]):
            best = rank, place
    return None if best is None else best[1]


def _rank(role: Role, names: Iterable[str], spelling: str) -> int | None:
    """Return the place of the first of the names in the table, None where the unit is that of another quantity."""
    ranks = [NAMES[role].index(name) for name in names if name in NAMES[role]]
    if not ranks or (role in QUANTITY and _is_foreign(role, spelling)):
        return None
    if role is Role.STEP_TIME and "step" in names and find_unit(QUANTITY[role], spelling) is None:
        return None
    return min(ranks)


def _is_foreign(role: Role, spelling: str) -> bool:
    quantity = QUANTITY[role]
    others = (other for other in set(QUANTITY.values()) if other != quantity)
    return bool(spelling) and find_unit(quantity, spelling) is None and any(find_unit(o, spelling) for o in others)


def _find_given(headers: Sequence[str], wanted: str) -> int | None:
    """Return the place of a header that the user names: as it stands, in another case, or by its place from 1."""
    for plain in (str, _plain):
        for place, header in enumerate(headers):
            if plain(header) == plain(wanted) or plain(split_unit(header)[0]) == plain(wanted):
                return place
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 0  # noqa: PLR2004  # digits
    return number - 1 if 1 <= number <= len(headers) else None


def _plain(text: str) -> str:
    return text.strip().lower()


def _read_period(text: str) -> float | None:
    """Return a fixed period such as `5s` or `100 ms` in seconds, None for any other text."""
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = find_unit(QUANTITY[Role.TIME], text.strip()[len(number) :].strip())
    try:
        period_s = float(number) * (unit.scale if unit else 0.0)
    except ValueError:
        return None
    return period_s if 0 < period_s < float("inf") else None


def _check(table: Table, chosen: Chosen) -> Chosen:
    for role in (Role.VOLTAGE, Role.CURRENT):
        if role not in chosen:
            raise _missing(table, role.value)
    if chosen.period_s is None and not any(role in chosen for role in _TIMES):
        raise _missing(table, "time")
    return chosen


def _missing(table: Table, what: str) -> LogError:
    hint = f"{GIVE}{f', {PERIOD}' if what == 'time' else ''}"
    if not table.has_header:
        return refuse_log(
            table.path, f"has no header; its first row is {_list(table.names)}", f"{GIVE} by their places from 1"
        )
    return refuse_log(
        table.path, f"has no column that is known to hold the {what}; it has {_list(table.names)}", hint, key=what
    )


def _unknown_header(table: Table, role: Role, wanted: str) -> LogError:
    what = f"has no column {wanted!r} for the {role}; it has {_list(table.names)}"
    return refuse_log(table.path, what, GIVE, key=role.value, value=wanted)


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(name.strip() or "(no name)" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown or "no columns"
