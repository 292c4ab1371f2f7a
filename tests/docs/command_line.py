"""Parse a command of this program as the program does, and run nothing of it."""

from __future__ import annotations

from typing import Any

import typer

from workbench.cli import app

_UsageError: Any = typer.BadParameter.__base__  # typer has no public name for it
JOINERS = frozenset({"&", "&&", "|", ">", ";"})


def find_error(words: list[str]) -> str:
    """Why the program refuses these words before it does anything, empty if it takes them."""
    end = next((place for place, word in enumerate(words) if word in JOINERS), len(words))
    command: Any = typer.main.get_command(app)
    waiting, context = words[:end], None
    try:
        while hasattr(command, "commands"):
            context = command.make_context(command.name, list(waiting), parent=context)
            waiting = [*context._protected_args, *context.args]  # click's place for the verb
            if not waiting:
                return ""
            name = waiting.pop(0)
            command = command.commands.get(name)
            if command is None:
                return f"there is no verb {name}"
        command.make_context(command.name, waiting, parent=context)
    except _UsageError as error:
        return error.format_message() or repr(error)
    except typer.Exit:  # --version and --help answer at once
        return ""
    return ""
