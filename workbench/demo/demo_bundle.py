"""The bundle of the demo's edges: from a short session on the emulated bench, so its evidence is SIM."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic
from drivers.errors import BenchError
from workbench.demo.demo_error import make_demo_error
from workbench.selftest.verb_process import LOOK_S, VerbProcess
from workbench.signals import raise_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUN_S: Final = 10
TRIES: Final = 3
WAIT_S: Final = 300.0


def make_bundle(folder: Path, log: Callable[[str], None]) -> tuple[Path, Path]:
    """Return the bundle and the folder of trusted keys; make them unless an earlier demo did.

    Raise `BenchError`, or `KeyboardInterrupt` after a Ctrl-C that `leave_once` has received.
    """
    bundle, trust = folder / "demo.bundle", folder / "trust"
    if not bundle.is_file():
        log(f"bundle   a session of {RUN_S} s on the emulated bench gives its evidence")
        _run_session(folder, log)
        _run_verb(folder, "bundle key", "demo", "--out", str(folder / "keys"))
        trust.mkdir(exist_ok=True)
        (trust / "demo.pem").write_bytes((folder / "keys" / "demo.pem").read_bytes())
        key, draft = folder / "keys" / "demo.key", folder / "draft.bundle"
        draft.unlink(missing_ok=True)
        _run_verb(folder, "bundle build", str(folder / "runs"), "--key", str(key), "--out", str(draft))
        draft.replace(bundle)
    return bundle, trust


def _run_session(folder: Path, log: Callable[[str], None]) -> None:
    """Record the session; a bench that shares its cores with much other work may not come up at once."""
    for left in reversed(range(TRIES)):
        try:
            _run_verb(folder, "run", "--duration", str(RUN_S), "--out", str(folder / "runs"))
        except BenchError as error:
            if not left:
                raise
            log(f"bundle   {error.what}; once more")
        else:
            return


def _run_verb(folder: Path, verb: str, *options: str) -> None:
    """Run a verb to its end in a process of its own."""
    process = VerbProcess(verb.replace(" ", "-"), [*verb.split(), *options], folder / "logs")
    try:
        until_s = monotonic() + WAIT_S
        while process.is_running and monotonic() < until_s:
            raise_interrupt()
            time.sleep(LOOK_S)
        answer = process.wait(0.0)
    finally:
        process.stop()
    if not answer.get("ok"):
        error = answer.get("error", {}).get("what") or process.read_last_line()
        what = f"the bundle of the demo cannot be made: {verb}: {error}"
        raise make_demo_error(what, folder, f"read {folder / 'logs'}")
