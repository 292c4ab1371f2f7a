"""One bar on stderr for a verb that a person waits for: what it does, how far it is, the time left."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from drivers.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

LINE_S: Final = 0.5  # between two lines where stderr is no terminal


@contextmanager
def show_progress(text: str) -> Generator[Callable[[float], bool]]:
    """Yield a function that takes the share done and returns True; the bar goes when the block ends.

    Where stderr is a file or a pipe, print a line at times instead: `text: 40 %`.
    """
    if not sys.stderr.isatty():
        yield _make_lines(text)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(text, total=1.0)

        def report(done: float) -> bool:
            progress.update(bar, completed=done)
            return True

        yield report


def _make_lines(text: str) -> Callable[[float], bool]:
    printed_s = monotonic()

    def report(done: float) -> bool:
        nonlocal printed_s
        if monotonic() - printed_s >= LINE_S:
            printed_s = monotonic()
            sys.stderr.write(f"{text}: {100.0 * done:.0f} %\n")
            sys.stderr.flush()
        return True

    return report
