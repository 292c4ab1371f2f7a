"""The command line: one function a verb, each handing over to `workbench.verbs` so that a start stays quick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Concatenate, NoReturn, ParamSpec

import typer

from drivers.errors import PulseError
from workbench.outcome import Exit, Report

EMULATED_BENCH = Path(__file__).resolve().parent.parent / "fixtures" / "benches" / "hil24.toml"
RUNS = Path("runs")

app = typer.Typer(
    name="pulsebms",
    help="Prove a battery configuration on a bench, then ship it, signed, to the packs in the field. "
    "Without a verb the workbench opens on the emulated bench.",
    epilog="Exit status: 0 all checks hold, 1 a check failed, 2 bad input or usage, "
    "3 the bench or a service is missing.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

BenchFile = Annotated[Path, typer.Option("--bench", metavar="FILE", help="Bench file; default: the emulated bench.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout and nothing else.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for what this makes.")]


P = ParamSpec("P")


def answer(report: Report, verb: Callable[Concatenate[Report, P], bool], *args: P.args, **kwargs: P.kwargs) -> NoReturn:
    """Run a verb, which tells whether all checks hold; the one place where errors end."""
    try:
        ok = verb(report, *args, **kwargs)
    except PulseError as error:
        raise typer.Exit(report.finish(ok=False, error=error)) from None
    raise typer.Exit(report.finish(ok=ok))


@app.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Open the workbench when no verb is given."""
    if context.invoked_subcommand is None:
        window()


@app.command()
def window(bench: BenchFile = EMULATED_BENCH, out: Out = RUNS) -> None:
    """Open the workbench; with no display, run the bench for half a minute and save pictures of the window."""
    from workbench.verbs import window as verb

    answer(Report("window"), verb.main, bench, out)


@app.command()
def doctor(bench: BenchFile = EMULATED_BENCH, *, as_json: AsJson = False) -> None:
    """Say what this machine has and lacks, with the line that mends each."""
    from workbench.verbs import doctor as verb

    answer(Report("doctor", as_json), verb.main, bench)


@app.command()
def run(
    bench: BenchFile = EMULATED_BENCH,
    duration: Annotated[float, typer.Option(min=1.0, help="Seconds between start and stop.")] = 60.0,
    out: Out = RUNS,
    *,
    unattended: Annotated[bool, typer.Option("--unattended", help="Go on when this process dies; is logged.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hold a bench session without a window: connect, arm, run, stop, seal the run."""
    from workbench.verbs import run as verb

    answer(Report("run", as_json), verb.main, bench, duration, out, unattended=unattended)


@app.command()
def replay(run_folder: RunFolder) -> None:
    """Play a run in the window."""
    from workbench.verbs import replay as verb

    answer(Report("replay"), verb.main, run_folder)


@app.command()
def export(
    run_folder: RunFolder,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write comma-separated values.")] = None,
    mdf4: Annotated[Path | None, typer.Option(metavar="FILE", help="Write ASAM MDF 4.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a run as CSV or MDF4."""
    from workbench.verbs import export as verb

    answer(Report("export", as_json), verb.main, run_folder, csv, mdf4)


@app.command()
def tour(
    out: Out = Path("tour"),
    only: Annotated[str, typer.Option(metavar="STEPS", help="Judge these steps alone, comma-separated.")] = "",
    sabotage: Annotated[str, typer.Option(metavar="NAME", help="Break one thing; the tour must notice.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Walk the whole chain without a person; each step prints a measured figure and its target."""
    from workbench.verbs import tour as verb

    answer(Report("tour", as_json), verb.main, out, only, sabotage)


def main() -> int:
    """Run a verb; exit status as in `workbench.outcome.Exit`."""
    try:
        app(standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.OK
    return Exit.OK
