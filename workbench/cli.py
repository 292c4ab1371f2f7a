"""The command line: one function per verb; each imports its module of `workbench.verbs` when called, to start fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from drivers.errors import Usage
from drivers.version import VERSION
from workbench.cli_bench import bench as bench_app
from workbench.cli_bundle import bundle as bundle_app
from workbench.cli_cell import cell as cell_app
from workbench.cli_edge import edge
from workbench.cli_fleet import fleet as fleet_app
from workbench.cli_fleet_demo import fleet_demo, fleet_light_nodes
from workbench.cli_fleet_identity import fleet_certify, fleet_enroll, fleet_identities, fleet_init, fleet_revoke
from workbench.cli_forecast import forecast
from workbench.cli_health import grade, health
from workbench.cli_logs import estimate, fit, twin
from workbench.cli_shadow import promote, shadow
from workbench.cli_train import curves
from workbench.cli_train import train as train_verb
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.extras import refuse_without_extras
from workbench.option_passing import pass_to_verb
from workbench.options import RUNS, AsJson, BenchFile, Faults, Out, RunFolder, TakeOver
from workbench.report import Report
from workbench.run_app import run_app
from workbench.run_verb import run_verb

app = typer.Typer(
    name="pulsebms",
    help="Prove a battery configuration on a bench, then ship it, signed, to the packs in the field. "
    "Without a command, the window opens on the emulated bench.",
    epilog="Exit status: 0 all checks hold, 1 a check failed, 2 bad input or usage, "
    "3 the bench, a service or a package is missing, 130 interrupted.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:  # noqa: FBT001  # typer calls it so
    if asked:
        typer.echo(VERSION)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    bench: BenchFile = EMULATED_BENCH,
    out: Out = RUNS,
    *,
    take_over: TakeOver = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Open the workbench if no verb is given; options before a verb belong to the verb."""
    del version  # its callback has already ended the command
    pass_to_verb(context)
    refuse_without_extras(context.invoked_subcommand or "window")
    if context.invoked_subcommand is None:
        window(bench, out, take_over=take_over)


@app.command(short_help="Open the window (the same as no command).")
def window(bench: BenchFile = EMULATED_BENCH, out: Out = RUNS, *, take_over: TakeOver = False) -> None:
    """Open the workbench; with no display, run the bench for half a minute and save pictures of the window."""
    from workbench.verbs import window as verb

    run_verb(Report("window"), verb.main, bench, out, take_over=take_over)


@app.command(short_help="Check this machine and a bench; print how to fix each fault.")
def doctor(
    bench: BenchFile = EMULATED_BENCH,
    *,
    file: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE.zip",
            help="Write a file for support: versions, these lines, the bench file, and events and logs of the newest "
            "run; no keys, no samples.",
        ),
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", metavar="DIR", help="With --report: folder of the runs.")] = RUNS,
    as_json: AsJson = False,
) -> None:
    """Report what this machine has and lacks, and how to fix each."""
    if file is not None:
        from workbench.verbs import doctor_report

        run_verb(Report("doctor", as_json), doctor_report.main, bench, runs, file)
    from workbench.verbs import doctor as verb

    run_verb(Report("doctor", as_json), verb.main, bench)


@app.command(short_help="Run a bench session without a window.")
def run(
    bench: BenchFile = EMULATED_BENCH,
    duration: Annotated[float, typer.Option(min=1.0, help="Duration of the run in s.")] = 60.0,
    out: Out = RUNS,
    *,
    fault: Faults = [],  # noqa: B006  # typer copies it
    unattended: Annotated[
        bool, typer.Option("--unattended", help="Continue the run if this process ends; an event records it.")
    ] = False,
    take_over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Run a bench session without a window: connect, arm, run, stop, seal the run.

    A fault is written NAME[,KEY=VALUE...][,at=SECONDS][,for=SECONDS], for instance
    cell-voltage,cell=7,volts=4.3,at=5 or silent-instrument,instrument=supply,for=2.
    Without at, it is injected 1 s after the start; without for, it stays until the end.
    For an unknown name or value, the error lists the known ones and the defaults.
    """
    from workbench.verbs import run as verb

    run_verb(Report("run", as_json), verb.main, bench, duration, out, fault, unattended=unattended, take_over=take_over)


@app.command()
def replay(run_folder: RunFolder) -> None:
    """Replay a run in the window."""
    from workbench.verbs import replay as verb

    run_verb(Report("replay"), verb.main, run_folder)


@app.command()
def export(
    run_folder: RunFolder,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write this CSV file; - for stdout.")] = None,
    mdf4: Annotated[Path | None, typer.Option(metavar="FILE", help="Write this ASAM MDF 4 file.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write a run as CSV or MDF4."""
    from workbench.verbs import export as verb

    run_verb(Report("export", as_json), verb.main, run_folder, csv, mdf4)


@app.command(short_help="Run a suite of cases against a bench.")
def certify(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="A built-in suite (bms), or a folder or file of cases.")
    ] = "bms",
    bench: BenchFile = EMULATED_BENCH,
    out: Out = Path("certificates"),
    only: Annotated[
        str, typer.Option(metavar="CASES", help="Run only these cases, comma-separated: OV-01, or OV-01/7 for cell 7.")
    ] = "",
    *,
    qualify: Annotated[
        bool, typer.Option("--qualify", help="Qualify the suite: inject defects into the emulated BMS.")
    ] = False,
    defects: Annotated[
        str, typer.Option(metavar="NAMES", help="With --qualify: inject only these defects, comma-separated.")
    ] = "",
    list_only: Annotated[bool, typer.Option("--list", help="List the cases of the suite and run none.")] = False,
    healthy: Annotated[
        int | None,
        typer.Option(
            min=0, max=100, help="With --qualify: number of runs on a healthy BMS, which must not fail; default: 10."
        ),
    ] = None,
    take_over: TakeOver = False,
    as_json: AsJson = False,
) -> None:
    """Run a suite against a bench: a report, JUnit XML and a certificate; exit 1 when a case does not pass.

    With --qualify, qualify the suite: count how many of twelve injected defects it finds, and check that it
    finds none in a healthy BMS.
    """
    if list_only:
        from workbench.verbs import certify as listing

        given = {"only": only, "qualify": qualify, "defects": defects, "healthy": healthy}
        run_verb(Report("certify", as_json), listing.list_cases, suite, bench, given)
    if qualify:
        from workbench.verbs import qualify as judge

        run_verb(Report("certify", as_json), judge.main, suite, bench, out, only=only, defects=defects, healthy=healthy)
    from workbench.verbs import certify as verb

    run_verb(
        Report("certify", as_json),
        verb.main,
        suite,
        bench,
        out,
        only,
        defects=defects,
        healthy=healthy,
        take_over=take_over,
    )


app.command("fit", short_help="Fit a cell file to the tests of a laboratory.")(fit)
app.command("estimate", short_help="Estimate the state of charge along a log.")(estimate)
app.command("twin", short_help="Lay a model of the cell over a log.")(twin)
app.add_typer(bench_app)
app.add_typer(bundle_app)
app.add_typer(cell_app)
fleet_app.command("demo", short_help="Start a whole fleet on this machine.")(fleet_demo)
fleet_app.command("light-nodes", short_help="Run nodes with made-up values.")(fleet_light_nodes)
fleet_app.command("init", short_help="Make a secure fleet in one folder.")(fleet_init)
fleet_app.command("enroll", short_help="Print a token with which a device enrols.")(fleet_enroll)
fleet_app.command("certify", short_help="Make a certificate without the network.")(fleet_certify)
fleet_app.command("revoke", short_help="Revoke a device and cut its connection.")(fleet_revoke)
fleet_app.command("identities", short_help="List the certificates of a fleet.")(fleet_identities)
app.add_typer(fleet_app)
app.command(short_help="Forecast voltage, temperature and energy of a cell over a duty.")(forecast)
app.command(short_help="Compare a controller with the active one in simulation.")(shadow)
app.command(short_help="Judge a policy; print each gate with its evidence.")(promote)
app.command("train", short_help="Train policies for a task by reinforcement learning.")(train_verb)
app.command(short_help="Draw learning curves beside the rule and the MPC.")(curves)

app.command(short_help="Grade used cells by short pulses.")(grade)
app.command(short_help="Capacity, resistance and end of life, with intervals.")(health)


app.command(short_help="Run a signed configuration beside a pack.")(edge)


@app.command(short_help="Run the whole chain without a person.")
def selftest(
    out: Out = Path("selftest"),
    only: Annotated[str, typer.Option(metavar="STEPS", help="Run only these steps, comma-separated.")] = "",
    inject_defect: Annotated[
        str, typer.Option(metavar="NAME", help="Inject this defect; the selftest must find it.")
    ] = "",
    earlier: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="Folder of an earlier selftest; use its run and bundle."),
    ] = None,
    *,
    bench: BenchFile = EMULATED_BENCH,
    as_json: AsJson = False,
) -> None:
    """Run the whole chain without a person; each step prints a measured figure and its target."""
    from workbench.verbs import selftest as verb

    run_verb(Report("selftest", as_json), verb.main, out, only, inject_defect, earlier, bench=bench)


@app.command(hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def tour() -> None:
    """Refuse the old name of `selftest`."""
    renamed = Usage("tour is now called selftest", hint="run: python main.py selftest")
    raise typer.Exit(Report("tour", "--json" in sys.argv).finish(ok=False, error=renamed))


@app.command(short_help="Measure times and sizes on this machine beside those of peers.")
def measure(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="One of window, loop, load, twins, estimators, health, mpc, rl, wire, guard, safety, recorder, chain, "
            "fleet, or all.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Recorded cells and prices; default: PULSEBMS_DATA, else ../shared/data."),
    ] = None,
    *,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables of docs/measured.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure figures beside those of peers in one run; exit 1 when a target is missed."""
    from workbench.verbs import measure as verb

    run_verb(Report("measure", as_json), verb.main, name, data, markdown=markdown)


def main() -> int:
    """Run a verb; return the exit status, as in `workbench.report.Exit`."""
    return run_app(app)
