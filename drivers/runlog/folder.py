"""The folder of one run: `run.json` says what it is, `ticks.*` hold the numbers, `events.jsonl` what happened."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final, Literal

import psutil

from drivers.errors import RunLogError
from drivers.tablejson import ChannelRow, table_from, table_rows

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench
    from drivers.snapshot import ChannelTable

SCHEMA: Final = "pulsebms.run/1"
ABOUT: Final = "run.json"
STREAM: Final = "ticks.arrows"
SEALED: Final = "ticks.parquet"
EVENTS: Final = "events.jsonl"
_VERSIONS: Final = ("pulsebms", "numpy", "pyarrow", "pybamm", "casadi")


@dataclass(frozen=True)
class About:
    """`run.json`: what a run is, in `meta` whatever its maker says, and how far it got."""

    name: str
    started: str  # UTC, ISO 8601
    measured: int
    channels: list[ChannelRow]
    meta: dict[str, Any]
    state: Literal["open", "sealed"] = "open"
    ticks: int | None = None
    duration_s: float | None = None
    lost: int = 0
    recovered: bool = False
    writer: dict[str, float] = field(default_factory=dict[str, float])
    schema: str = SCHEMA

    @property
    def table(self) -> ChannelTable:
        return table_from(self.channels)

    def sealed(self, *, ticks: int, duration_s: float, lost: int, recovered: bool) -> About:
        """The same run at its end."""
        return replace(self, state="sealed", ticks=ticks, duration_s=duration_s, lost=lost, recovered=recovered)


def describe(bench: Bench, evidence: str) -> dict[str, Any]:
    """The `meta` of a session's run: evidence class, the bench file as it stood, versions of what computed it."""
    return {
        "evidence": evidence,
        "bench": {"name": bench.bench.name, "file": bench.path.name, "text": bench.document.text},
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _VERSIONS},
    }


def begin(folder: Path, table: ChannelTable, measured: int, meta: dict[str, Any]) -> About:
    """Claim `folder` for a new run; raises `RunLogError` when it holds one already or cannot be written."""
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    about = About(folder.name, started, measured, table_rows(table), meta, writer=_this_process())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ABOUT).open("x", encoding="utf-8") as file:
            file.write(_text(about))
    except FileExistsError as error:
        raise RunLogError("holds a run already", where=str(folder), hint="name another folder") from error
    except OSError as error:
        hint = "name a folder that can be written"
        raise RunLogError(f"cannot be written: {error.strerror}", where=str(folder), hint=hint) from error
    return about


def load(folder: Path) -> About:
    """Raise `RunLogError` when `folder` holds no run that this version can read."""
    path = folder / ABOUT
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said["schema"] != SCHEMA:
            raise ValueError(f"its schema is {said['schema']!r}, not {SCHEMA!r}")  # noqa: TRY301  # worded below
        about = About(**{key: said[key] for key in About.__dataclass_fields__})
        if not 0 <= about.measured <= len(about.table):
            raise ValueError(f"{about.measured} of {len(about.table)} channels cannot be measured")  # noqa: TRY301
    except FileNotFoundError as error:
        raise RunLogError("is not a run: it has no run.json", where=str(folder), hint="choose a run folder") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunLogError(f"cannot be read: {error}", where=str(path), hint="restore it from a copy") from error
    return about


def store(folder: Path, about: About) -> None:
    """Replace `run.json` in one step; raises `OSError`."""
    draft = folder / f"{ABOUT}.part"
    with draft.open("w", encoding="utf-8") as file:
        file.write(_text(about))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / ABOUT)


def being_written(about: About) -> bool:
    """Whether the process that records this run still lives (a later process with its number is another)."""
    if about.state != "open":
        return False
    try:
        born = psutil.Process(int(about.writer["pid"])).create_time()
    except (psutil.Error, KeyError, ValueError):
        return False
    return abs(born - about.writer.get("born", 0.0)) < 1.0


def _this_process() -> dict[str, float]:
    return {"pid": os.getpid(), "born": psutil.Process().create_time()}


def _text(about: About) -> str:
    return json.dumps(asdict(about), indent=1, default=str)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
