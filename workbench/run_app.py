"""The command line as a whole: what no verb reports itself becomes one sentence and an exit status."""

from __future__ import annotations

import sys
from typing import Any, Final

import typer

from drivers.errors import PulseError, Usage
from drivers.output_file import report_stream
from workbench.report import Exit, Report
from workbench.run_verb import report_error
from workbench.streams import prepare_streams

_UsageError: Any = typer.BadParameter.__base__  # typer has no public name for it
_RENAMED: Final = {"--sabotage": "--inject-defect"}


def run_app(app: typer.Typer) -> int:
    """Run the verb of the command line; return the exit status, as in `workbench.report.Exit`."""
    prepare_streams()
    try:
        return _run(app)
    except OSError as error:  # of the help, the version or a usage error: a verb reports its own
        return _report_stream(error)
    except SystemExit as ended:
        if not isinstance(ended.__context__, BrokenPipeError):
            raise  # the completion of a shell
        return _report_stream(ended.__context__)


def _run(app: typer.Typer) -> int:
    try:
        status = app(standalone_mode=False)
    except _UsageError as error:
        return _report_usage(error)
    except ImportError as error:  # of the module of a verb
        return report_error(_make_report(app), error)
    return status if isinstance(status, int) else Exit.OK


def _make_report(app: typer.Typer) -> Report:
    """Return the report of the verb that the command line names."""
    command: Any = typer.main.get_command(app)
    words = list[str]()
    for word in sys.argv[1:]:
        if word in getattr(command, "commands", {}):
            command = command.commands[word]
            words.append(word)
    return Report(" ".join(words), "--json" in sys.argv)


def _report_stream(error: OSError) -> int:
    """Report that stdout or stderr is closed or full; return the exit status."""
    try:
        with report_stream("stdout"):
            raise error
    except PulseError as lost:
        return Report("").finish(ok=False, error=lost)


def _report_usage(error: Any) -> int:
    """Report an error in the command line, for people and for scripts; return the exit status."""
    if (old := getattr(error, "option_name", "")) in _RENAMED:
        error.message, error.possibilities = f"{old} is now called {_RENAMED[old]}", None
    if "--json" not in sys.argv:
        error.show()
        return Exit.BAD_INPUT
    usage = Usage(error.format_message(), hint="run the command with --help")
    return Report(_find_command(error.ctx), as_json=True).finish(ok=False, error=usage)


def _find_command(context: Any) -> str:
    """Return the words of the verb that `context` belongs to, `bundle verify`; empty for no verb."""
    words = list[str]()
    while context is not None and context.parent is not None:
        words.insert(0, context.info_name or "")
        context = context.parent
    return " ".join(words)
