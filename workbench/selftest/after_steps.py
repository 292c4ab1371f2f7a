"""Steps after a process was killed: reopen its run, kill a window, check the window's pictures."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from control.state import BenchState
from drivers.clock import monotonic
from drivers.errors import BenchError
from drivers.runlog.run import Run
from workbench.run_folders import EMULATED
from workbench.selftest import evidence
from workbench.selftest.reaction import Reaction
from workbench.selftest.safety_steps import KILL, judge_off, kill_engine
from workbench.selftest.step import StepFinding

if TYPE_CHECKING:
    from workbench.selftest.context import SelftestContext

LOST_S, SETTLE_S = 1.0, 2.5
WINDOW_S, GUARD_S = 150.0, 5.0  # until the window runs the bench; then until it knows the ports of its guard
PICTURES, MIN_PICTURE_BYTES = 4, 30_000


def reopen_run(context: SelftestContext) -> StepFinding:
    """Reopen the run of the killed engine: compare the tick count of the ring with that on disk."""
    if context.killed_run is None:
        kill_engine(context)
    if context.killed_run is None:
        raise BenchError("no engine was killed")
    with Run.open(context.killed_run) as run:
        lost_s = (context.killed_count - run.count) / 100.0
        ok = run.count > 0 and 0.0 <= lost_s <= LOST_S
        found = f"{run.count} of {context.killed_count} ticks in {context.killed_run.name}"
    return StepFinding(ok, lost_s, "s lost", f"at most {LOST_S:g} s", found)


def kill_window(context: SelftestContext) -> StepFinding:
    """Kill a real, offscreen window during an attended run and find the supply off."""
    context.close_session()
    process, folder = _open_window(context)
    try:
        state = _wait_for_window(process, folder)
        context.pictures = [Path(path) for path in state["pictures"]]
        reaction = Reaction()
        time.sleep(SETTLE_S)
        reaction.since_s = context.now_s()
        os.kill(process.pid, KILL)
        ports = frozenset[int](state["ports"])
        off = evidence.find_requested_off(Path(state["run"]) / EMULATED, reaction.since_s, ports)
        return judge_off(off, ports, reaction, "window killed")
    finally:
        process.kill()
        process.wait()


def check_pictures(context: SelftestContext) -> StepFinding:
    """Check that pictures of both themes at both sizes exist and that none is empty."""
    if not context.pictures:
        kill_window(context)
    good = [path for path in context.pictures if path.exists() and path.stat().st_size > MIN_PICTURE_BYTES]
    folder = str(context.pictures[0].parent) if context.pictures else ""
    return StepFinding(len(good) == PICTURES, len(good), "pictures", f"{PICTURES}, both themes at both sizes", folder)


def _open_window(context: SelftestContext) -> tuple[subprocess.Popen[bytes], Path]:
    folder = context.out / "pictures"
    folder.mkdir(exist_ok=True)
    paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": paths}
    arguments = [str(context.bench), str(context.out / "runs"), str(folder), context.defect]
    with (context.out / "window.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # ourselves
            [sys.executable, "-m", "workbench.selftest.window_client", *arguments],
            env=environment,
            stdout=log,
            stderr=log,
        )
    return process, folder


def _wait_for_window(process: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    """Wait until the window runs the bench and return its status file; raise `BenchError` when it does not."""
    until_s, runs_s = monotonic() + WINDOW_S, math.inf
    path = folder / "window.json"
    while (now_s := monotonic()) < until_s:
        if process.poll() is not None:
            raise BenchError(f"the window ended unexpectedly (exit {process.returncode})", hint="see window.log")
        if path.exists():
            state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if state["state"] == BenchState.TRIPPED.word:  # a run that tripped before the kill does not run again
                raise BenchError(f"the window's run tripped: {state['why']}", hint="see window.log")
            if state["state"] == BenchState.RUNNING.word:
                runs_s = min(runs_s, now_s)
                if state["ports"] or now_s > runs_s + GUARD_S:  # judge a guard without a connection; wait no longer
                    return state
        time.sleep(0.05)
    raise BenchError(f"the window did not run the bench within {WINDOW_S:g} s", hint="see window.log")
