"""A process that does one duty after the other, while the window goes on; implements `model.Maker` with two."""

from __future__ import annotations

import multiprocessing
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from workbench.session.actions import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workbench.window.bundle.model import Judged, NewKey, Places, Shelf, Wish

LEAVE_S: Final = 1.0


class Clerk:
    """Starts with the first duty; one that died answers with a failure, and the next duty starts another."""

    def __init__(self) -> None:
        self._process: Any = None
        self._pipe: Any = None
        self._waiting = deque[tuple["Callable[[Any], None]", "Callable[[Failure], None]"]]()

    @property
    def busy(self) -> bool:
        """Whether a duty is under way."""
        return bool(self._waiting)

    def ask(self, duty: str, *given: Any, ready: Callable[[Any], None], failed: Callable[[Failure], None]) -> None:
        """Have a duty done; the answer comes to one of the two from `poll`."""
        if self._process is None:
            self._start()
        self._waiting.append((ready, failed))
        try:
            self._pipe.send((duty, given))
        except OSError:
            self._ended()

    def poll(self) -> None:
        """Hand over the answers that have come."""
        try:
            while self._waiting and self._pipe.poll():
                self._take(self._pipe.recv())
        except (EOFError, OSError):
            self._ended()

    def close(self) -> None:
        """Give up; an idle process ends by itself, a busy one is made to."""
        if self._process is None:
            return
        self._pipe.close()
        if self.busy:
            self._process.kill()
        self._process.join(LEAVE_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self._process.close()
        self._process = self._pipe = None
        self._waiting.clear()

    def _start(self) -> None:
        from workbench.window.bundle.starting import begin  # noqa: PLC0415  # only the process imports the duties

        context = multiprocessing.get_context("spawn")
        self._pipe, its = context.Pipe()
        self._process = context.Process(target=begin, args=(its,), name="bundle clerk", daemon=True)
        self._process.start()
        its.close()

    def _take(self, said: tuple[Any, ...]) -> None:
        ready, failed = self._waiting.popleft()
        if said[0] == "done":
            ready(said[1])
        else:
            failed(Failure(said[1], said[2] or "Look into its folder.", said[3]))

    def _ended(self) -> None:
        waiting = list(self._waiting)
        self.close()
        for _, failed in waiting:
            failed(Failure("The process that works on bundles ended unexpectedly.", "Try again."))


class BundleMaker:
    """Two clerks, so that a build does not hold up the lists."""

    def __init__(self) -> None:
        self._builder, self._reader = Clerk(), Clerk()

    def look(self, places: Places, ready: Callable[[Shelf], None], failed: Callable[[Failure], None]) -> None:
        self._reader.ask("look", places, ready=ready, failed=failed)

    def make_key(
        self, folder: Path, name: str, ready: Callable[[NewKey], None], failed: Callable[[Failure], None]
    ) -> None:
        self._reader.ask("make_key", folder, name, ready=ready, failed=failed)

    def trust(
        self, public: Path, folder: Path, ready: Callable[[Path], None], failed: Callable[[Failure], None]
    ) -> None:
        self._reader.ask("trust", public, folder, ready=ready, failed=failed)

    def build(self, wish: Wish, ready: Callable[[Judged], None], failed: Callable[[Failure], None]) -> None:
        self._builder.ask("build", wish, ready=ready, failed=failed)

    def judge(
        self, file: Path, trust: Path, ready: Callable[[Judged], None], failed: Callable[[Failure], None]
    ) -> None:
        self._builder.ask("judge", file, trust, ready=ready, failed=failed)

    def poll(self) -> None:
        for clerk in (self._builder, self._reader):
            clerk.poll()

    def close(self) -> None:
        for clerk in (self._builder, self._reader):
            clerk.close()
