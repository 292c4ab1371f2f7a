"""The command line: one function a verb, each handing over to `workbench.verbs` so that a start stays quick."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Concatenate, NoReturn, ParamSpec

import typer

from drivers.errors import Interrupted, PulseError, RunLogError, Usage
from workbench.interrupt import leave_once
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

BenchFile = Annotated[
    Path,
    typer.Option("--bench", metavar="FILE", help="Bench file; default: the emulated bench.", show_default=False),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on stdout and nothing else.")]
Faults = Annotated[list[str], typer.Option("--fault", metavar="FAULT", help="Inject a fault; may be repeated.")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for what this makes.")]


P = ParamSpec("P")
_UsageError: Any = typer.BadParameter.__base__  # typer has no public name for it


def answer(report: Report, verb: Callable[Concatenate[Report, P], bool], *args: P.args, **kwargs: P.kwargs) -> NoReturn:
    """Run a verb, which tells whether all checks hold; the one place where errors end."""
    leave_once()
    try:
        ok = verb(report, *args, **kwargs)
    except PulseError as error:
        raise typer.Exit(report.finish(ok=False, error=error)) from None
    except KeyboardInterrupt:
        stopped = Interrupted("interrupted; everything that was started has been left in order")
        raise typer.Exit(report.finish(ok=False, error=stopped)) from None
    except OSError as error:  # a disk that is full, a folder that may not be written
        hint = "free space, or name another folder"
        broken = RunLogError(error.strerror or str(error), where=error.filename, hint=hint)
        raise typer.Exit(report.finish(ok=False, error=broken)) from None
    except Exception as error:  # noqa: BLE001  # scripts get their object even then
        traceback.print_exc()
        defect = PulseError(f"{type(error).__name__}: {error}", hint="a defect of ours; report it with the lines above")
        raise typer.Exit(report.finish(ok=False, error=defect)) from None
    raise typer.Exit(report.finish(ok=ok))


@app.callback(invoke_without_command=True)
def default(context: typer.Context, bench: BenchFile = EMULATED_BENCH, out: Out = RUNS) -> None:
    """Open the workbench when no verb is given."""
    if context.invoked_subcommand is None:
        window(bench, out)


@app.command(short_help="The workbench (the same as no verb).")
def window(bench: BenchFile = EMULATED_BENCH, out: Out = RUNS) -> None:
    """Open the workbench; with no display, run the bench for half a minute and save pictures of the window."""
    from workbench.verbs import window as verb

    answer(Report("window"), verb.main, bench, out)


@app.command(short_help="What this machine has and lacks.")
def doctor(bench: BenchFile = EMULATED_BENCH, *, as_json: AsJson = False) -> None:
    """Say what this machine has and lacks, with the line that mends each."""
    from workbench.verbs import doctor as verb

    answer(Report("doctor", as_json), verb.main, bench)


@app.command(short_help="A bench session without a window.")
def run(
    bench: BenchFile = EMULATED_BENCH,
    duration: Annotated[float, typer.Option(min=1.0, help="Seconds between start and stop.")] = 60.0,
    out: Out = RUNS,
    *,
    fault: Faults = [],  # noqa: B006  # typer copies it
    unattended: Annotated[bool, typer.Option("--unattended", help="Go on when this process dies; is logged.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hold a bench session without a window: connect, arm, run, stop, seal the run.

    A fault is written NAME[,KEY=VALUE...][,at=SECONDS][,for=SECONDS], for instance
    cell-voltage,cell=7,volts=4.3,at=5 or silent-instrument,instrument=supply,for=2.
    An unknown name or value is answered with what there is.
    """
    from workbench.verbs import run as verb

    answer(Report("run", as_json), verb.main, bench, duration, out, fault, unattended=unattended)


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


@app.command(short_help="The whole chain without a person.")
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


@app.command(short_help="What things cost here, beside their peers.")
def measure(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="window, loop, twins, estimators, mpc, wire, guard, safety, recorder, or all."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of recorded cells; default: PULSEBMS_DATA, else ../shared/data."),
    ] = None,
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="The tables of docs/measured.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure figures beside those of peers in one run; exit 1 when a target is missed."""
    from workbench.verbs import measure as verb

    answer(Report("measure", as_json), verb.main, name, data, markdown=markdown)


def main() -> int:
    """Run a verb; exit status as in `workbench.outcome.Exit`."""
    try:
        status = app(standalone_mode=False)
    except _UsageError as error:
        return _say_usage(error)
    return status if isinstance(status, int) else Exit.OK


def _say_usage(error: Any) -> int:
    """What was wrong with the words of the command, for people and for scripts."""
    if "--json" not in sys.argv:
        error.show()
        return Exit.BAD_INPUT
    command = error.ctx.info_name if error.ctx else ""
    return Report(command, as_json=True).finish(ok=False, error=Usage(error.format_message(), hint="see --help"))
