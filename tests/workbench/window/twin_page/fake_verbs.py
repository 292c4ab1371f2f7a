"""Verbs without a model, which fail or do not end where the name of the file says so."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType


def main() -> int:
    path = Path(sys.argv[2])
    if path.stem == "broken":
        sys.stderr.write(f"error: {path.name} has no column of time\n")
        return 2
    if path.stem == "endless":
        return wait_for_stop()
    out = Path(sys.argv[sys.argv.index("--out") + 1])
    if sys.argv[1] == "twin":  # the test has written what comes of it
        shutil.copy(path.with_suffix(".parquet"), out)
        sys.stdout.write(path.with_suffix(".json").read_text(encoding="utf-8"))
    else:
        sys.stdout.write(json.dumps(fit(path, out)))
    return 0


def wait_for_stop() -> int:
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    signal.signal(signal.SIGTERM, end)
    while not stop.wait(0.05):
        sys.stderr.write("working: 40 %\n")
        sys.stderr.flush()
    return 130


def fit(path: Path, out: Path) -> dict[str, Any]:
    out.write_text('schema = "pulsebms.cell/2"\n', encoding="utf-8")
    tests = [
        {
            "file": one["file"],
            "kind": one["kind"],
            "temperature_degc": one["temperature_degc"],
            "held": one.get("held", False),
            "rmse_mv": 4.0,
            "beside_rmse_mv": 40.0,
        }
        for one in tomllib.loads(path.read_text(encoding="utf-8"))["test"]
    ]
    settled = {"settled_share": 0.5, "notes": ["capacity 2.5 Ah"]}
    return {"cell": "Mine", "capacity_ah": 2.5, "tests": tests, **settled}


sys.exit(main())
