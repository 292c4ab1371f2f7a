"""`shadow`: a candidate beside the active controller, in simulation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from control.tasks.controllers import NAMES, POLICY_SUFFIX, load_policy
from control.tasks.episode_runner import run_in_processes
from control.tasks.promotion_gates import count_trained_days
from control.tasks.shadow import describe_day, run_shadow_day, summarise
from control.tasks.task import find_task, read_task
from drivers.clock import monotonic
from drivers.errors import Usage
from workbench.verbs.given_prices import NO_PRICES, GivenPrices

if TYPE_CHECKING:
    from control.tasks.shadow import ShadowDay
    from control.tasks.task import ControlTask
    from workbench.report import Report

DEFAULT_TASK: Final = "arbitrage"
HEAD: Final = ("", "cost EUR/day", "violations", "interventions", "fallbacks", "decision p50", "p99")


def main(
    report: Report,
    active: str,
    candidate: str,
    days: int,
    task: str = "",
    *,
    instead: str,
    seed: int,
    processes: int,
    prices: GivenPrices = NO_PRICES,
) -> bool:
    """Run the days and print the figures; raise `Usage` for an unknown name and `BenchFileError` for a bad file."""
    for name in (active, candidate, instead):
        _require_known(name)
    chosen = prices.apply(report, read_task(find_task(task or _find_own_task(candidate))))
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    run, began_s = partial(run_shadow_day, active, candidate, chosen, seed, instead=instead), monotonic()
    done: list[ShadowDay] = []
    for day in run_in_processes([partial(run, number) for number in range(days)], processes):
        done.append(day)
        progress.print(f"day {len(done)} of {days}", markup=False)
    took_s = monotonic() - began_s
    figures = summarise(done, seed)
    report.body.update(task=chosen.name, active=active, candidate=candidate, seed=seed, processes=processes)
    report.body.update(figures=figures, day_s=took_s / days, runs=[describe_day(day) for day in done])
    for line in _format(figures, active, candidate):
        report.line(line)
    report.line(f"{days} days of {chosen.name}, seed {seed}: {took_s / days:.2f} s a day")
    if seen := _count_trained_days(candidate, chosen):
        report.line(f"{seen} days of the price table were in the training of {candidate}: its figures are no proof")
        report.body["trained_days"] = seen
    return True


def _require_known(name: str) -> None:
    """Raise before the first day what would be raised in it."""
    if name.endswith(POLICY_SUFFIX):
        load_policy(name)
    elif name not in NAMES:
        raise Usage(
            f"there is no controller {name!r}", value=name, hint=f"use {', '.join(NAMES)}, or a policy (*.onnx)"
        )


def _count_trained_days(candidate: str, task: ControlTask) -> int:
    if task.market is None or not candidate.endswith(POLICY_SUFFIX):
        return 0
    return count_trained_days(load_policy(candidate), task.market.table)


def _find_own_task(candidate: str) -> str:
    return load_policy(candidate).info.task if candidate.endswith(POLICY_SUFFIX) else DEFAULT_TASK


def _format(figures: dict[str, Any], active: str, candidate: str) -> list[str]:
    """Return the table, and what of it is counterfactual."""
    closed, opened = figures["closed_loop"], figures["open_loop"]
    rows = [HEAD, _make_row(f"{active} (acts)", figures["active"]), _make_row(f"{candidate} (own twin)", closed)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    own_twin = (
        f"closed loop, counterfactual, on a twin of its own: {closed['more_eur']:+.4f} EUR a day, "
        f"{100.0 * closed['difference']:+.3g} %, 95 % bound {100.0 * closed['bound']:+.3g} %; "
        f"without the shield {closed['violations_without_shield']} violations"
    )
    same_states = (
        f"open loop, counterfactual, on the states of {active}: {opened['more_eur']:+.4f} EUR a day in single steps, "
        f"{opened['distance_a']:.2f} A apart, {opened['violations']} violations, "
        f"{100.0 * opened['interventions']:.3g} % interventions"
    )
    return [*lines, own_twin, same_states]


def _make_row(name: str, values: dict[str, Any]) -> tuple[str, ...]:
    return (
        name,
        f"{values['cost_eur']:.4f}",
        f"{values['violations']}",
        f"{100.0 * values['interventions']:.3g} %",
        f"{values['fallbacks']}",
        f"{values['p50_ms']:.3f} ms",
        f"{values['p99_ms']:.3f} ms",
    )
