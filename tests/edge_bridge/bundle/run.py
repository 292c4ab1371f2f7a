"""A sealed run as a session leaves one: the emulated bench's channels, a pack that gives 30 A, an EKF's belief."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from control.gate_config import make_pack_spec
from control.snapshot_builder import PackView, Wiring
from drivers.runlog.folder import describe
from drivers.runlog.recorder import Recorder
from drivers.snapshot import Channel, ChannelTable, Snapshot
from tests.workbench import plant
from twin import ekf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from drivers.benchfile import Bench

TICKS, RUNNING_FROM = 300, 40
BEGIN_S, PERIOD_S = 6.0, 0.01  # of the plant's time: the current steps at 8 s
LOOP = ("loop/number", "bench/state", "command/current", "estimator/EKF/soc", "estimator/EKF/soc_std")


def synthetic_run(
    folder: Path,
    bench: Bench,
    *,
    ticks: int = TICKS,
    meta: Mapping[str, Any] | None = None,
    change: Callable[[int, dict[str, float]], bool] | None = None,
    close: bool = True,
) -> Path:
    """Record it; `change` may alter a tick's named values, or answer False to lose it."""
    whole, measured = plant.table()
    table = ChannelTable((*whole.channels[:measured], *(Channel(name, "1") for name in LOOP)))
    seen = ChannelTable(table.channels[:measured])
    world, pack = plant.Plant(whole), make_pack_spec(bench)
    sense, lane = PackView(seen, Wiring.hil(24, 8)), ekf.build(pack, bench.active("estimator").settings)
    recorder = Recorder.create(folder, table, describe(bench, "HIL") | dict(meta or {}), measured)
    for number in range(ticks):
        t_s = BEGIN_S + number * PERIOD_S
        told = dict(zip(whole.names, world.row(t_s), strict=True))
        sampled = np.full(measured, t_s - 0.004)
        values = np.array([told[name] for name in seen.names])
        belief = lane.update(
            sense.reading(Snapshot(seen, t_s, values, sampled, np.zeros(measured, np.uint8))), PERIOD_S
        )
        state = 3.0 if number >= RUNNING_FROM else 2.0
        loop = (number + 1.0, state, world.amps(t_s), belief.pack_soc, float(belief.soc_std.mean()))
        row = dict(zip(table.names, (*values, *loop), strict=True))
        if change is None or change(number, row):
            recorder.put(t_s, np.array([row[name] for name in table.names]), sampled, np.zeros(measured, np.uint8))
    if close:
        recorder.close()
    return folder
