"""A verb that the window runs gives way to a bench that runs meanwhile."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from drivers.processes import BACKGROUND
from workbench.window.control_page.verb_process import run_process
from workbench.window.tasks.task import Reporter

if TYPE_CHECKING:
    from pathlib import Path

WAITS = """
import os, time
while os.getpriority(os.PRIO_PROCESS, 0) != {niceness}:
    time.sleep(0.01)
print("gave way")
"""


@pytest.mark.skipif(os.name == "nt", reason="has priority classes instead")
def test_a_verb_of_the_window_runs_at_low_priority(tmp_path: Path) -> None:
    reporter = Mock(spec=Reporter)  # it goes on
    command = [sys.executable, "-c", WAITS.format(niceness=BACKGROUND)]
    assert run_process(reporter, command, tmp_path / "log", lambda _line: None) == 0
    assert (tmp_path / "log").read_text() == "gave way\n"
