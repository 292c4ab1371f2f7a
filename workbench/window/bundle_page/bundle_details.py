"""Details of one bundle: its class in a big word, the verdict by the trusted keys, and its own claims."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.window.bundle_page import style
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.icons import icon
from workbench.window.widgets.themes import TITLE_PX, font

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.window.bundle_page.model import BundleEntry
    from workbench.window.bundle_page.style import DisplayStyle
    from workbench.window.widgets.themes import Theme

_WORD_PX: Final = 104
_HEAD_PX: Final = 96
EMPTY: Final = "Choose a bundle, build one, or verify a file; its contents and its verification appear here."
CLAIMS: Final = "what the bundle claims, not verified"
SIGNED: Final = "verified: unchanged since it was signed"
NO_BUNDLE: Final = "Choose a bundle on the Bundle page first."
NOT_VERIFIED: Final = "The bundle is not verified; a pack would refuse it."


class BundleDetails(QWidget):
    """Shows one bundle; its buttons act on that bundle."""

    send_wanted = Signal()
    verify_wanted = Signal()
    folder_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.bundle: BundleEntry | None = None
        self.name = label(EMPTY, "muted", wrap=True)
        self.evidence, self.verification = _Verdict(), _Verdict()
        self.send = button("Send to a pack…", self.send_wanted.emit)
        self.again = button(
            "Verify", self.verify_wanted.emit, tip="Verify with the trusted keys and replay the golden vectors"
        )
        self.folder = button("Show folder", self.folder_wanted.emit)
        self.copy = button("Copy", self.copy_all, tip="Copy all of this as text")
        self.claims = _ClaimsTable()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for part in (self.send, self.again, self.folder, self.copy):
            row.addWidget(part)
        row.addStretch(1)
        head = QVBoxLayout()
        head.setContentsMargins(16, 8, 16, 8)
        head.setSpacing(6)
        for part in (self.name, self.evidence, self.verification):
            head.addWidget(part)
        head.addLayout(row)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.claims, 1)
        column.addStretch(0)
        self.show_bundle(None)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.show_bundle(self.bundle)

    def show_bundle(self, bundle: BundleEntry | None) -> None:
        """Show another bundle, or what is known of it now."""
        self.bundle = bundle
        for part in (self.evidence, self.verification, self.claims, self.send, self.again, self.folder, self.copy):
            part.setVisible(bundle is not None)
        if bundle is None:
            self.name.setText(EMPTY)
            return
        self.name.setText(f"{bundle.name} serial {bundle.serial}" if bundle.name else bundle.file.name)
        self.name.setToolTip(str(bundle.file))
        self.evidence.setVisible(bool(bundle.name))
        self.evidence.show_look(style.find_class_style(bundle.evidence), self._theme)
        look = style.find_bundle_style(bundle)
        self.verification.show_look(look, self._theme, "" if bundle.verified else bundle.hint)
        self.claims.show_rows(list(list_rows(bundle)), claims=not bundle.verified)
        why_not = "" if bundle.verified else NOT_VERIFIED
        self.send.setEnabled(not why_not)
        self.send.setToolTip(why_not or "Open the Fleet page with this file chosen")

    def why_not_send(self) -> str:
        """Return why the bundle cannot be sent."""
        if self.bundle is None:
            return NO_BUNDLE
        return "" if self.bundle.verified else NOT_VERIFIED

    def why_none(self) -> str:
        return "" if self.bundle is not None else NO_BUNDLE

    def copy_all(self) -> None:
        """Copy everything shown to the clipboard."""
        if self.bundle is not None:
            lines = [self.name.text(), self.evidence.text, self.verification.text]
            lines += [f"{head}\t{text}" for head, text in list_rows(self.bundle)]
            QApplication.clipboard().setText("\n".join(lines))


class _Verdict(QWidget):
    """A symbol, a big word and a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.symbol, self.word, self.sentence = QLabel(), label(), label(wrap=True)
        self.word.setFont(font(TITLE_PX, bold=True))
        self.word.setMinimumWidth(_WORD_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self.symbol, alignment=top)
        row.addWidget(self.word, alignment=top)
        row.addWidget(self.sentence, 1)

    def show_look(self, look: DisplayStyle, theme: Theme, hint: str = "") -> None:
        colour = theme.colour(look.colour)
        self.symbol.setPixmap(icon(look.symbol, colour).pixmap(QSize(16, 18)))
        self.word.setText(look.word)
        self.word.setStyleSheet(f"font-size: {TITLE_PX}px; font-weight: 600; color: {colour.name()};")
        self.sentence.setText(f"{look.sentence} {hint}".strip())
        self.setAccessibleName(self.text)

    @property
    def text(self) -> str:
        return f"{self.word.text()} {self.sentence.text()}"


class _ClaimsTable(QTreeWidget):
    """Two columns; a head is written only if it differs from the one above."""

    def __init__(self) -> None:
        super().__init__()
        self.setColumnCount(2)
        self.setAccessibleName("Contents of the bundle")
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setIndentation(0)
        self.setStyleSheet("QTreeView::item { padding: 2px 12px; }")
        self.header().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        self.header().resizeSection(0, _HEAD_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def show_rows(self, shown: list[tuple[str, str]], *, claims: bool) -> None:
        self.clear()
        self.setHeaderLabels(["", CLAIMS if claims else SIGNED])
        for (before, _), (head, text) in pairwise([("", ""), *shown]):
            item = QTreeWidgetItem(["" if head == before else head, text])
            item.setToolTip(1, text)
            self.addTopLevelItem(item)


def list_rows(bundle: BundleEntry) -> Iterator[tuple[str, str]]:
    """Yield head and text of each row: first what was verified, then what the file claims."""
    yield "file", bundle.file.name
    yield "sha256", bundle.sha256
    if bundle.signer is not None:
        yield "signer", f"{bundle.signer.key_id} ({bundle.signer.name})"
    if bundle.golden:
        yield "golden", bundle.golden
    yield from (("note", note) for note in bundle.notes)
    yield from bundle.claims
