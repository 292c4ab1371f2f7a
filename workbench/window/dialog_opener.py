"""Opening of dialogs over the window; OUTPUTS OFF works in each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.window.widgets.dialogs import Dialog, QuestionDialog

if TYPE_CHECKING:
    from collections.abc import Callable

    from workbench.window.shell import Shell


class DialogOpener:
    """Opens dialogs of one shell."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def open(self, dialog: Dialog) -> None:
        dialog.outputs_off.connect(self.shell.controller.outputs_off)
        dialog.open()

    def ask(self, title: str, sentence: str, accept: str, run: Callable[[], object]) -> QuestionDialog:
        """Ask a question; call `run` if the user accepts."""
        dialog = QuestionDialog(self.shell, title, sentence, accept)
        dialog.accepted.connect(run)
        self.open(dialog)
        return dialog
