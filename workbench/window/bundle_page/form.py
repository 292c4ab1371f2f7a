"""Form of a new bundle: its inputs and its name; the button's tool tip states why it cannot be built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget

from edge_bridge.bundle.manifest import MAX_SERIAL, NAME
from workbench.bundling.deviations import MAX_REASON
from workbench.window.widgets.basic import Combo, button, label, pad_text
from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.file_dialogs import ask_open
from workbench.window.widgets.themes import TITLE_PX, font

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OTHER: Final = "Other key…"
NO_KEY: Final = "no key yet"
NO_PRIVATE_KEY: Final = "Choose a private key, or make one with New key…"
BAD_NAME: Final = "A name has letters, digits, '.', '-', '_', up to 60, and begins with a letter or digit."
BAD_SERIAL: Final = f"A serial is a whole number up to {MAX_SERIAL}, or empty."
_DAYS: Final = 365
_MOST_DAYS: Final = 36_500


class BundleForm(QWidget):
    """Emits the user's requests; the `show_...` methods show what was chosen at the left."""

    changed = Signal()
    bench_wanted = Signal(object)  # Path
    key_wanted = Signal()
    build_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[Path] = []
        self._at = 0
        self._named = ""  # the name that was filled in, not typed
        self.run, self.bench, self.certificate = ElidedLabel(), ElidedLabel(), ElidedLabel()
        self.name, self.serial, self.days = QLineEdit(), QLineEdit(), QSpinBox()
        self.accept = QLineEdit()
        self.keys = Combo()
        self.other = button("Other…", self.ask_bench, "link", tip="Another bench file")
        self.new_key = button("New key…", self.key_wanted.emit)
        self.build = button("Build and sign", self.build_wanted.emit, "primary")
        self._dress()
        self._lay_out()
        self.show_keys(())

    def _dress(self) -> None:
        self.name.setAccessibleName("Name of the bundle")
        self.serial.setAccessibleName("Serial of the bundle")
        self.serial.setPlaceholderText("from the time")
        self.serial.setToolTip("An edge installs no older serial. Leave this empty for the date and time as a number.")
        self.accept.setAccessibleName("Reason to accept deviations of the evidence")
        self.accept.setPlaceholderText("nothing; a reason accepts an injected fault or a part of a suite")
        self.accept.setToolTip("The reason is written into the bundle, and shown wherever the bundle is shown.")
        self.accept.setMaxLength(MAX_REASON)
        self.days.setAccessibleName("Days until it expires")
        self.days.setRange(1, _MOST_DAYS)
        self.days.setValue(_DAYS)
        for part in (self.run, self.bench, self.certificate):
            part.setMinimumHeight(20)
        self.days.setSuffix(" days")
        pad_text(self.days)
        self.days.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.keys.setAccessibleName("Private key")
        self.keys.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.keys.setMinimumContentsLength(6)
        self.build.setFont(font(TITLE_PX, bold=True))
        self.build.setStyleSheet(f"font-size: {TITLE_PX}px; padding: 8px 24px;")
        for part in (self.name, self.serial):
            part.textChanged.connect(self.changed)
        self.keys.activated.connect(self._key_chosen)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 4, 16, 8)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        bench, key, names = (QHBoxLayout() for _ in range(3))
        for row, parts in ((bench, (self.bench, self.other)), (key, (self.keys, self.new_key))):
            row.setSpacing(8)
            for part in parts:
                row.addWidget(part)
        names.setSpacing(8)
        for part in (self.name, label("Serial", "muted"), self.serial, label("Valid", "muted"), self.days):
            names.addWidget(part)
        names.setStretch(0, 1)
        names.setStretch(2, 1)
        words = ("From", "Bench file", "Certificate", "Private key", "Name", "Accepted")
        parts = (self.run, bench, self.certificate, key, names, self.accept)
        for line, (word, part) in enumerate(zip(words, parts, strict=True)):
            grid.addWidget(label(word, "muted"), line, 0)
            if isinstance(part, QWidget):
                grid.addWidget(part, line, 1)
            else:
                grid.addLayout(part, line, 1)
        grid.addWidget(self.build, 4, 2, 2, 1, Qt.AlignmentFlag.AlignBottom)

    # ---- the choices

    @property
    def private(self) -> Path | None:
        """The private key that signs."""
        at = self.keys.currentIndex()
        return self._keys[at] if 0 <= at < len(self._keys) else None

    @property
    def number(self) -> int | None:
        """The serial that was typed."""
        text = self.serial.text().strip()
        return int(text) if text.isascii() and text.isdigit() else None

    def why_not(self) -> str:
        """Return what is missing or invalid, as a sentence."""
        text = self.serial.text().strip()
        if self.private is None:
            return NO_PRIVATE_KEY
        if not NAME.fullmatch(self.name.text().strip()):
            return BAD_NAME
        if text and (self.number is None or self.number > MAX_SERIAL):
            return BAD_SERIAL
        return ""

    def show_start(self, why_not: str) -> None:
        self.build.setEnabled(not why_not)
        self.build.setToolTip(why_not or "Replay the estimator, sign, and verify the result as an edge does")

    # ---- keys

    def show_keys(self, known: Sequence[Path], choose: Path | None = None) -> None:
        """Show the keys beside the runs and those chosen from other folders."""
        before = choose or self.private
        elsewhere = [path for path in self._keys if path not in known and path.exists()]
        self._keys = [*known, *elsewhere]
        if choose is not None and choose not in self._keys:
            self._keys.append(choose)
        self.keys.clear()
        self.keys.addItems([path.stem for path in self._keys] or [NO_KEY])
        for number, path in enumerate(self._keys):
            self.keys.setItemData(number, str(path), Qt.ItemDataRole.ToolTipRole)
        self.keys.addItem(OTHER)
        self.keys.setCurrentIndex(self._keys.index(before) if before in self._keys else 0)
        self._at = self.keys.currentIndex()
        self.keys.setToolTip(str(self.private or "This key signs bundles; keep it on this machine."))
        self.changed.emit()

    def _key_chosen(self, at: int) -> None:
        if at == self.keys.count() - 1:
            self.keys.setCurrentIndex(self._at)
            self.ask_key()
        else:
            self._at = at
            self.keys.setToolTip(str(self.private or ""))
            self.changed.emit()

    def ask_key(self) -> None:
        """Ask for a private key in another folder."""
        kinds = "Private keys (*.key *.pem);;All files (*)"
        ask_open(self, "Choose a private key", kinds, lambda file: self.show_keys(self._keys, file))

    def ask_bench(self) -> None:
        """Ask for the bench file that the run was recorded with."""
        ask_open(self, "Choose the run's bench file", "Bench files (*.toml)", self.bench_wanted.emit)

    # ---- facts

    def show_run(self, text: str, tip: str) -> None:
        self.run.say(text, tip)

    def show_bench(self, path: Path | None, trouble: str, name: str) -> None:
        """Show the bench file; take the bundle's name from it unless the user has typed one."""
        self.bench.say(trouble or ("" if path is None else path.name), str(path or ""))
        fitting = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
        if fitting and self.name.text() in ("", self._named):
            self._named = fitting
            self.name.setText(fitting)

    def show_certificate(self, text: str, tip: str) -> None:
        self.certificate.say(text, tip)
