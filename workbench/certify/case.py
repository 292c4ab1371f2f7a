"""The decorator that makes a pytest function a certification case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pytest

from workbench.certify.time_limit import DEFAULT_S, check_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Function = TypeVar("Function", bound="Callable[..., None]")

MARK = "certification_case"


@dataclass(frozen=True, slots=True)
class Case:
    """A case: `id` in its suite, the clauses that it shows (`refs`), the hazard that it covers, its title sentence.

    It may take `limit_s`, not counting how long the bench takes to get ready.
    """

    id: str
    refs: tuple[str, ...]
    hazard: str
    title: str
    limit_s: float = DEFAULT_S


def case(
    identifier: str, *, refs: Sequence[str] = (), hazard: str = "", limit_s: float = DEFAULT_S
) -> Callable[[Function], Function]:
    """Make a test a case; the first line of its docstring is its title. It is an ERROR after `limit_s` seconds."""
    check_limit(limit_s)

    def mark(function: Function) -> Function:
        title = (function.__doc__ or function.__name__.replace("_", " ")).strip().splitlines()[0]
        return getattr(pytest.mark, MARK)(Case(identifier, tuple(refs), hazard, title, limit_s))(function)

    return mark


def case_of(item: pytest.Item) -> Case | None:
    """Return the case of a test; None if it is not a case."""
    mark = item.get_closest_marker(MARK)
    return None if mark is None else mark.args[0]
