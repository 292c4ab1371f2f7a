"""The folder of one run: `run.json` describes it, `ticks.*` hold the numbers, `events.jsonl` the events."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import psutil

from drivers.errors import RunLogError
from drivers.private_files import make_private_folder, open_private
from drivers.state_file import DRAFT, DamagedFile, MissingFile, read_state, sync_folder, write_bytes
from drivers.table_json import ChannelRow, table_from, table_rows
from drivers.version import VERSION, find_version

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench
    from drivers.snapshot import ChannelTable

SCHEMA: Final = "pulsebms.run/2"
WITHOUT_EVENT_DATA: Final = "pulsebms.run/1"  # its events are only text
READS: Final = (SCHEMA, WITHOUT_EVENT_DATA)
ABOUT: Final = "run.json"
STREAM: Final = "ticks.arrows"
SEALED: Final = "ticks.parquet"
EVENTS: Final = "events.jsonl"
COUNT: Final = "ticks.count"
_VERSIONS: Final = ("numpy", "pyarrow", "pybamm", "casadi")


@dataclass(frozen=True)
class RunInfo:
    """`run.json`: the description of a run, with free content of its maker in `meta`, and its progress."""

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

    def sealed(self, *, ticks: int, duration_s: float, lost: int, recovered: bool) -> RunInfo:
        """Return the description of the same run at its end."""
        return replace(self, state="sealed", ticks=ticks, duration_s=duration_s, lost=lost, recovered=recovered)


def describe(bench: Bench, evidence: str) -> dict[str, Any]:
    """Return the `meta` of a session's run: evidence class, bench file, hashes of its inputs, versions of the software.

    Raise `BenchFileError` for a device map that cannot be read.
    """
    from drivers.benchfile.inputs import hash_inputs  # noqa: PLC0415  # a reader of runs needs no reader of TOML

    return {
        "evidence": evidence,
        "bench": {
            "name": bench.bench.name,
            "file": bench.path.name,
            "text": bench.document.text,
            "cell": bench.cell.text,
        },
        "files": hash_inputs(bench),
        "versions": {"python": platform.python_version(), "pulsebms": VERSION}
        | {name: find_version(name) for name in _VERSIONS},
    }


def read_hashes(about: RunInfo) -> dict[str, str]:
    """Return the hashes of the bench's inputs (`describe`) by name; empty for a run of an earlier version."""
    recorded: Any = about.meta.get("files")
    if not isinstance(recorded, dict):
        return {}
    rows = cast("dict[object, object]", recorded)
    return {name: value for name, value in rows.items() if isinstance(name, str) and isinstance(value, str)}


def begin(folder: Path, table: ChannelTable, measured: int, meta: dict[str, Any]) -> RunInfo:
    """Claim `folder` for a new run; raise `RunLogError` if it already holds one or cannot be written."""
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    about = RunInfo(folder.name, started, measured, table_rows(table), meta, writer=_this_process())
    try:
        make_private_folder(folder)
        with open_private(folder / ABOUT, "xb") as file:
            file.write(_encode(about))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(folder)
    except FileExistsError as error:
        raise RunLogError("already contains a run", where=str(folder), hint="name another folder") from error
    except OSError as error:
        hint = "name a folder that can be written"
        raise RunLogError(f"cannot be written: {error.strerror}", where=str(folder), hint=hint) from error
    return about


def load(folder: Path) -> RunInfo:
    """Read `run.json`; raise `RunLogError` if `folder` holds no run that this version can read."""
    path = folder / ABOUT
    about = read_state(path, _validate)
    if isinstance(about, MissingFile):
        raise RunLogError("is not a run: it has no run.json", where=str(folder), hint="choose a run folder")
    if isinstance(about, DamagedFile):
        raise RunLogError(about.sentence, where=str(folder), hint="restore it from a copy")
    if about.schema not in READS:
        what = f"was written by another version: its schema is {about.schema!r}, this one reads {READS[0]!r} and older"
        raise RunLogError(what, where=str(path), hint="open it with the version that wrote it")
    return about


def _validate(content: dict[str, Any]) -> RunInfo:
    """Check the content of `run.json`; raise `ValueError` or `TypeError` for anything at which a reader would fail."""
    if isinstance(schema := content.get("schema"), str) and schema not in READS:
        return RunInfo("", "", 0, [], {}, schema=schema)  # only its own version knows the rest of the content
    if missing := RunInfo.__dataclass_fields__.keys() - content.keys():
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    about = RunInfo(**{key: content[key] for key in RunInfo.__dataclass_fields__})
    for key, kind in (("meta", dict), ("writer", dict), ("channels", list), ("name", str), ("measured", int)):
        if not isinstance(getattr(about, key), kind):
            raise TypeError(f"its {key} is not of type {kind.__name__}")
    for key, kinds in (("ticks", (int,)), ("duration_s", (int, float))):
        value = getattr(about, key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, kinds)):
            raise TypeError(f"its {key} is not a number")
    if type(about.lost) is not int:
        raise TypeError("its lost is not a whole number")
    datetime.fromisoformat(about.started)
    if about.state not in {"open", "sealed"}:
        raise ValueError(f"its state is {about.state!r}")
    if not 0 <= about.measured <= len(about.table):
        raise ValueError(f"{about.measured} of {len(about.table)} channels cannot be measured")
    return about


def clear_drafts(folder: Path) -> None:
    """Remove the incomplete files of killed processes."""
    for draft in folder.glob(f"*{DRAFT}"):
        pid = draft.name.split(".")[-3]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            draft.unlink(missing_ok=True)


def store(folder: Path, about: RunInfo) -> None:
    """Replace `run.json` in one step; raise `OSError`."""
    write_bytes(folder / ABOUT, _encode(about), private=True)


def list_own_files(folder: Path) -> list[Path]:
    """Return the files that make up the run in `folder`, also those not yet there; none if it holds no run."""
    if not (folder / ABOUT).is_file():
        return []
    return [folder / name for name in (ABOUT, STREAM, SEALED, EVENTS, COUNT)]


def being_written(about: RunInfo) -> bool:
    """Return whether the process that records this run is alive (a later process with its number is another one)."""
    if about.state != "open":
        return False
    try:
        born = psutil.Process(int(about.writer["pid"])).create_time()
    except (psutil.Error, KeyError, ValueError, TypeError):
        return False
    return abs(born - about.writer.get("born", 0.0)) < 1.0


def _this_process() -> dict[str, float]:
    return {"pid": os.getpid(), "born": psutil.Process().create_time()}


def _encode(about: RunInfo) -> bytes:
    return json.dumps(asdict(about), indent=1, default=str).encode()
