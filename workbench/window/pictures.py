"""Pictures of the window, at any size and in both themes, without a display."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from PySide6.QtCore import QEventLoop, QTimer

from workbench.window.app import Opening, application
from workbench.window.themes import THEMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from workbench.window.model import Session
    from workbench.window.window import Window

SIZES: Final = ((1366, 768), (1920, 1080))
SETTLE_S: Final = 1.3  # the figures of the status line are those of a whole second
_REDRAW_S: Final = 0.3


def take_pictures(
    session: Session,
    folder: Path,
    sizes: Sequence[tuple[int, int]] = SIZES,
    themes: Sequence[str] = ("dark", "light"),
    *,
    prepare: Callable[[Window], None] | None = None,
) -> list[Path]:
    """Show `session` as it stands, one picture a size and theme; the session is served meanwhile and not closed."""
    application()
    folder.mkdir(parents=True, exist_ok=True)
    kept = cast("Session", _Kept(session))
    made: list[Path] = []
    for size in sizes:
        opening = Opening(lambda: kept, theme=themes[0], size=size)
        serve(SETTLE_S)
        if prepare is not None and opening.window is not None:
            prepare(opening.window)
        for theme in themes:
            opening.shell.set_theme(THEMES[theme])
            serve(_REDRAW_S)
            opening.stats.restart()  # the status line shall not tell of the redrawing
            serve(SETTLE_S)
            path = folder / f"window-{theme}-{size[0]}x{size[1]}.png"
            opening.shell.grab().save(str(path))
            made.append(path)
        opening.shell.close()
    return made


def serve(seconds: float) -> None:
    """Let the window work for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1e3), loop.quit)
    loop.exec()


class _Kept:
    """A session that outlives the windows that show it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    def close(self) -> None:
        """The caller closes it."""
