"""The Bundle page: inputs at the left, the form at the right, and the verification of each bundle."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from workbench.session.actions import Failure
from workbench.window.bundle_page import style
from workbench.window.bundle_page.bundle_details import BundleDetails
from workbench.window.bundle_page.choice_list import ChoiceLine, ChoiceList
from workbench.window.bundle_page.controller import BundleController
from workbench.window.bundle_page.form import BundleForm
from workbench.window.bundle_page.model import BuildRequest
from workbench.window.bundle_page.new_key_dialog import NewKeyDialog
from workbench.window.bundle_page.progress_strip import ProgressStrip
from workbench.window.widgets.basic import button, label
from workbench.window.widgets.dialogs import Dialog
from workbench.window.widgets.file_dialogs import ask_folder, ask_open

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.window.bundle_page.model import BundleEntry, CertificateEntry, Maker, NewKey, RunEntry
    from workbench.window.session_controller import SessionController
    from workbench.window.widgets.themes import Theme

CHOOSE: Final = "Choose on the left"
_LEFT_PX: Final = 400
_LIST_PX: Final = 330
BY_KEYS: Final = "Verify with the trusted keys and replay the golden vectors"
NO_RUN: Final = "Record a run on the Bench page first."
NO_TRUSTED_KEY: Final = "no trusted key yet"
NONE: Final = ChoiceLine("No certificate", None, "ring", "muted", "The bundle contains the run only.")


class BundlePage(QWidget):
    """Shows one bundle controller."""

    fleet_wanted = Signal(object)  # a bundle's file
    dialog_wanted = Signal(Dialog)
    bench_page_wanted = Signal()

    def __init__(self, session_controller: SessionController, maker: Maker, root: Path | None, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName("Bundle page")
        self._session_controller = session_controller
        self.controller = BundleController(session_controller, maker, root)
        self.trusted = label(tone="muted")
        self.form, self.strip, self.details = BundleForm(), ProgressStrip(theme), BundleDetails(theme)
        self.verify = button("Verify a file…", self.ask_bundle)
        self.trust = button("Trusted keys…", self.ask_trust, tip="Choose the folder of public keys to verify with")
        self.again = button("Refresh", self.controller.refresh)
        to_bench = button("Record one", self.bench_page_wanted.emit, "link", tip="Runs are recorded on the Bench page")
        self.runs = ChoiceList("Runs", "No run is recorded yet; a bundle is built from a run.", theme, to_bench)
        self.certificates = ChoiceList(
            "Certificates of this bench file", "None yet; the Certify page makes them.", theme
        )
        self.bundles = ChoiceList("Bundles", "None yet. Build one above, or verify a file.", theme)
        self._lay_out()
        self._wire()
        self._update_buttons()

    def _lay_out(self) -> None:
        self.trusted.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.trusted.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        bar = QHBoxLayout()
        bar.setContentsMargins(16, 12, 16, 8)
        bar.setSpacing(8)
        bar.addWidget(label("Bundle", "title"))
        bar.addSpacing(16)
        bar.addWidget(self.trusted, 1)
        for part in (self.trust, self.verify, self.again):
            bar.addWidget(part)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.form, self.strip):
            column.addWidget(part)
        column.addWidget(_split(Qt.Orientation.Horizontal, (self.bundles, self.details), (_LIST_PX, 600)), 1)
        left = _split(Qt.Orientation.Vertical, (self.runs, self.certificates), (420, 220))
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addLayout(bar)
        page.addWidget(_split(Qt.Orientation.Horizontal, (left, right), (_LEFT_PX, 900)), 1)
        self.setFocusProxy(self.runs.list)

    def _wire(self) -> None:
        form, details, controller = self.form, self.details, self.controller
        form.changed.connect(self._update_buttons)
        form.build_wanted.connect(self.build)
        form.key_wanted.connect(self.ask_new_key)
        form.bench_wanted.connect(controller.choose_bench)
        for lines in (self.runs, self.certificates):
            lines.changed.connect(self._update_buttons)
        self.bundles.changed.connect(self._show_selected)
        self.bundles.activated.connect(self.verify_selected)
        details.verify_wanted.connect(self.verify_selected)
        details.folder_wanted.connect(self.show_folder)
        details.send_wanted.connect(self.send)
        controller.listed.connect(self._on_listed)
        controller.changed.connect(self._update_buttons)
        controller.built.connect(self._on_built)
        controller.verified.connect(self._on_verified)
        controller.broken.connect(self.strip.show_failure)
        controller.cancelled.connect(self.strip.show_cancelled)
        self.strip.cancel_wanted.connect(controller.cancel)
        controller.failed.connect(self._session_controller.failed)
        self._session_controller.values_due.connect(self._show_progress)

    def set_theme(self, theme: Theme) -> None:
        for part in (self.runs, self.certificates, self.bundles, self.strip, self.details):
            part.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's name
        super().showEvent(event)
        self.controller.refresh()

    def _show_progress(self) -> None:
        controller, task = self.controller, self.controller.task
        if controller.doing and task is not None:
            why_not = controller.why_not_cancel()
            sentence = controller.doing if why_not else f"{controller.doing} {task.sentence}".strip()
            self.strip.show_work(sentence, controller.since_s, task.fraction, why_not)

    # ---- contents of the folders

    def _on_listed(self) -> None:
        controller, contents = self.controller, self.controller.contents
        self.form.show_keys(contents.private_keys)
        self.form.show_bench(controller.bench, contents.bench_trouble, contents.bench_name)
        usable = sum(not run.why_not for run in contents.runs)
        fact = f"{usable} of {len(contents.runs)} on this bench file" if contents.runs else ""
        self.runs.show_lines([_run_line(run) for run in contents.runs], fact=fact)
        lines = [_certificate_line(entry) for entry in contents.certificates]
        none_first = [NONE] if lines and lines[0].grey else []
        self.certificates.show_lines([*none_first, *lines, *([] if none_first or not lines else [NONE])], fact="")
        if controller.wanted in [entry.folder for entry in contents.certificates]:
            self.certificates.choose(controller.wanted)
            controller.wanted = None
        self._show_bundles()
        number = len(contents.trusted)
        self.trusted.setText(f"{number} trusted {'key' if number == 1 else 'keys'}" if number else NO_TRUSTED_KEY)
        self.trusted.setToolTip("\n".join((str(controller.trust), *contents.trusted)))
        self._update_buttons()

    def _show_bundles(self, choose: Path | None = None) -> None:
        known = self.controller.bundles.values()
        good = sum(one.verified for one in known)
        self.bundles.show_lines(
            [_bundle_line(one) for one in known], fact=f"{good} of {len(known)} verified" if known else ""
        )
        if choose is not None:
            self.bundles.choose(choose)

    def _show_selected(self) -> None:
        chosen = self.bundles.selected_path
        self.details.show_bundle(None if chosen is None else self.controller.bundles.get(chosen))

    # ---- build

    @property
    def run(self) -> RunEntry | None:
        """The chosen run."""
        return next((run for run in self.controller.contents.runs if run.folder == self.runs.selected_path), None)

    @property
    def certificate(self) -> CertificateEntry | None:
        """The certificate to put into the bundle."""
        chosen = self.certificates.selected_path
        return next((entry for entry in self.controller.contents.certificates if entry.folder == chosen), None)

    def why_not_build(self) -> str:
        """Return why nothing can be built now, as a sentence."""
        run, entry, controller = self.run, self.certificate, self.controller
        why_not = controller.why_no_root() or controller.why_busy() or controller.contents.bench_trouble
        if why_not:
            return why_not
        if run is None:
            return "Choose a run." if controller.contents.runs else NO_RUN
        return run.why_not or ("" if entry is None else entry.why_not) or self.form.why_not()

    def build(self) -> None:
        """Build in a child process; the window goes on."""
        run, entry, form = self.run, self.certificate, self.form
        bench, private = self.controller.bench, form.private
        if self.why_not_build() or run is None or bench is None or private is None:
            return
        folder = None if entry is None else entry.folder
        rest = (
            form.name.text().strip(),
            form.number,
            form.days.value(),
            self.controller.bundles_folder,
            self.controller.trust,
            form.accept.text().strip(),
        )
        self.controller.build(BuildRequest(run.folder, bench, private, folder, *rest))

    def _on_built(self, made: BundleEntry) -> None:
        self.strip.show_result(made)
        self._show_bundles(made.file)

    def _update_buttons(self) -> None:
        run, entry, busy = self.run, self.certificate, self.controller.why_busy()
        self.form.show_start(self.why_not_build())
        self.form.show_run("none chosen" if run is None else f"{run.name}   class {run.evidence}", CHOOSE)
        self.form.show_certificate("none" if entry is None else style.format_certificate(entry), CHOOSE)
        for part in (self.verify, self.details.again):
            part.setEnabled(not busy)
            part.setToolTip(busy or BY_KEYS)

    # ---- verify

    def ask_bundle(self) -> None:
        """Ask for any bundle file and verify it."""
        ask_open(
            self, "Verify a bundle", "Bundles (*.bundle);;All files (*)", self.controller.verify, self.controller.root
        )

    def verify_selected(self) -> None:
        """Verify the shown bundle by the trusted keys, with its golden vectors."""
        if self.details.bundle is not None:
            self.controller.verify(self.details.bundle.file)

    def _on_verified(self, bundle: BundleEntry) -> None:
        self.strip.show_verified(bundle)
        self._show_bundles(bundle.file)

    def ask_trust(self) -> None:
        """Ask for another folder of public keys."""
        ask_folder(self, "Choose the folder of trusted keys", self.controller.choose_trust, self.controller.root)

    # ---- keys

    def ask_new_key(self) -> None:
        """Open the dialog that makes a key pair beside the runs."""
        controller = self.controller
        if controller.root is None:
            self._session_controller.failed.emit(Failure(controller.why_no_root()))
            return
        dialog = NewKeyDialog(self.window(), controller.keys_folder)

        def on_made(pair: NewKey) -> None:
            dialog.show_pair(pair)
            self.form.show_keys(controller.contents.private_keys, pair.private)

        def trusted(copy: Path) -> None:
            dialog.show_trusted(copy)
            controller.forget()

        def troubled(failure: Failure) -> None:
            dialog.show_trouble(" ".join(filter(None, (failure.sentence, failure.hint))))

        dialog.made_wanted.connect(partial(controller.make_key, ready=on_made, failed=troubled))
        dialog.trust_wanted.connect(partial(controller.trust_key, ready=trusted, failed=troubled))
        self.dialog_wanted.emit(dialog)

    # ---- next steps

    def send(self) -> None:
        """Send the bundle: go to the Fleet page."""
        if self.details.bundle is not None and not self.details.why_not_send():
            self.fleet_wanted.emit(self.details.bundle.file)

    def show_folder(self) -> None:
        """Open the folder in the file manager."""
        bundle = self.details.bundle
        if bundle is not None and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(bundle.file.parent))):
            self._session_controller.failed.emit(
                Failure("No program on this machine shows folders.", f"Open it yourself: {bundle.file.parent}")
            )


def _split(way: Qt.Orientation, parts: tuple[QWidget, ...], sizes: tuple[int, ...]) -> QSplitter:
    made = QSplitter(way)
    made.setHandleWidth(1)
    made.setChildrenCollapsible(False)
    for number, part in enumerate(parts):
        made.addWidget(part)
        made.setStretchFactor(number, number)
    made.setSizes(list(sizes))
    return made


def _run_line(run: RunEntry) -> ChoiceLine:
    look = style.find_class_style(run.evidence)
    return ChoiceLine(style.format_run(run), run.folder, look.symbol, look.colour, run.name, run.why_not)


def _certificate_line(entry: CertificateEntry) -> ChoiceLine:
    symbol, colour = ("cross", "fail") if entry.why_not else ("ok", "green")
    return ChoiceLine(style.format_certificate(entry), entry.folder, symbol, colour, str(entry.folder), entry.why_not)


def _bundle_line(bundle: BundleEntry) -> ChoiceLine:
    look = style.find_bundle_style(bundle)
    tip = f"{look.word}: {look.sentence}" + (f"\nExpires {bundle.expires}" if bundle.expires else "")
    return ChoiceLine(style.format_bundle(bundle), bundle.file, look.symbol, look.colour, tip)
