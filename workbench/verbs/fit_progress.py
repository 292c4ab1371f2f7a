"""A bar on stderr with the time left, for fits and readings that take longer than a moment."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@contextmanager
def show_progress() -> Generator[Callable[[str, float], None]]:
    """Yield a function of a title and the fraction done; the bar is gone at the end of the block."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=1.0)
        yield lambda title, done: progress.update(bar, description=title, completed=done)
