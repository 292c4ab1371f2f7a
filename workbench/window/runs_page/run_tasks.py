"""Tasks with runs in child processes: list them, play one, export one.

Reading and writing runs needs libraries that would slow the window's start and its frames.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from drivers import source_names
from drivers.channel_names import CELL_VOLTAGES
from drivers.errors import BenchFileError
from drivers.event import Event, EventRecord, Level
from workbench.session.bench_info import BenchInfo, describe_source
from workbench.session.status import LaneInfo
from workbench.window.runs_page.runs_model import RunListEntry
from workbench.window.tasks.task import Cancelled

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench, LaneSection
    from drivers.runlog.run import Run
    from workbench.window.tasks.task import Reporter

SOURCES: Final = (
    describe_source(source_names.CELL_SIMULATOR, 0.010),
    describe_source(source_names.SUPPLY, 0.040),
    describe_source(source_names.DUT, 0.020),
    describe_source(source_names.IO_BOX, 0.100),
)


@dataclass(frozen=True)
class ReplayInfo:
    """Description of a run that is ready to play; its duration in s."""

    duration_s: float
    bench: BenchInfo
    lanes: tuple[LaneInfo, ...]
    events: list[EventRecord]


def list_runs(_reporter: Reporter, folder: Path) -> list[RunListEntry]:
    """List the runs in `folder`, newest first."""
    from drivers.runlog.index import RunIndex  # noqa: PLC0415  # brings half a data-frame library along

    return [_line(folder, row) for row in RunIndex(folder).rows()]


def _line(folder: Path, row: Any) -> RunListEntry:
    started = datetime.fromisoformat(row.started).astimezone().strftime("%Y-%m-%d %H:%M:%S") if row.started else ""
    return RunListEntry(
        row.name,
        folder / row.name,
        row.state,
        row.size_bytes,
        started,
        row.duration_s,
        row.ticks,
        row.evidence or "",
        row.bench or "",
        row.detail,
    )


def play_run(reporter: Reporter, folder: Path, ring: Path) -> None:
    """Open a run, send its description, then move the ring's end to each position received, until cancelled."""
    from drivers.runlog.replay import Replay  # noqa: PLC0415  # reads Parquet
    from drivers.runlog.run import Run  # noqa: PLC0415  # reads Parquet

    with Run.open(folder) as run, Replay(run, ring) as replay:
        replay.advance(0.0)
        bench, error_text = read_bench_of(run)
        reporter.send(
            ReplayInfo(
                run.duration_s, make_bench_info(run, bench), list_lanes(run, bench), list_events(run, error_text)
            )
        )
        while True:
            replay.advance(float(reporter.newest()))


def export_run(reporter: Reporter, folder: Path, file: Path) -> None:
    """Export a run in the format of the file's suffix; remove the file if cancelled."""
    from drivers.runlog.export import export_csv, export_mdf4  # noqa: PLC0415  # the MDF library is slow to import
    from drivers.runlog.run import Run  # noqa: PLC0415  # reads Parquet

    with Run.open(folder) as run:
        write = export_mdf4 if file.suffix == ".mf4" else export_csv
        if not write(run, file, reporter.report):
            raise Cancelled


def read_bench_of(run: Run) -> tuple[Bench | None, str]:
    """Return the bench file stored in the run (None without one), and a sentence if it has an error."""
    from drivers.benchfile import read_recorded_bench  # noqa: PLC0415  # only this process reads bench files

    stored: Any = run.meta.get("bench")
    try:
        name, text, cell = str(stored["file"]), stored["text"], str(stored.get("cell", ""))
    except (TypeError, KeyError):
        return None, ""
    try:
        return read_recorded_bench(name, str(text), cell), ""
    except BenchFileError as error:
        return None, error.sentence


def make_bench_info(run: Run, bench: Bench | None) -> BenchInfo:
    """Describe the bench from the run's own copy of the bench file; a run without one still shows its channels."""
    from drivers.snapshot import ChannelTable  # noqa: PLC0415  # numpy comes after the first paint
    from workbench.session.limit_pairs import list_limit_pairs  # noqa: PLC0415  # only this process lays limits

    measured = ChannelTable(run.table.channels[: run.measured])
    cells = sum(CELL_VOLTAGES.fullmatch(name) is not None for name in run.table.names)
    words = run.meta.get("words", {})
    return BenchInfo(
        run.name,
        str(run.folder),
        str(run.meta.get("mode") or ("hil" if bench is None else bench.bench.mode)),
        "" if bench is None else bench.bench.closure,
        True if bench is None else bench.bench.attended,
        cells,
        SOURCES,
        () if bench is None else tuple(list_limit_pairs(bench, measured, whole=False)),
        words={channel: {int(number): word for number, word in table.items()} for channel, table in words.items()},
    )


def list_lanes(run: Run, bench: Bench | None) -> tuple[LaneInfo, ...]:
    """Return the declared lanes that have columns in the run."""
    known = {tuple(name.split("/")[:2]) for name in run.table.names}
    active: dict[str, str] = run.meta.get(
        "active", {}
    )  # the active lanes at the start of the run, not those of the file

    def is_active(lane: LaneSection) -> bool:
        return active[lane.role] == lane.name if lane.role in active else lane.active

    declared = () if bench is None else bench.lane
    recorded = (lane for lane in declared if (lane.role, lane.name) in known)
    return tuple(LaneInfo(lane.role, lane.name, is_active(lane)) for lane in recorded)


def list_events(run: Run, error_text: str = "") -> list[EventRecord]:
    """Return the run's events; first the error in its bench file, if any, which hides limits and lanes."""
    if not error_text:
        return run.events()
    text = f"The bench file of this run cannot be read, so limits and lanes are not shown: {error_text}"
    first = EventRecord(0, run.start_s, 0.0, Event(Level.WARNING, "replay", text))
    return [first, *(replace(record, number=record.number + 1) for record in run.events())]
