"""What to fit: the list of tests, the cell of before, and the file of the fitted cell."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workbench.window.control_page.form_layout import lay_out_form, show_reasons
from workbench.window.twin_page.dropped_file import find_cell_name
from workbench.window.twin_page.lay_form import NONE_YET, STOP_TIP
from workbench.window.twin_page.model import RefitRequest
from workbench.window.widgets.basic import button
from workbench.window.widgets.cell_choice import CellChoice
from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.file_dialogs import ask_new, ask_open

if TYPE_CHECKING:
    from pathlib import Path

KIND: Final = "Lists of tests (*.toml)"
OUT_KIND: Final = "Cells (*.toml)"
FIT_TIP: Final = "Fit a cell to the tests that are not held, in a child process; the window goes on"
ANEW: Final = "a new file"


class RefitForm(QWidget):
    """Emits the user's requests."""

    fit_wanted = Signal()
    stop_wanted = Signal()
    changed = Signal()

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self.tests: Path | None = None
        self.file: Path | None = None  # of the fitted cell; None: a new one
        self._folder = folder
        self.list, self.out = ElidedLabel("muted"), ElidedLabel("muted")
        self.open = button("Open…", self.ask_tests, "link", tip="Choose a list of tests (TOML)")
        self.change = button("Change…", self.ask_out, "link", tip="Choose the file of the fitted cell")
        self.before = CellChoice("Cell of before")
        self.fit = button("Fit", self.fit_wanted.emit, "primary")
        self.stop = button("Stop", self.stop_wanted.emit)
        self.list.say(NONE_YET)
        self.out.say(ANEW)
        rows = [("Tests", _join(self.list, self.open)), ("Before", self.before), ("Into", _join(self.out, self.change))]
        lay_out_form(self, "Refit", rows, (self.fit, self.stop))

    def make_request(self) -> RefitRequest | None:
        """Return what the form asks for; None without a list of tests."""
        if self.tests is None:
            return None
        return RefitRequest(self.tests, self.file or self._name_file(self.tests), self.before.value)

    def choose_tests(self, path: Path) -> None:
        """Take a list of tests."""
        self.tests = path
        self.list.say(path.name, str(path))
        self.changed.emit()

    def choose_out(self, path: Path) -> None:
        """Write the next fitted cell there."""
        self.file = path if path.suffix else path.with_suffix(".toml")
        self.out.say(self.file.name, str(self.file))

    def ask_tests(self) -> None:
        ask_open(self, "Choose a list of tests", KIND, self.choose_tests)

    def ask_out(self) -> None:
        ask_new(self, "Choose the file of the fitted cell", OUT_KIND, self.choose_out)

    def show_reasons(self, fit: str, stop: str) -> None:
        """Disable buttons that cannot act; their tool tip states why."""
        show_reasons(((self.fit, fit, FIT_TIP), (self.stop, stop, STOP_TIP)))

    def _name_file(self, tests: Path) -> Path:
        """Return a new file, named after the cell of the list."""
        folder, name = self._folder or tests.parent, find_cell_name(tests)
        files = (folder / f"{name}{f'_{number}' if number else ''}.toml" for number in count())
        return next(file for file in files if not file.exists())


def _join(text: ElidedLabel, part: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(text, 1)
    row.addWidget(part)
    return row
