"""The whole window: the shell filled with its pages after the first paint."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from control.state import OutputState
from workbench.session.actions import Action, Failure
from workbench.window.bench_page import commands as bench_commands
from workbench.window.bench_page.checklist import ChecklistDialog
from workbench.window.bench_page.page import BenchPage
from workbench.window.bundle_page import commands as bundle_commands
from workbench.window.bundle_page.maker import BundleMaker
from workbench.window.bundle_page.page import BundlePage
from workbench.window.certify_page import commands as certify_commands
from workbench.window.certify_page.certifier import BenchCertifier
from workbench.window.certify_page.page import CertifyPage
from workbench.window.close_question import list_live_work
from workbench.window.command_palette import CommandPalette
from workbench.window.control_page import commands as control_commands
from workbench.window.control_page.page import ControlPage
from workbench.window.dialog_opener import DialogOpener
from workbench.window.fleet_page import commands as fleet_commands
from workbench.window.fleet_page.backend import LocalFleetBackend
from workbench.window.fleet_page.page import FleetPage
from workbench.window.health_page import commands as health_commands
from workbench.window.health_page.page import HealthPage
from workbench.window.notification_bar import Notices
from workbench.window.rail import PAGES
from workbench.window.runs_page import commands as runs_commands
from workbench.window.runs_page.page import RunsPage
from workbench.window.session_commands import LIVE, SessionCommands
from workbench.window.support_file import SupportFile
from workbench.window.toolbar import NO_RECORDING
from workbench.window.twin_page import commands as twin_commands
from workbench.window.twin_page.page import TwinPage
from workbench.window.widgets.dialogs import DetailsDialog
from workbench.window.widgets.themes import THEMES, Theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.event import EventRecord
    from workbench.session.session import Session
    from workbench.window.runs_page.runs_model import RecordedRuns
    from workbench.window.shell import Shell
    from workbench.window.widgets.dialogs import QuestionDialog


class Window(QObject):
    """Pages and dialogs around one shell."""

    def __init__(self, shell: Shell, past: RecordedRuns | None, open_bench: Callable[[Path], Session] | None) -> None:
        super().__init__(shell)
        self.shell, self.controller, self.commands = shell, shell.controller, shell.commands
        self._open_bench = open_bench
        self.checklist: ChecklistDialog | None = None
        self._quit_question: QuestionDialog | None = None
        self._bench_error: Failure | None = None
        self.dialogs = DialogOpener(shell)
        self.notices = Notices(shell.stack)
        self._make_pages(past)
        self.session_commands = SessionCommands(self.dialogs, self.bench, self.certify.controller.why_no_connect)
        self._declare_commands()
        self._wire()
        self._wire_pages()
        shell.may_close = self._may_close
        shell.closing.connect(self.controller.background.close)  # after the pages have finished
        self.show_page("Bench")

    def _make_pages(self, past: RecordedRuns | None) -> None:
        """Make the pages over the folder of runs; what they start ends with the window."""
        shell, controller, root = self.shell, self.controller, past.folder if past else None
        self.support_file = SupportFile(shell, root)
        self.bench = BenchPage(controller, shell.theme)
        self.twin = TwinPage(controller.background, root, shell.theme)
        self.control = ControlPage(controller, self.bench, root, shell.theme)
        self.runs = RunsPage(past)
        self.certify = CertifyPage(controller, BenchCertifier(root), shell.theme)
        self.bundle = BundlePage(controller, BundleMaker(controller.background), root, shell.theme)
        self.fleet = FleetPage(controller, LocalFleetBackend(), root, shell.theme)
        self.health = HealthPage(controller.background, shell.theme)
        pages = {"Bench": self.bench, "Twin": self.twin, "Control": self.control, "Certify": self.certify}
        pages |= {"Runs": self.runs, "Bundle": self.bundle, "Fleet": self.fleet, "Health": self.health}
        for page in PAGES:
            shell.add_page(page, pages[page])
        own = (self.bench, self.twin, self.control, self.certify, self.bundle, self.fleet, self.health)
        for themed in own:
            shell.themed.connect(themed.set_theme)
        for end in (self.certify.controller.close, self.bundle.controller.close, self.fleet.connection.close):
            shell.closing.connect(end)

    def _declare_commands(self) -> None:
        self.session_commands.declare()
        work, failure, add = self.notices.work, self.notices.failure, self.commands.add
        add("cancel work", "Cancel what is under way", work.stop, why_not=work.why_not)
        add("dismiss", "Close the message", failure.hide, why_not=failure.why_not)
        add("copy message", "Copy the message with its details", failure.copy_all, why_not=failure.why_not)
        self.commands.replace("show run", "Show this run in Runs", self.show_run, why_not=self.why_no_run)
        if self._open_bench is not None:
            add("open bench", "Open a bench file…", self.ask_bench, "Ctrl+O", why_not=self.why_no_other_bench)
        add("save report", "Help: save a file for support…", self.support_file.ask)
        add("palette", "Commands…", self.show_palette, "Ctrl+Shift+P")
        add("filter", "Filter signals, cases or runs", self.focus_filter, "Ctrl+F")
        for number, page in enumerate(PAGES, 1):
            add(f"page {page}", f"Go to {page}", partial(self.show_page, page), f"Ctrl+{number}")
        bench_commands.declare(self.bench, self.commands)
        twin_commands.declare(self.twin, self.runs, self.commands, partial(self.show_page, "Twin"))
        control_commands.declare(self.control, self.commands, partial(self.show_page, "Control"))
        runs_commands.declare(self.runs, self.commands)
        certify_commands.declare(self.certify, self.commands)
        bundle_commands.declare(self.bundle, self.commands)
        fleet_commands.declare(self.fleet, self.commands)
        health_commands.declare(self.health, self.commands)
        add("theme", lambda: f"Use the {self.other_theme.name} theme", self.switch_theme, "Ctrl+T")
        add("quit", "Quit", self.ask_quit, "Ctrl+Q")

    def _wire(self) -> None:
        controller, shell = self.controller, self.shell
        shell.themed.connect(self._show_line)
        shell.wanted.connect(self.show_page)
        controller.changed.connect(self._on_status_changed)
        controller.failed.connect(self.notices.failure.show_failure)
        controller.values_due.connect(self._on_values_due)
        controller.work_changed.connect(self._on_work_changed)

    def _wire_pages(self) -> None:
        """Connect the pages: a run opens the Bench page, a certificate the Bundle page, a bundle the Fleet page."""
        bench, runs, bundle, fleet = self.bench, self.runs, self.bundle, self.fleet
        bench.board.view.changed.connect(self._on_view_changed)
        bench.message.connect(self.shell.line.say)
        self.control.lane_wanted.connect(self.session_commands.ask_lane)
        self.control.connect_wanted.connect(bench.connect_wanted)
        self.control.question_wanted.connect(self.dialogs.ask)
        bench.alarms.details_wanted.connect(self.show_event)
        runs.replay_ready.connect(self._replay)
        for page in (runs, bundle):
            page.bench_page_wanted.connect(partial(self.show_page, "Bench"))
        for page in (bundle, fleet):
            page.dialog_wanted.connect(self.dialogs.open)
        self.certify.controller.changed.connect(self._on_certification_changed)
        for part in (self.control.training.controller, self.control.promotion.judging):
            part.changed.connect(self._on_control_changed)
        self.certify.bundle_wanted.connect(self._make_bundle)
        bundle.fleet_wanted.connect(self._offer_bundle)
        self.twin.failed.connect(self.controller.failed)
        self.twin.controller.changed.connect(self._on_twin_changed)
        fleet.connection.failed.connect(self.controller.failed)
        self.health.failed.connect(self.controller.failed)
        self.health.controller.changed.connect(self._on_health_changed)
        fleet.message.connect(self.shell.line.say)

    # ---- what changes

    def _on_certification_changed(self) -> None:
        self._show_toolbar()
        self.shell.rail.mark("Certify", self.certify.controller.word)

    def _on_twin_changed(self) -> None:
        self.shell.rail.mark("Twin", self.twin.controller.word)

    def _on_control_changed(self) -> None:
        self.shell.rail.mark("Control", self.control.word)

    def _on_health_changed(self) -> None:
        self.shell.rail.mark("Health", self.health.controller.word)

    def _on_status_changed(self) -> None:
        self._show_toolbar()
        session = self.controller.session
        if session is not None:
            self._name_bench(session)
            self._show_bench_error(session.bench_error)

    def _show_bench_error(self, error: Failure | None) -> None:
        """Show why the bench file cannot be used, once; a message about an earlier file is gone by then."""
        if error is not None and error is not self._bench_error:
            self.notices.failure.show_failure(error)
        self._bench_error = error

    def _show_toolbar(self) -> None:
        """Refresh the toolbar; show the outputs as unknown while a certification holds the bench."""
        self.shell.toolbar.refresh()
        if self.certify.controller.holds_bench:
            self.shell.toolbar.badge.show_output(OutputState.UNKNOWN)

    def _name_bench(self, session: Session) -> None:
        bar = self.shell.toolbar
        file = Path(session.bench.file).name or session.bench.name
        if bar.bench.text() != f"{file} ▾":
            bar.bench.setText(f"{file} ▾")
            bar.bench.setToolTip(session.bench.file)
            bar.menu.clear()
            for name in ("connect", "open bench"):
                if name in self.commands.commands:
                    bar.menu.addAction(self.commands.commands[name].words(), partial(self.commands.run, name))

    def _on_values_due(self) -> None:
        shell = self.shell
        shell.toolbar.show_time(self.controller.status.run_s)
        drawn = (
            max((plot.canvas.frames for plot in page.plots), default=0)
            for page in (self.bench.board, self.control.lanes, self.fleet.detail)
        )
        if shell.stats.look(sum(drawn)):
            self._show_line()

    def _show_line(self) -> None:
        session = self.controller.session
        bench = session.bench if session else None
        self.shell.line.show_facts(bench, self.controller.status, self.shell.stats, alarms=self.bench.hidden_alarms)

    def _on_work_changed(self) -> None:
        status = self.controller.status
        self.notices.work.show_work([*self.controller.pending, *self.controller.background.shown])
        arming = next((work for work in self.controller.pending if work.action is Action.ARM and not work.done), None)
        if arming is not None and self.checklist is None:
            self.checklist = ChecklistDialog(self.shell, self.shell.theme)
            self.checklist.finished.connect(self._on_checklist_finished)
            self.dialogs.open(self.checklist)
        if self.checklist is not None:
            self.checklist.show_checks(status.checklist, arming)
            if arming is None and status.state in LIVE:
                self.checklist.accept()

    def _on_checklist_finished(self) -> None:
        self.checklist = None

    # ---- dialogs

    def show_event(self, record: EventRecord) -> None:
        """Show an event in full."""
        event = record.event
        self.dialogs.open(DetailsDialog(self.shell, Failure(event.text, event.source, event.detail)))

    # ---- the bench file

    def why_no_other_bench(self) -> str:
        return "Disconnect the bench first." if self.controller.connected else self.certify.controller.why_busy()

    def ask_bench(self) -> None:
        dialog = QFileDialog(self.shell, "Open a bench file", "", "Bench files (*.toml)")
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # so that Ctrl+. reaches us
        dialog.fileSelected.connect(self._open_file)
        dialog.open()

    def _open_file(self, file: str) -> None:
        self.open_bench(Path(file))

    def open_bench(self, file: Path) -> None:
        """Open another bench in this window and end the old session; do nothing while connected."""
        if self._open_bench is not None and not self.controller.connected:
            self.controller.close()
            self.notices.failure.hide()
            self.bench.forget()
            self.controller.open(self._open_bench(file))

    # ---- the view

    def show_page(self, name: str) -> None:
        """Bring a page to the front and set the keyboard focus to its first control."""
        self.shell.show_page(name)
        if name == "Runs":
            self.runs.refresh()
        elif name == "Certify":
            self.certify.refresh()
        {"Bench": self.bench.board.plots[0], "Runs": self.runs.view}.get(name, self.shell.pages[name]).setFocus()

    def show_run(self) -> None:
        """Select the run that is being recorded in the list of runs."""
        self.show_page("Runs")
        self.runs.refresh(self.controller.status.run_name)

    def _replay(self, source: object, name: str) -> None:
        self.show_page("Bench")
        self.bench.show_replay(source, name)  # pyright: ignore[reportArgumentType]  # Qt hands objects over untyped

    def _make_bundle(self, certificate: Path) -> None:
        self.bundle.controller.want_certificate(certificate)
        self.show_page("Bundle")

    def _offer_bundle(self, file: Path) -> None:
        self.show_page("Fleet")
        self.fleet.offer(file)

    def why_no_run(self) -> str:
        return "" if self.controller.status.run_name else NO_RECORDING

    def show_palette(self) -> None:
        self.dialogs.open(CommandPalette(self.shell, self.commands, self.shell.theme))

    def _on_view_changed(self) -> None:
        self.shell.toolbar.paused = self.bench.board.view.paused
        self._show_toolbar()

    def focus_filter(self) -> None:
        """Focus the filter of the page (runs, cases, packs), else the filter of signals on the Bench page."""
        own = {"Runs": self.runs.filter, "Certify": self.certify.picker.filter}
        own["Fleet"] = self.fleet.bar.filter
        if self.shell.page in own:
            own[self.shell.page].setFocus()
            own[self.shell.page].selectAll()
            return
        self.show_page("Bench")
        self.bench.docks["signals"].show()
        self.bench.tree.filter.setFocus()
        self.bench.tree.filter.selectAll()

    @property
    def other_theme(self) -> Theme:
        return THEMES["light" if self.shell.theme.name == "dark" else "dark"]

    def switch_theme(self) -> None:
        self.shell.set_theme(self.other_theme)

    def ask_quit(self) -> None:
        """Quit, as the window's X does: ask first while anything is live."""
        self.shell.close()

    def close(self) -> None:
        """Close without a question."""
        self.shell.leave()

    def _may_close(self) -> bool:
        """Whether the window may close at once; if not, ask, once, however the user closes it."""
        controller = self.controller
        live = list_live_work(
            controller.status,
            controller.pending,
            controller.background.at_close,
            was_connected=controller.session is not None and controller.session.ring is not None,
            certifying=self.certify.controller.on,
        )
        if live and self._quit_question is None:
            self._quit_question = self.dialogs.ask("Quit?", " ".join(live), "Quit", self.shell.leave)
            self._quit_question.finished.connect(self._on_quit_answered)
        return not live

    def _on_quit_answered(self) -> None:
        self._quit_question = None
