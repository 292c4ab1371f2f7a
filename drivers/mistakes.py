"""All mistakes of a declaration at once: collected where they are found, raised as one error with the others."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from drivers.errors import BenchFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")


class Mistakes:
    """The mistakes of a declaration, collected so that all of them are told at once."""

    def __init__(self) -> None:
        self.found: list[BenchFileError] = []

    def __bool__(self) -> bool:
        return bool(self.found)

    @contextmanager
    def collect(self) -> Generator[None]:
        """Run the block; keep the mistake that it raises, with those found beside it, and go on behind the block."""
        try:
            yield
        except BenchFileError as error:
            self.add(error)

    def add(self, *errors: BenchFileError) -> None:
        """Add each error and the others that it carries, but no sentence twice."""
        for error in errors:
            told = {str(known) for known in self.found}
            self.found += [one for one in error.all if isinstance(one, BenchFileError) and str(one) not in told]

    def attempt(self, read: Callable[[], T]) -> T | None:
        """Return the result of `read`; None after a mistake, which is kept."""
        with self.collect():
            return read()
        return None

    def raise_all(self) -> None:
        """Raise the first mistake, which carries the others; do nothing where there is none."""
        if self.found:
            raise self.joined()

    def joined(self) -> BenchFileError:
        """Return the first mistake, which carries the others; raise `IndexError` where there is none."""
        first, *others = self.found
        first.others = tuple(others)
        return first
