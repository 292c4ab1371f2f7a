"""One line under the form: what is being built or verified, or its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar

from workbench.window.bundle_page import style
from workbench.window.widgets import format as fmt
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.icons import icon

if TYPE_CHECKING:
    from workbench.session.actions import Failure
    from workbench.window.bundle_page.model import BundleEntry
    from workbench.window.widgets.themes import Theme

BUILT, CANCELLED, NOT_DONE = "BUILT", "CANCELLED", "NOT DONE"
CANCEL: Final = "Cancel; nothing is written"
_HEIGHT: Final = 44
_STEPS: Final = 1000  # of the bar


class ProgressStrip(QFrame):
    """Keeps the same height with any text, so that nothing below moves."""

    cancel_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.symbol, self.word, self.text = QLabel(), label(), ElidedLabel()
        self.age = label(tone="muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedSize(160, 4)
        self.bar.setAccessibleName("Progress of the bundle")
        self.cancel = button("Cancel", self.cancel_wanted.emit, "link", tip=CANCEL)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(8)
        for part in (self.symbol, self.word):
            row.addWidget(part)
        row.addWidget(self.text, 1)
        for part in (self.age, self.bar, self.cancel):
            row.addWidget(part)
        self.setFixedHeight(_HEIGHT)
        self._said = ("", "", "", "")
        self._say("", "", "muted", "")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._say(*self._said)

    def show_work(self, sentence: str, since_s: float, fraction: float | None = None, why_not_cancel: str = "") -> None:
        """Show the work, since when it runs, and the fraction done if known."""
        self._say("", "", "muted", sentence, working=True)
        self.age.setText(fmt.age(since_s))
        self.bar.setRange(0, 0 if fraction is None else _STEPS)
        self.bar.setValue(round((fraction or 0.0) * _STEPS))
        self.cancel.setEnabled(not why_not_cancel)
        self.cancel.setToolTip(why_not_cancel or CANCEL)

    def show_result(self, made: BundleEntry) -> None:
        """Show a bundle that was built."""
        notes = f"   {len(made.notes)} notes" if made.notes else ""
        text = f"{made.file.name}   class {made.evidence}   sha256 {made.sha256[: style.HASH_SHOWN]}{notes}"
        self._say("ok", BUILT, "green", text)

    def show_verified(self, bundle: BundleEntry) -> None:
        """Show the result of a verification."""
        look = style.find_bundle_style(bundle)
        self._say(look.symbol, look.word, look.colour, f"{bundle.file.name}   {bundle.golden or look.sentence}")

    def show_cancelled(self) -> None:
        """Show that the work was cancelled."""
        self._say("ring", CANCELLED, "muted", "Nothing was written.")

    def show_failure(self, failure: Failure) -> None:
        """Show why there is no bundle, and what to do."""
        text = " ".join(filter(None, (failure.sentence, failure.hint)))
        self._say("cross", NOT_DONE, "fail", text, tip=failure.details)

    def _say(self, symbol: str, word: str, colour: str, text: str, *, working: bool = False, tip: str = "") -> None:
        self._said = (symbol, word, colour, text)
        for part in (self.symbol, self.word):
            part.setVisible(bool(word))
        if symbol:
            self.symbol.setPixmap(icon(symbol, self._theme.colour(colour)).pixmap(QSize(14, 14)))
        self.word.setText(word)
        self.word.setStyleSheet(f"font-weight: 600; color: {self._theme.colour(colour).name()};")
        self.text.say(text, tip)
        for part in (self.bar, self.age, self.cancel):
            part.setVisible(working)
        self.setAccessibleName(f"{word} {text}".strip())
