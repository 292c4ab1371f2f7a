"""The verbs `train` and `curves`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.options import (
    AsJson,
    Out,
    PricesColumn,
    PricesFitFrom,
    PricesFrom,
    PricesTable,
    PricesTo,
    PricesUnit,
)
from workbench.report import Report
from workbench.run_verb import run_verb


def train(  # noqa: PLR0917  # typer takes the options by name
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="A shipped task (arbitrage, duty_tracking, fast_charge) or a file.")
    ],
    algorithm: Annotated[str, typer.Option(metavar="NAME", help="sac or cpo.")] = "sac",
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Number of seeds, from 0.")] = 5,
    out: Out = Path("trained"),
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of packs for each seed; default: 2 million, with cpo 4 million.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Minutes for each seed, instead of steps.")] = None,
    every: Annotated[
        int, typer.Option(min=64, help="Steps between two rows of the curve, each with a validation.")
    ] = 32_000,
    from_runs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of recorded runs: refit the twin to them, then train on it."),
    ] = None,
    ray: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Spread the seeds over a Ray cluster: its address, or local.")
    ] = "",
    *,
    prices: PricesTable = None,
    prices_unit: PricesUnit = "",
    prices_column: PricesColumn = "",
    prices_from: PricesFrom = None,
    prices_to: PricesTo = None,
    prices_fit_from: PricesFitFrom = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the training in this folder, bit for bit.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train policies for a task: one for each seed, the best of its course by validation episodes.

    Ctrl-C stops in order; the same command with --resume continues to the same curve. A seed whose losses,
    multiplier or temperature explode ends with an alarm, and the exit status is 1.
    """
    from workbench.verbs import train as verb
    from workbench.verbs.given_prices import GivenPrices

    words = [word for word in sys.argv[1:] if word != "--json"]
    run_verb(
        Report("train", as_json),
        verb.main,
        task,
        algorithm,
        seeds,
        out,
        steps=steps,
        minutes=minutes,
        every=every,
        resume=resume,
        ray=ray,
        from_runs=from_runs,
        prices=GivenPrices(prices, prices_unit, prices_column, prices_from, prices_to, prices_fit_from),
        command=" ".join(["python main.py", *words]),
    )


def curves(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders that train has written.")],
    out: Out = Path(),
    task: Annotated[
        str, typer.Option(metavar="FILE", help="Their task, where it is not a shipped one: its file.")
    ] = "",
    episodes: Annotated[int, typer.Option(min=10, help="Number of the judge's episodes.")] = 64,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Number of processes.")] = 1,
    *,
    as_json: AsJson = False,
) -> None:
    """Draw the learning curves of trainings of one task beside the rule and the MPC, right and 30 % wrong.

    Writes curves_TASK.svg, .csv and .md: cost of each, its interval over seeds and episodes, interventions,
    violations, and who wins. All run on the same episodes; the MPC takes minutes.
    """
    from workbench.verbs import curves as verb

    run_verb(Report("curves", as_json), verb.main, folders, out, task=task, episodes=episodes, processes=processes)
