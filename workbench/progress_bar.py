"""One bar on stderr for a verb that a person waits for: what it does, how far it is, the time left."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@contextmanager
def show_progress(text: str) -> Generator[Callable[[float], bool]]:
    """Yield a function that takes the share done and returns True; the bar goes when the block ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(text, total=1.0)

        def report(done: float) -> bool:
            progress.update(bar, completed=done)
            return True

        yield report
