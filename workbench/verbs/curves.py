"""`curves`: the learning curves of trainings beside the rule and the MPC, as picture and table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console

from control.rl.finished_training import read_trainings
from drivers.state_file import write_bytes
from workbench.curves.comparison import compare
from workbench.curves.picture import draw_curves
from workbench.curves.table import describe_difference, encode_csv, format_difference, format_table, make_rows
from workbench.run_folders import require_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from control.rl.finished_training import FinishedTraining
    from workbench.curves.comparison import Comparison
    from workbench.report import Report

NAME: Final = "curves_{task}{suffix}"


def main(
    report: Report, folders: Sequence[Path], out: Path, *, task: str = "", episodes: int, processes: int = 1
) -> bool:
    """Write `curves_TASK.svg`, `.csv` and `.md` into `out`; raise `RunLogError` for trainings that do not compare."""
    require_folder(out)
    trainings = read_trainings(folders)
    chosen = trainings[0].load_task(task)
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    comparison = compare(
        chosen, trainings, episodes, processes=processes, say=lambda text: progress.print(text, markup=False)
    )
    rows = make_rows(comparison)
    sentences = [format_difference(one, episodes) for one in comparison.differences]
    table = format_table(rows)
    written = {
        ".svg": draw_curves(comparison),
        ".csv": encode_csv(rows),
        ".md": "\n\n".join([table, *_describe(comparison, trainings), "\n".join(f"- {one}" for one in sentences), ""]),
    }
    files: dict[str, str] = {}
    for suffix, text in written.items():
        path = out / NAME.format(task=chosen.name, suffix=suffix)
        write_bytes(path, text.encode(), durable=False)
        files[suffix[1:]] = str(path)
    report.body.update(task=chosen.name, rows=rows, files=files, judged_seed=comparison.judged[0], episodes=episodes)
    report.body["differences"] = [describe_difference(one) for one in comparison.differences]
    for line in (table, *sentences, *(f"wrote {path}" for path in files.values())):
        report.line(line)
    return True


def _describe(comparison: Comparison, trainings: Sequence[FinishedTraining]) -> list[str]:
    """Return what a reader must know about the table, and what made the curves."""
    (seed, packs), (judge, judged) = comparison.validation, comparison.judged
    made = [f"- `{one.command}` (version {one.version}){_count_missing(one)}" for one in trainings]
    about = (
        f"Costs are EUR for an episode of `{comparison.task}`, mean (lowest to highest seed). The {packs} validation "
        f"episodes (seed {seed}) chose the policy that each seed kept, so its cost there is too good; the {judged} "
        f"episodes of the judge (seed {judge}) chose nothing. The 95 % interval is a bootstrap over seeds and these "
        "episodes. Shares are those of the judge's steps, behind the shield but for the last. The seconds are those "
        "of a seed from its start, with the validations."
    )
    return [about, "\n".join(made)]


def _count_missing(training: FinishedTraining) -> str:
    return f", {training.not_begun} seeds not begun" if training.not_begun else ""
