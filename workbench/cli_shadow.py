"""The verbs `shadow` and `promote`: a candidate beside the active controller, and the gates that it must pass."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import (
    AsJson,
    PricesColumn,
    PricesFitFrom,
    PricesFrom,
    PricesTable,
    PricesTo,
    PricesUnit,
)
from workbench.report import Report
from workbench.run_verb import run_verb

Processes = Annotated[int, typer.Option(min=1, max=64, help="Number of processes.")]


def shadow(
    *,
    candidate: Annotated[
        str, typer.Option(metavar="FILE", help="The candidate: a policy (*.onnx), or mpc, mpc-wrong, rule.")
    ],
    active: Annotated[str, typer.Option(metavar="NAME", help="Who acts: mpc, rule, or a policy (*.onnx).")] = "mpc",
    days: Annotated[int, typer.Option(min=1, help="Number of days (episodes of the task).")] = 10,
    task: Annotated[
        str, typer.Option(metavar="TASK", help="A shipped task, or a task file; default: that of the candidate.")
    ] = "",
    instead: Annotated[
        str, typer.Option(metavar="NAME", help="Who decides where a policy must not: mpc or rule.")
    ] = "mpc",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the days.")] = 5000,
    prices: PricesTable = None,
    prices_unit: PricesUnit = "",
    prices_column: PricesColumn = "",
    prices_from: PricesFrom = None,
    prices_to: PricesTo = None,
    prices_fit_from: PricesFitFrom = None,
    processes: Processes = 1,
    as_json: AsJson = False,
) -> None:
    """Run a candidate in the shadow of the active controller, in simulation: both see the same samples, one acts.

    What the candidate would have cost is counterfactual, and the output says so: in open loop on the states of the
    active controller, and in closed loop on a twin of its own.
    """
    from workbench.verbs import shadow as verb
    from workbench.verbs.given_prices import GivenPrices

    report = Report("shadow", as_json)
    given = GivenPrices(prices, prices_unit, prices_column, prices_from, prices_to, prices_fit_from)
    run_verb(
        report, verb.main, active, candidate, days, task, instead=instead, seed=seed, processes=processes, prices=given
    )


def promote(
    policy: Annotated[Path, typer.Argument(metavar="POLICY", help="The policy to judge (*.onnx).")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the result, promotion.json.")],
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rules of the promotion; default: the shipped ones.")
    ] = None,
    *,
    task: Annotated[
        str, typer.Option(metavar="FILE", help="The file of the policy's task, if that is not a shipped one.")
    ] = "",
    processes: Processes = 1,
    episodes: Annotated[
        int | None, typer.Option(min=1, help="Run only so many fast episodes; the result is then: not judged.")
    ] = None,
    adversarial: Annotated[
        int | None,
        typer.Option(min=1, help="Run only so many episodes of each adversarial kind; the result is then: not judged."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Compare the cost on only so many days; the result is then: not judged.")
    ] = None,
    prices: PricesTable = None,
    prices_unit: PricesUnit = "",
    prices_column: PricesColumn = "",
    prices_from: PricesFrom = None,
    prices_to: PricesTo = None,
    prices_fit_from: PricesFitFrom = None,
    as_json: AsJson = False,
) -> None:
    """Judge a policy by rules that were written before, and print every gate with its evidence.

    Exit status: 0 promoted, 1 refused or not judged, 2 bad input. With fewer episodes than the rules ask for, a policy
    can be refused but never promoted.
    """
    from workbench.verbs import promote as verb
    from workbench.verbs.given_prices import GivenPrices

    effort = (episodes, adversarial, days)
    given = GivenPrices(prices, prices_unit, prices_column, prices_from, prices_to, prices_fit_from)
    report = Report("promote", as_json)
    run_verb(report, verb.main, policy, out, rules, effort, task=task, processes=processes, prices=given)
