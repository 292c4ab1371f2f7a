"""Guard of `data` of Qt's models: Qt calls it while it paints, and an exception that leaves it ends the process."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_reported: set[tuple[str, type[BaseException]]] = set()


def guard_data(data: Callable[..., Any]) -> Callable[..., Any]:
    """Return `data` without exceptions: a cell that fails is empty, and each kind of failure is reported once."""

    @functools.wraps(data)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return data(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # whatever it is, Qt must not see it
            kind = (data.__qualname__, type(error))
            if kind not in _reported:
                _reported.add(kind)
                sys.excepthook(type(error), error, error.__traceback__)
            return None

    guarded.is_guarded = True  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue]  # for the test
    return guarded
