"""Runs of six channels, whole or as a killed process leaves them."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from drivers.event import Event, EventRecord, Level
from drivers.runlog.folder import ABOUT
from drivers.runlog.recorder import Recorder
from drivers.snapshot import Bytes, Channel, ChannelTable, Floats
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.runlog.run import Run

CHANNELS, MEASURED = 6, 4
TABLE = ChannelTable(tuple(Channel(f"cell_{n:02d}/voltage", "V", 0.0, 5.5) for n in range(CHANNELS)))
META = {"evidence": "SIM", "bench": {"name": "hil24"}}


def tick(number: int) -> tuple[float, Floats, Floats, Bytes]:
    values = np.arange(CHANNELS, dtype=np.float64) + number
    values[1] = np.nan if number % 3 == 0 else values[1]
    return (
        50.0 + number * 0.01,
        values,
        np.full(MEASURED, 49.99 + number * 0.01),
        np.full(MEASURED, number % 4, np.uint8),
    )


def happened(text: str, number: int = 0) -> EventRecord:
    return EventRecord(number, 50.0, 1.8e9, Event(Level.INFO, "test", text))


def recorded(folder: Path, ticks: int, *, close: bool = True) -> Recorder:
    recorder = Recorder.create(folder, TABLE, META, MEASURED)
    for number in range(ticks):
        recorder.put(*tick(number))
    if close:
        recorder.close()
    return recorder


def eventually(holds: Any, within_s: float = 20.0) -> None:
    wait_until(holds, within_s, every_s=0.01)


def assert_holds(run: Run, ticks: int) -> None:
    block = run.block(0, run.count)
    expected = [tick(number) for number in range(ticks)]
    assert run.count == ticks
    assert block.t_s.tolist() == [t_s for t_s, *_ in expected]
    np.testing.assert_array_equal(block.values.T, [values for _, values, *_ in expected])
    np.testing.assert_array_equal(block.sampled_s.T, [sampled for *_, sampled, _ in expected])
    np.testing.assert_array_equal(block.quality.T, [quality for *_, quality in expected])


def abandoned(folder: Path, ticks: int) -> Path:
    """A run as a killed process leaves it."""
    recorder = recorded(folder.with_name("living"), ticks, close=False)
    eventually(lambda: recorder.written == ticks)
    shutil.copytree(folder.with_name("living"), folder)
    recorder.close()
    about = json.loads((folder / ABOUT).read_text())
    (folder / ABOUT).write_text(json.dumps(about | {"writer": {"pid": os.getpid(), "born": 1.0}}))
    return folder
