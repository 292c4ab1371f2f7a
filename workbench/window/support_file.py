"""The file for support: the window has `doctor --report` write it, in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog

from drivers.errors import PulseError
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.own_command import make_own_command, make_own_environment
from workbench.window.tasks.task import Task

if TYPE_CHECKING:
    from workbench.window.shell import Shell
    from workbench.window.tasks.task import Reporter

NAME: Final = "pulsebms-report.zip"
POLL_S: Final = 0.1


class SupportFile(QObject):
    """Asks for the name of the file and has it written."""

    def __init__(self, shell: Shell, runs: Path | None) -> None:
        """`runs`: the folder of recorded runs, whose newest run gives events and logs."""
        super().__init__(shell)
        self._shell, self._runs = shell, runs

    def ask(self) -> None:
        """Ask for the file; an existing one is never replaced."""
        dialog = QFileDialog(self._shell, "Save a file for support", NAME, "ZIP files (*.zip)")
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)  # so that Ctrl+. reaches us
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save_as)
        dialog.open()

    def save_as(self, file: str) -> None:
        self.save(Path(file))

    def save(self, file: Path) -> Task[None]:
        """Write the file in the background; the status line reports where it is."""
        session = self._shell.controller.session
        words = [
            "doctor",
            "--report",
            str(file),
            "--bench",
            str(EMULATED_BENCH if session is None else session.bench.file),
        ]
        words += [] if self._runs is None else ["--runs", str(self._runs)]
        sentence = f"Saved {file}; it contains no keys and no samples."
        task = Task[None](
            f"Save {file.name}", ready=lambda _: self._shell.line.say(sentence),
            is_shown=True, trouble=f"The file {file.name} cannot be written",
        )  # fmt: skip
        return self._shell.controller.background.run(task, write_support_file, words, file)


def write_support_file(reporter: Reporter, words: list[str], file: Path) -> None:
    """Run `doctor`; what it lacks on this machine is no failure. Raise `PulseError` if there is no file."""
    command, before = make_own_command(*words), file.exists()
    with subprocess.Popen(  # noqa: S603  # ourselves
        command, env=make_own_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while True:
            try:
                _, said = process.communicate(timeout=POLL_S)
                break
            except subprocess.TimeoutExpired:
                if not reporter.report(None, "The machine and the bench are checked."):
                    process.kill()
    reporter.check()
    if before or not file.is_file():
        lines = said.decode("utf-8", "replace").strip().splitlines() or [
            f"doctor ended with status {process.returncode}"
        ]
        raise PulseError(lines[-1].removeprefix("error: "), hint="choose another name or folder")
