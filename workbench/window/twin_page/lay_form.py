"""What to lay: the log or run, the cell, the model, and how the log is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget

from workbench.window.control_page.form_layout import lay_out_form, show_reasons
from workbench.window.twin_page.model import MODELS, LayRequest
from workbench.window.widgets.basic import Combo, button, pad_text
from workbench.window.widgets.cell_choice import CellChoice
from workbench.window.widgets.elided_label import ElidedLabel
from workbench.window.widgets.file_dialogs import ask_folder, ask_open
from workbench.window.widgets.pack_choice import PackChoice

if TYPE_CHECKING:
    from pathlib import Path

KINDS: Final = "Logs (*.csv *.txt *.tsv *.parquet *.xlsx *.mf4 *.mdf *.mat);;All files (*)"
NONE_YET: Final = "none yet"
FROM_LOG: Final = "from the log"
NO_RUN: Final = "not a run"
LAY_TIP: Final = "Run the model under the log's current, in a child process; the window goes on"
STOP_TIP: Final = "End it within seconds; it leaves nothing"
SOC_TIP: Final = "State of charge where the log starts; by default its first voltages tell it"
NUMBER_TIP: Final = "The cell of a run, from 1"
DEGC_TIP: Final = "Temperature of the cell, of a log that has none"
COLUMNS_TIP: Final = "Where the headers are not known: time=...,voltage=...,current=...,temperature=...,ah=..."
SIGNS: Final = (("found in the log", ""), ("positive is charge", "charge"), ("positive is discharge", "discharge"))
_MOST_CELLS: Final = 24
_UNSET: Final = -0.1
_UNSET_DEGC: Final = -60.0
_HIGHEST_DEGC: Final = 120.0


class LayForm(QWidget):
    """Emits the user's requests."""

    lay_wanted = Signal()
    stop_wanted = Signal()
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.path: Path | None = None
        self.log = ElidedLabel("muted")
        self.open = button("Log…", self.ask_log, "link", tip="Choose the log of a cell")
        self.open_run = button("Run…", self.ask_run, "link", tip="Choose the folder of a run")
        self.cell, self.model, self.sign = CellChoice("Cell"), Combo(), Combo()
        self.soc, self.degc, self.number, self.columns = QDoubleSpinBox(), QDoubleSpinBox(), QSpinBox(), QLineEdit()
        self.pack = PackChoice()
        self.lay = button("Lay twin", self.lay_wanted.emit, "primary")
        self.stop = button("Stop", self.stop_wanted.emit)
        self._dress()
        self._lay_out()

    def _dress(self) -> None:
        self.log.say(NONE_YET)
        self.model.addItems([model.upper() for model in MODELS])
        for words, sign in SIGNS:
            self.sign.addItem(words, sign)
        for combo, name in ((self.model, "Model"), (self.sign, "Sign of the current")):
            combo.setAccessibleName(name)
            combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            combo.setMinimumContentsLength(8)
        for spin, least, most, suffix in (
            (self.soc, _UNSET, 100.0, " %"),
            (self.degc, _UNSET_DEGC, _HIGHEST_DEGC, " °C"),
        ):
            spin.setRange(least, most)
            spin.setDecimals(1)
            spin.setValue(least)
            spin.setSuffix(suffix)
        self.number.setRange(0, _MOST_CELLS)
        for spin, name, unset, tip in (
            (self.soc, "State of charge at the start", FROM_LOG, SOC_TIP),
            (self.degc, "Temperature of the log", FROM_LOG, DEGC_TIP),
            (self.number, "Cell of a run", NO_RUN, NUMBER_TIP),
        ):
            spin.setAccessibleName(name)
            spin.setSpecialValueText(unset)
            spin.setToolTip(tip)
            spin.setAlignment(Qt.AlignmentFlag.AlignRight)
            pad_text(spin)
        self.columns.setAccessibleName("Columns")
        self.columns.setPlaceholderText("known headers")
        self.columns.setToolTip(COLUMNS_TIP)
        self.columns.setAcceptDrops(False)  # a file belongs to the page

    def _lay_out(self) -> None:
        log = QHBoxLayout()
        log.setSpacing(8)
        log.addWidget(self.log, 1)
        log.addWidget(self.open)
        log.addWidget(self.open_run)
        rows = (
            *(("Log", log), ("Cell", self.cell), ("Model", self.model), ("Start", self.soc)),
            *(("Temperature", self.degc), ("Number", self.number), ("Pack", self.pack)),
            *(("Columns", self.columns), ("Current", self.sign)),
        )
        lay_out_form(self, "Twin", rows, (self.lay, self.stop))

    # ---- the choices

    @property
    def request(self) -> LayRequest | None:
        """What the form asks for; None without a log."""
        if self.path is None:
            return None
        soc, degc = self.soc.value(), self.degc.value()
        series, parallel = self.pack.value
        return LayRequest(
            self.path,
            self.cell.value,
            MODELS[self.model.currentIndex()],
            None if soc < 0.0 else round(soc / 100.0, 4),
            self.number.value() or None,
            self.columns.text().strip(),
            str(self.sign.currentData()),
            None if degc <= _UNSET_DEGC else degc,
            series,
            parallel,
        )

    def choose_log(self, path: Path) -> None:
        """Take a log."""
        self.number.setValue(0)
        self._take(path)

    def choose_run(self, path: Path) -> None:
        """Take the folder of a run, and its first cell."""
        self.number.setValue(max(1, self.number.value()))
        self._take(path)

    def _take(self, path: Path) -> None:
        self.path = path
        self.log.say(path.name, str(path))
        self.changed.emit()

    def ask_log(self) -> None:
        ask_open(self, "Choose a log", KINDS, self.choose_log)

    def ask_run(self) -> None:
        ask_folder(self, "Choose the folder of a run", self.choose_run)

    def show_reasons(self, lay: str, stop: str) -> None:
        """Disable buttons that cannot act; their tool tip states why."""
        show_reasons(((self.lay, lay, LAY_TIP), (self.stop, stop, STOP_TIP)))
