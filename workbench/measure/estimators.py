"""`measure estimators`: the cost of the filter and its error on real cells."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

import numpy as np

from control.gate_config import make_pack_spec
from drivers.benchfile import read_bench
from drivers.snapshot import PackReading
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.measure import dfn_power, health_steps, recorded, soc_scores
from workbench.measure.job import describe_conditions, run_in_turns, time_calls
from workbench.measure.metric import MeasuredMetric
from workbench.scores import rms, worst

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twin.ports import PackSpec
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow
    from workbench.measure.recorded import RecordedDrive
    from workbench.scores import LaneScore

_NUMPY: Final = "plain numpy EKF of as many states, all cells at once"
_TEXTBOOK: Final = "textbook EKF, tuned on these very drives"
_UNSURE: Final = (
    "the filter holds capacity and current sensor for unsure (6 %, 20 mA a 5 Ah cell), "
    "which this laboratory's are not, "
    "and cold resistances are those of 25 degC times one factor; nothing was fitted to a drive"
)
UPDATE: Final = MeasuredMetric("EKF of 24 cells, one update", "us", "<", 500.0, _NUMPY)
FOLLOWS: Final = {
    "25degC": MeasuredMetric("SoC on recorded LG HG2 drives at 25 degC, worst RMSE", "%", "<", 2.0, _TEXTBOOK, _UNSURE),
    "0degC": MeasuredMetric("SoC on recorded LG HG2 drives at 0 degC, worst RMSE", "%", "<", 2.0, _TEXTBOOK, _UNSURE),
    "n10degC": MeasuredMetric(
        "SoC on recorded LG HG2 drives at -10 degC, worst RMSE", "%", "<", 6.0, _TEXTBOOK, _UNSURE
    ),
}
LANES: Final = {
    name: MeasuredMetric(f"{name} of 24 cells, one cell and step", "us", "<", 20.0)
    for name in ("twin.ekf", "twin.ckf", "twin.dual_ekf", "twin.coulomb_counter")
}
METRICS: Final = (
    UPDATE,
    *LANES.values(),
    *dfn_power.METRICS,
    *health_steps.METRICS,
    *FOLLOWS.values(),
    *soc_scores.METRICS,
)

DT_S: Final = 0.01
START: Final = (0.80, 0.2)  # believed where the cell is full
SETTLE_S: Final = 600.0


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure the cost on the emulated bench's pack, and the SoC on recorded drives from a start that is 20 % wrong."""
    conditions = describe_conditions()
    pack = make_pack_spec(read_bench(EMULATED_BENCH))
    yield from _cost(job, pack, conditions)
    yield from _measure_lanes(pack, conditions)
    yield from dfn_power.measure(job)
    yield from health_steps.measure(job)
    if job.data is None or not (job.data / recorded.FOLDER).is_dir():
        job.say(f"recorded drives left out: no {recorded.FOLDER} in PULSEBMS_DATA or --data")
        return
    for temperature, metric in FOLLOWS.items():
        job.say(f"recorded drives at {temperature}")
        names, ours, peers = worst_of(list(_errors(job.data, temperature)))
        how = f"1 Hz, table from C/20 and pulses alone, start {START[0]:g} for 1, after {SETTLE_S:.0f} s"
        yield metric.make_row(100.0 * ours, 100.0 * peers, f"{names}; {how}")
    yield from soc_scores.measure_recorded(job, job.data)


def worst_of(errors: list[tuple[str, LaneScore, LaneScore]]) -> tuple[str, float, float]:
    """Return the drives and each filter's worst RMSE; NaN if one of its drives has no score, or there is no drive."""
    names = ", ".join(f"{name} (coverage {mine.coverage:.3f})" for name, mine, _ in errors)
    return names, worst([mine for _, mine, _ in errors]), worst([theirs for *_, theirs in errors])


def _cost(job: MeasureJob, pack: PackSpec, conditions: str) -> Iterator[MeasureRow]:
    from twin import ekf  # noqa: PLC0415  # numba takes a moment
    from workbench.measure.peers.numpy_ekf import NumpyEkf  # noqa: PLC0415

    job.say("EKF beside numpy")
    table = pack.cell.estimator
    ours, peer = ekf.Ekf(pack, table, 0.5, 0.1), NumpyEkf(table, pack.cells, 0.5, 0.1)
    scale = table.capacity_ah / (pack.parallel * pack.cell_ah)
    noise = np.random.default_rng(2)
    volts, warm = 3.75 + 0.02 * noise.standard_normal(pack.cells), np.full(pack.cells, pack.ambient_k)
    reading, cell_a = PackReading(0.0, 20.0, np.zeros(pack.cells), volts, warm), np.full(pack.cells, 20.0 * scale)
    mine_s, theirs_s = run_in_turns(
        lambda: time_calls(lambda: ours.update(reading, DT_S), 300),
        lambda: time_calls(lambda: peer.update(cell_a, volts, warm, DT_S), 300),
        job.times(8),
    )
    yield UPDATE.make_row(
        1e6 * float(np.median(mine_s)),
        1e6 * float(np.median(theirs_s)),
        f"{conditions}; median of {len(mine_s)} updates",
    )


def _measure_lanes(pack: PackSpec, conditions: str) -> Iterator[MeasureRow]:
    reading = PackReading(
        0.0, 20.0, np.zeros(pack.cells), np.full(pack.cells, 3.75), np.full(pack.cells, pack.ambient_k)
    )
    for name, metric in LANES.items():
        lane = import_module(name).build(pack, {"soc0": 0.5})
        took_s = time_calls(lambda lane=lane: lane.update(reading, DT_S), 600)
        yield metric.make_row(1e6 * float(np.median(took_s)) / pack.cells, None, conditions)


def _errors(data: Path, temperature: str) -> Iterator[tuple[str, LaneScore, LaneScore]]:
    """Return the name of each drive and both filters' RMSE (fractions) with coverage; both use the same table."""
    from twin import ekf  # noqa: PLC0415  # as above
    from twin.ports import PackSpec  # noqa: PLC0415
    from workbench.measure.peers.numpy_ekf import TextbookEkf  # noqa: PLC0415

    table, one = recorded.make_cell_table(data, temperature), np.ones(1)
    pack = PackSpec(1, 1, recorded.CAPACITY_AH, one, one, one, 298.15)
    for drive in recorded.read_drives(data, temperature):
        ours, peer = ekf.Ekf(pack, table, *START), TextbookEkf(table, *START)
        mine, theirs = np.empty((2, len(drive.soc)))
        for k in range(len(drive.soc)):
            mine[k] = ours.update(_reading(drive, k), float(drive.dt_s[k])).soc[0]
            theirs[k] = peer.update(float(drive.current_a[k]), float(drive.voltage_v[k]), float(drive.dt_s[k]))
        judged = np.cumsum(drive.dt_s) > SETTLE_S
        yield drive.name.partition(" ")[0], rms((mine - drive.soc)[judged]), rms((theirs - drive.soc)[judged])


def _reading(drive: RecordedDrive, k: int) -> PackReading:
    return PackReading(0.0, float(drive.current_a[k]), np.zeros(1), drive.voltage_v[k : k + 1], drive.kelvin[k : k + 1])
