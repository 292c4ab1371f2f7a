"""How long a case took, on a clock that nobody sets."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.clock import monotonic
from workbench.certificates.results import CaseInfo
from workbench.certify import plugin
from workbench.certify.events import CaseEnded

INFO = CaseInfo("C-01", "a case", (), "", None, "", "suite.py::test_case")
STEP_S = 3600.0  # summer time, a network time server, an operator


def describe(_: object) -> CaseInfo:
    return INFO


@pytest.mark.parametrize("step_s", [STEP_S, -STEP_S])
def test_a_wall_clock_that_is_set_amid_a_case_changes_no_duration(
    step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[object] = []
    certifying: Any = SimpleNamespace(
        job=SimpleNamespace(first_detection=False),
        has_detected=False,
        case_bench=None,
        identify_bench=lambda: None,
        stream=SimpleNamespace(write=events.append),
    )
    item: Any = SimpleNamespace(stash=pytest.Stash(), config=SimpleNamespace(stash=pytest.Stash()))
    item.config.stash[plugin._KEY] = certifying  # pyright: ignore[reportPrivateUsage]  # where the hooks find it
    monkeypatch.setattr(plugin, "info_of", describe)
    began_s, wall = monotonic(), time.time
    running = plugin.pytest_runtest_protocol(item)
    next(running)
    monkeypatch.setattr(time, "time", lambda: wall() + step_s)
    with pytest.raises(StopIteration):
        running.send("done")
    (ended,) = (event for event in events if isinstance(event, CaseEnded))
    assert 0.0 <= ended.result.took_s <= monotonic() - began_s + 0.001
