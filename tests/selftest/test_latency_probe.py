from __future__ import annotations

import time

import numpy as np
import pytest

from workbench.selftest import latency_probe
from workbench.selftest.latency_probe import LatencyProbe, MachineLateness


def test_an_empty_loop_tells_how_late_the_machine_is() -> None:
    machine = MachineLateness()
    for measured_s in (0.5, 2.0, 8.0):  # a busy machine starts it late
        probe = LatencyProbe()
        time.sleep(measured_s)  # fixed wait: it measures for as long as it is let
        machine = probe.finish()
        if len(machine.due_s) > 10:
            break
    assert np.diff(machine.due_s) == pytest.approx(latency_probe.PERIOD_S), "none is left out"
    assert 0.0 < machine.late_ms(99) <= machine.late_ms(100)
    late = machine.select(machine.due_s[5], machine.due_s[9])
    assert late.late_s.tolist() == machine.late_s[5:10].tolist()


def test_an_empty_loop_that_was_killed_allows_for_nothing() -> None:
    probe = LatencyProbe()
    probe.process.kill()  # whoever cleans up a machine
    machine = probe.finish()
    assert (machine.late_ms(99), machine.late_ms(100), machine.missed_pct) == (0.0, 0.0, 0.0)


def test_one_that_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_probe, "END_S", 0.0)
    assert LatencyProbe().finish().late_ms(99) == 0.0


def test_a_machine_that_stands_still_is_late_for_every_instant_that_it_covered() -> None:
    due: list[float] = []
    late: list[float] = []
    next_s = 0.0
    for stop in range(20):
        for now_s in (*np.arange(0.0, 0.05, latency_probe.PERIOD_S), 0.5499):  # then nothing for half a second
            next_s = latency_probe.record_due(next_s, 0.55 * stop + float(now_s), due, late)
    machine = MachineLateness(np.array(due), np.array(late))
    assert len(due) == pytest.approx(20 * 55, abs=20)
    assert machine.late_ms(99) > 400.0
    assert machine.missed_pct > 80.0
