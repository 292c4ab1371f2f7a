"""Numba as one typed decorator: compiled on first use, cached on disk, one thread.

The cache lies beside the source (or in NUMBA_CACHE_DIR). Numba checks only the kernel's own file for changes; here a
change in any file of this folder, or beside the kernel, recompiles it, since kernels call each other. A cache that is
damaged or cannot be written costs a compilation and a warning, never the kernel.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F")
ALL: Final[list[Any]] = []  # every kernel of the process
_NUMBA: Any = numba  # carries no types
_LOG: Final = logging.getLogger(__name__)


def kernel(function: F) -> F:
    """Compile `function` for the argument types of its calls; a division by zero gives infinity, as numpy's does."""
    dispatcher = _NUMBA.njit(function, error_model="numpy")
    ALL.append(dispatcher)
    try:
        dispatcher.enable_caching()
    except RuntimeError as error:
        _LOG.warning("%s; it is compiled at each start (seconds)", error)
    else:
        own = Path(cast("Any", function).__code__.co_filename).parent
        _make_tolerant(dispatcher._cache, own)  # noqa: SLF001  # numba offers no other way to its cache
    return cast("F", dispatcher)


def _make_tolerant(cache: Any, own: Path) -> None:
    """Make `cache` return None for a stale or unreadable entry, so that numba compiles; `own`: folder of the kernel."""
    folders = {Path(__file__).parent, own}
    sources = sorted(file for folder in folders for file in folder.glob("*.py"))
    files = cache._cache_file  # noqa: SLF001  # as above
    files._source_stamp = (files._source_stamp, [(file.name, file.stat().st_mtime_ns) for file in sources])  # noqa: SLF001  # numba offers no other way
    where = cache.cache_path
    emptied = _warn_on_failure(cache.flush, where)
    cache.load_overload = _warn_on_failure(cache.load_overload, where, then=emptied)
    cache.save_overload = _warn_on_failure(cache.save_overload, where)


def _warn_on_failure(work: Callable[..., Any], where: str, then: Callable[[], Any] | None = None) -> Callable[..., Any]:
    """Wrap `work`: where it raises, log a warning, call `then` and return None."""

    def attempt(*what: Any) -> Any:
        try:
            return work(*what)
        except Exception as error:  # noqa: BLE001  # a damaged pickle can raise any exception
            _LOG.warning("kernel cache in %s: %s: %s; compiled again", where, type(error).__name__, error)
            if then is not None:
                then()
            return None

    return attempt
