"""`promote`: judge a policy by the rules of a promotion, print every gate, write the result."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console

from control.tasks.controllers import load_policy
from control.tasks.promotion_gates import PromotionVerdict, decide
from control.tasks.promotion_judge import JudgeEffort, PromotionJudge, make_result
from control.tasks.promotion_rules import FILE, read_rules
from control.tasks.task import find_task, read_task
from drivers.jsonvalues import replace_nan
from drivers.state_file import write_bytes
from workbench.verbs.given_prices import NO_PRICES, GivenPrices

if TYPE_CHECKING:
    from pathlib import Path

    from control.tasks.promotion_gates import PromotionGate
    from workbench.report import Report

RESULT: Final = "promotion.json"
SO_FAR: Final = "judged_so_far.json"  # the gates of a judgement under way, for who watches it
WORDS: Final = {True: "pass", False: "FAIL", None: "-"}


def main(
    report: Report,
    policy: Path,
    out: Path,
    rules: Path | None,
    given: tuple[int | None, int | None, int | None],
    *,
    task: str = "",
    processes: int = 1,
    prices: GivenPrices = NO_PRICES,
) -> bool:
    """Judge the policy; return True if it is promoted. `given`: a shorter effort than that of the rules, if any.

    `task` is the file of the policy's task, empty for a shipped one. A price table of fewer days than the
    rules compare the cost on shortens the judgement.
    """
    asked, loaded = read_rules(rules or FILE), load_policy(str(policy))
    chosen = prices.apply(report, read_task(find_task(task or loaded.info.task)))
    wanted = (asked.fast.episodes, asked.adversarial.episodes, asked.cost.days)
    fast, adversarial, days = (one or most for one, most in zip(given, wanted, strict=True))
    if chosen.market is not None:
        days = min(days, len(chosen.market.table.days))
    effort = JudgeEffort(fast, adversarial, days, processes)
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    judge = PromotionJudge(policy, chosen, asked, effort, lambda text: progress.print(text, markup=False))
    report.line(f"policy {loaded.sha256[:12]} for {chosen.name}, rules version {asked.version}")
    gates: list[PromotionGate] = []
    out.mkdir(parents=True, exist_ok=True)
    try:
        for gate in judge.run():
            gates.append(gate)
            report.line(_format(gate))
            _write(out / SO_FAR, make_result(loaded, chosen, asked, gates))
    finally:
        (out / SO_FAR).unlink(missing_ok=True)
    verdict = decide(gates)
    result = replace_nan(make_result(loaded, chosen, asked, gates))
    _write(out / RESULT, result)
    report.body.update(result=result, file=str(out / RESULT))
    report.line(f"{verdict}: {_explain(verdict, gates)}")
    report.line(f"wrote {out / RESULT}")
    return verdict is PromotionVerdict.PROMOTED


def _write(path: Path, result: dict[str, Any]) -> None:
    """Write a result as a whole file."""
    write_bytes(path, json.dumps(replace_nan(result), indent=1).encode() + b"\n")


def _format(gate: PromotionGate) -> str:
    """Return a gate as a row of the table."""
    shortened = " (shortened)" if gate.is_shortened else ""
    reason = f"; {gate.reason}" if gate.reason else ""
    return f"{WORDS[gate.is_passed]:4}  {gate.name:18}  {gate.evidence}{shortened}{reason}"


def _explain(verdict: PromotionVerdict, gates: list[PromotionGate]) -> str:
    """Return the verdict as a sentence."""
    if verdict is PromotionVerdict.PROMOTED:
        return f"all {len(gates)} gates hold"
    if verdict is PromotionVerdict.REFUSED:
        return "; ".join(f"{gate.name}: {gate.reason}" for gate in gates if gate.is_passed is False)
    return "the judgement was shortened, so it cannot promote; run it without the options that shorten it"
