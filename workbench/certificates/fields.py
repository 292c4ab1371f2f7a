"""A reader of the fields of a JSON object by type; an error names the field by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import Enum

    Member = TypeVar("Member", bound=Enum)


class JsonFields:
    """One JSON object at `path`; each method raises `ValueError` for a field that is missing or of another type."""

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{path or 'the text'} is not a JSON object")  # noqa: TRY004  # a fault of the file
        self._values = cast("dict[str, object]", value)
        self._path = path

    def has(self, key: str) -> bool:
        return key in self._values

    def text(self, key: str) -> str:
        value = self._get(key)
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return value

    def flag(self, key: str) -> bool:
        value = self._get(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def number(self, key: str) -> float:
        value = self._get(key)
        if not isinstance(value, int | float):
            raise self._wrong(key, "a number")
        return value

    def number_or_none(self, key: str) -> float | None:
        return None if self._get(key) is None else self.number(key)

    def integer(self, key: str) -> int:
        value = self._get(key)
        if not isinstance(value, int):
            raise self._wrong(key, "a whole number")
        return value

    def integer_or_none(self, key: str) -> int | None:
        return None if self._get(key) is None else self.integer(key)

    def member(self, key: str, kind: type[Member]) -> Member:
        """Return the member of an enumeration by its value."""
        value = self._get(key)
        try:
            return kind(value)
        except ValueError:
            raise self._wrong(key, f"one of {', '.join(str(one.value) for one in kind)}") from None

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._list(key)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a list of texts")
        return tuple(cast("list[str]", values))

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self._list(key)
        if not all(isinstance(value, int | float) for value in values):
            raise self._wrong(key, "a list of numbers")
        return tuple(cast("list[float]", values))

    def numbers_or_none(self, key: str) -> tuple[float | None, ...]:
        values = self._list(key)
        if not all(value is None or isinstance(value, int | float) for value in values):
            raise self._wrong(key, "a list of numbers and nulls")
        return tuple(cast("list[float | None]", values))

    def object(self, key: str) -> JsonFields:
        return JsonFields(self._get(key), self._name(key))

    def objects(self, key: str) -> Iterator[JsonFields]:
        for at, value in enumerate(self._list(key)):
            yield JsonFields(value, f"{self._name(key)}[{at}]")

    def names(self) -> tuple[str, ...]:
        """Return the keys of the object."""
        return tuple(self._values)

    def _get(self, key: str) -> object:
        if key not in self._values:
            raise ValueError(f"{self._name(key)} is missing")
        return self._values[key]

    def _list(self, key: str) -> list[object]:
        value = self._get(key)
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return cast("list[object]", value)

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _wrong(self, key: str, kind: str) -> ValueError:
        return ValueError(f"{self._name(key)} is {self._get(key)!r:.60}, not {kind}")
