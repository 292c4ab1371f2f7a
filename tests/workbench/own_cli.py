"""The command line in this process, as `main.py` starts it: a process of its own pays for its imports each time."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from subprocess import CompletedProcess
from typing import TYPE_CHECKING

import pytest

import workbench.cli
from workbench.signals import Interrupt

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


def cli(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run a verb in this process; return its exit status."""
    monkeypatch.setattr(sys, "argv", ["main.py", *arguments])
    return workbench.cli.main()


def run_here(*arguments: object, folder: Path | None = None) -> CompletedProcess[str]:
    """Run a verb in this process, in `folder` if given; return its exit status and what it printed."""
    words = list(map(str, arguments))
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, keep_signals():
        if folder is not None:
            patch.chdir(folder)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli(patch, *words)
    return CompletedProcess(words, status, *(stream.buffer.getvalue().decode() for stream in (out, err)))


@contextlib.contextmanager
def keep_signals() -> Generator[None]:
    """What a verb does on Ctrl-C, SIGTERM and a closed terminal ends with it."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        Interrupt.received = False
        for number, handler in before.items():
            signal.signal(number, handler)
