"""Dialog that makes a key pair and shows where to keep each key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit

from workbench.window.widgets.basic import button, label
from workbench.window.widgets.dialogs import Dialog

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from workbench.window.bundle_page.model import NewKey

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_TEXT: Final = "The private key signs bundles. An edge accepts them if it trusts the public key."


class NewKeyDialog(Dialog):
    """Emits `made_wanted` with the name, `trust_wanted` with the public key; stays open to show where the keys are."""

    made_wanted = Signal(str)
    trust_wanted = Signal(object)

    def __init__(self, parent: QWidget | None, folder: Path) -> None:
        super().__init__(parent, "New key", _TEXT, "Make the pair")
        self.setMinimumWidth(560)
        self.pair: NewKey | None = None
        self.name = QLineEdit("release")
        self.name.setAccessibleName("Name of the key")
        self.name.selectAll()
        self.where = label(f"Both keys are written into {folder}.", "muted", wrap=True)
        self.message = label(wrap=True)
        self.message.hide()
        self.trust = button("Trust it on this machine", self._trust)
        self.trust.setToolTip("Copy the public key into the trust folder that this page verifies with")
        self.trust.hide()
        for part in (self.name, self.where, self.message, self.trust):
            self.body.addWidget(part)
        self.name.textChanged.connect(self._update_buttons)
        self._update_buttons()
        self.name.setFocus()

    def _update_buttons(self) -> None:
        good = _NAME.fullmatch(self.name.text().strip()) is not None
        why_not = "" if good else "A name has letters, digits, '.', '-', '_', up to 60."
        self.yes.setEnabled(not why_not)
        self.yes.setToolTip(why_not)

    def accept(self) -> None:
        """Make the pair the first time; close the second time."""
        if self.pair is not None:
            super().accept()
        elif self.yes.isEnabled():
            self.yes.setEnabled(False)
            self.made_wanted.emit(self.name.text().strip())

    def show_pair(self, pair: NewKey) -> None:
        """Show where each key is stored and where to put it."""
        self.pair = pair
        self.message.setText(
            f"Private: {pair.private}\nKeep it where bundles are signed, and nowhere else.\n\n"
            f"Public: {pair.public}\nCopy it into the trust folder of every edge.\n\nKey id {pair.key_id[:16]}"
        )
        self.message.show()
        self.trust.show()
        self.name.setEnabled(False)
        self.where.hide()
        self.yes.setText("Done")
        self.yes.setEnabled(True)
        self.no.hide()
        self.adjustSize()

    def show_trouble(self, sentence: str) -> None:
        """Show why the pair was not made; the user can try another name."""
        self.message.setText(sentence)
        self.message.show()
        self._update_buttons()

    def show_trusted(self, copy: Path) -> None:
        self.trust.setEnabled(False)
        self.trust.setText("Trusted here")
        self.trust.setToolTip(str(copy))

    def _trust(self) -> None:
        if self.pair is not None:
            self.trust_wanted.emit(self.pair.public)
