"""The whole window: the shell filled with its pages after the first paint."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog

from control.state import BenchState, OutputState
from workbench.session.actions import Action, Failure
from workbench.window import commands, page_wiring
from workbench.window.bench_page.checklist import ChecklistDialog
from workbench.window.bench_page.page import BenchPage
from workbench.window.certify_page.certifier import BenchCertifier
from workbench.window.certify_page.page import CertifyPage
from workbench.window.command_palette import CommandPalette
from workbench.window.notification_bar import Notices
from workbench.window.planned_pages import COMING
from workbench.window.rail import PAGES
from workbench.window.runs_page.page import RunsPage
from workbench.window.widgets.dialogs import DetailsDialog, Dialog, InjectDialog, QuestionDialog, ReasonDialog
from workbench.window.widgets.placeholder import PlaceholderPage
from workbench.window.widgets.themes import THEMES, Theme

BENCH_TAKEN = "bench_taken"  # error code of a supply that is under remote control of another client

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.event import EventRecord
    from workbench.session.session import Session
    from workbench.window.runs_page.runs_model import RecordedRuns
    from workbench.window.shell import Shell


class Window(QObject):
    """Pages and dialogs around one shell."""

    def __init__(self, shell: Shell, past: RecordedRuns | None, open_bench: Callable[[Path], Session] | None) -> None:
        super().__init__(shell)
        self.shell, self.controller, self.commands = shell, shell.controller, shell.commands
        self._past, self._open_bench = past, open_bench
        self.checklist: ChecklistDialog | None = None
        self.notices = Notices()
        shell.above.insertWidget(0, self.notices)
        self.bench = BenchPage(self.controller, shell.theme)
        self.runs = RunsPage(past)
        self.certify = CertifyPage(self.controller, BenchCertifier(past.folder if past else None), shell.theme)
        self.bundle, self.fleet = page_wiring.make_pages(shell, past.folder if past else None)
        made_pages = {"Bench": self.bench, "Certify": self.certify, "Runs": self.runs}
        made_pages |= {"Bundle": self.bundle, "Fleet": self.fleet}
        for page in PAGES:
            if page in COMING:
                sentences, buttons = COMING[page]
                made = [(word, partial(self.commands.run, action)) for word, action in buttons]
                shell.add_page(page, PlaceholderPage(page, sentences, made))
            else:
                shell.add_page(page, made_pages[page])
        commands.declare(self)
        self._wire()
        shell.closing.connect(self.controller.background.close)  # after the pages have finished
        self.show_page("Bench")

    def _wire(self) -> None:
        controller, bench, shell = self.controller, self.bench, self.shell
        shell.themed.connect(bench.set_theme)
        shell.themed.connect(self._show_line)
        shell.themed.connect(self.certify.set_theme)
        shell.closing.connect(self.certify.controller.close)
        shell.wanted.connect(self.show_page)
        controller.changed.connect(self._on_status_changed)
        controller.failed.connect(self.notices.failure.show_failure)
        controller.failed.connect(self.ask_take_over)
        controller.values_due.connect(self._on_values_due)
        controller.work_changed.connect(self._on_work_changed)
        bench.board.view.changed.connect(self._on_view_changed)
        bench.lane_wanted.connect(self.ask_lane)
        bench.inject_wanted.connect(self.ask_fault)
        bench.connect_wanted.connect(partial(self.commands.run, "connect"))
        bench.message.connect(shell.line.say)
        bench.alarms.details_wanted.connect(self.show_event)
        self.runs.replay_ready.connect(self._replay)
        self.runs.bench_wanted.connect(partial(self.show_page, "Bench"))
        for page in (self.bundle, self.fleet):
            page.dialog_wanted.connect(self._open)
        page_wiring.wire(self)
        self.certify.controller.changed.connect(self._on_certification_changed)

    # ---- what changes

    def _on_certification_changed(self) -> None:
        self._show_toolbar()
        self.shell.rail.mark("Certify", self.certify.controller.word)

    def _on_status_changed(self) -> None:
        self._show_toolbar()
        for lane in self.controller.status.lanes:
            self.declare_lane(lane.role, lane.name)
        session = self.controller.session
        if session is not None:
            self._name_bench(session)

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
            for page in (self.bench.board, self.fleet.detail)
        )
        if shell.stats.look(sum(drawn)):
            self._show_line()

    def _show_line(self) -> None:
        session = self.controller.session
        self.shell.line.show_facts(session.bench if session else None, self.controller.status, self.shell.stats)

    def _on_work_changed(self) -> None:
        status = self.controller.status
        self.notices.work.show_work([*self.controller.pending, *self.controller.background.shown])
        arming = next((work for work in self.controller.pending if work.action is Action.ARM and not work.done), None)
        if arming is not None and self.checklist is None:
            self.checklist = ChecklistDialog(self.shell, self.shell.theme)
            self.checklist.finished.connect(self._on_checklist_finished)
            self._open(self.checklist)
        if self.checklist is not None:
            self.checklist.show_checks(status.checklist, arming)
            if arming is None and status.state in (BenchState.ARMED, BenchState.RUNNING):
                self.checklist.accept()

    def _on_checklist_finished(self) -> None:
        self.checklist = None

    def _open(self, dialog: Dialog) -> None:
        dialog.outputs_off.connect(self.controller.outputs_off)
        dialog.open()

    # ---- actions

    def connect_or_disconnect(self) -> None:
        """Connect or disconnect; ask before disconnecting from a bench that is armed or running."""
        if not self.controller.connected:
            self.controller.connect_bench()
        elif self.controller.status.state in (BenchState.ARMED, BenchState.RUNNING):
            sentence = "The outputs are made safe first, and the run ends."
            self._ask("Disconnect the bench?", sentence, "Disconnect", self.controller.disconnect_bench)
        else:
            self.controller.disconnect_bench()

    def ask_take_over(self, failure: Failure) -> None:
        """Ask the operator before taking over a supply that another client controls."""
        if (failure.told or {}).get("code") == BENCH_TAKEN:
            sentence = f"{failure.sentence}. Make sure that nobody works with it: what they do ends."
            run = partial(self.controller.connect_bench, take_over=True)
            self._ask("Take the supply over?", sentence, "Take over", run)

    def arm_or_other(self) -> None:
        """Arm, disarm or reset, as the state requires."""
        state = self.controller.status.state
        if state is BenchState.TRIPPED:
            self.ask_reset()
        elif state in (BenchState.ARMED, BenchState.RUNNING):
            self.controller.disarm()
        else:
            self.controller.arm()

    def ask_reset(self) -> None:
        """Ask for the reason, then reset the latched trip."""
        why = self.controller.status.trip_reason or "The bench tripped."
        dialog = ReasonDialog(self.shell, "Reset the trip", f"{why} The reason for the reset is recorded.", "Reset")
        dialog.accepted.connect(lambda: self.controller.reset(dialog.reason))
        self._open(dialog)

    def ask_lane(self, role: str, name: str) -> None:
        """Ask before making a lane active; show a failure if the change is not allowed."""
        lane = next((lane for lane in self.controller.status.lanes if (lane.role, lane.name) == (role, name)), None)
        able, why = self.controller.can(Action.ACTIVATE)
        if self.bench.replay is not None:
            able, why = False, "This is a replay; lanes change on the bench alone."
        if not able or lane is None:
            self.controller.failed.emit(Failure(why or f"{name} does not run."))
        elif lane.active:
            self.shell.line.say(f"{name} is the active {role} already.")
        else:
            how = {
                "twin": "It takes over the other's state; cells step by less than 2 mV, or it is refused.",
                "controller": "It takes over bumplessly, from the current that flows now.",
                "estimator": "Controllers believe it from the next turn on.",
            }[role]
            run = partial(self.controller.activate, role, name)
            self._ask(f"Make {name} the active {role}?", how, "Make active", run)

    def declare_lane(self, role: str, name: str) -> None:
        """Register the palette command that makes this lane active."""
        self.commands.replace(
            f"lane {role} {name}", f"Make {name} the active {role}…", partial(self.ask_lane, role, name)
        )

    def ask_fault(self) -> None:
        session = self.controller.session
        if session is None or self.why_no_fault():
            return
        dialog = InjectDialog(self.shell, session.bench.faults)
        dialog.accepted.connect(lambda: self.controller.inject(dialog.fault.name, dialog.values))
        self._open(dialog)

    def why_no_fault(self) -> str:
        able, why = self.controller.can(Action.INJECT)
        session = self.controller.session
        if able and session is not None and not session.bench.faults:
            return "This bench has no faults to inject."
        return "" if able else why

    def clear_faults(self) -> None:
        for fault in self.controller.status.injected:
            self.controller.clear(fault.number)

    def why_nothing_to_clear(self) -> str:
        return "" if self.controller.status.injected else "No fault is injected."

    def why_no_run(self) -> str:
        return "" if self.controller.status.run_name else "Recording starts with the run; every tick is kept."

    def why_no_chosen_run(self) -> str:
        return "" if self.runs.selected_run is not None else "Choose a run on the Runs page first."

    def why_no_replay(self) -> str:
        return "" if self.bench.replay is not None else "No run is being replayed."

    def _ask(self, title: str, sentence: str, accept: str, run: Callable[[], object]) -> None:
        dialog = QuestionDialog(self.shell, title, sentence, accept)
        dialog.accepted.connect(run)
        self._open(dialog)

    def show_event(self, record: EventRecord) -> None:
        """Show an event in full."""
        event = record.event
        self._open(DetailsDialog(self.shell, Failure(event.text, event.source, event.detail)))

    # ---- the bench file

    @property
    def can_open_bench(self) -> bool:
        return self._open_bench is not None

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

    def show_palette(self) -> None:
        self._open(CommandPalette(self.shell, self.commands, self.shell.theme))

    def pause_view(self) -> None:
        """Pause or resume the view; if a button has the focus, click it instead, because Space does both."""
        focus = QApplication.focusWidget()
        if isinstance(focus, QAbstractButton):
            focus.click()
            return
        view = self.bench.board.view
        view.pause(paused=not view.paused)

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

    def plot_chosen(self) -> None:
        for index in self.bench.tree.view.selectedIndexes():
            self.bench.tree.activate(index)

    def fit_all(self) -> None:
        for plot in self.bench.board.plots:
            plot.canvas.fit()

    @property
    def other_theme(self) -> Theme:
        return THEMES["light" if self.shell.theme.name == "dark" else "dark"]

    def switch_theme(self) -> None:
        self.shell.set_theme(self.other_theme)

    def ask_quit(self) -> None:
        """Quit; ask first while the bench is on, a certification runs, or a task has a sentence for closing."""
        if self.controller.status.state in (BenchState.ARMED, BenchState.RUNNING):
            self._ask("Quit?", "The outputs are made safe first, and the run ends.", "Quit", self.close)
        elif self.certify.controller.on:
            self._ask("Quit?", "The certification is stopped first, and its bench made safe.", "Quit", self.close)
        elif sentence := self.controller.background.at_close:
            self._ask("Quit?", sentence, "Quit", self.close)
        else:
            self.close()

    def close(self) -> None:
        self.shell.close()
