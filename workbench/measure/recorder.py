"""`measure recorder`: the cost of recording beside MDF4, the time to read a cut, the loss after a kill."""

from __future__ import annotations

import multiprocessing
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers.clock import monotonic
from workbench.measure.job import describe_conditions
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from drivers.snapshot import ChannelTable, Floats
    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_MDF4: Final = "asammdf, MDF 4.10, deflated"
WRITE: Final = MeasuredMetric("recording, core time for a second of 200 channels at 1 kHz", "ms", "<", 50.0)
BOTH: Final = MeasuredMetric("recording and sealing, core time for a second of it", "ms", "<", 100.0, _MDF4)
SIZE: Final = MeasuredMetric("sealed, bytes for a second of it", "kB", "<", 1600.0, _MDF4)
CUT: Final = MeasuredMetric("10 s of one channel out of the sealed run, opened and read", "ms", "<", 100.0, _MDF4)
LOST: Final = MeasuredMetric("lost of a recording that was killed, worst", "s", "<=", 1.0)
METRICS: Final = (WRITE, BOTH, SIZE, CUT, LOST)

CHANNELS, RATE_HZ, SECONDS = 200, 1000, 20
STEP_V: Final = 0.001  # resolution of an instrument
KILLS: Final = 4
NAME, CUT_S = "s007/voltage", (5.0, 15.0)
BATCH: Final = 250  # rows per batch, as the recorder takes them four times a second


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Record the same numbers in both: slow waves with noise, with the resolution of an instrument."""
    conditions = describe_conditions(f"{CHANNELS} channels, {RATE_HZ} Hz, {SECONDS} s")
    data = _signals()
    best: dict[str, list[float]] = {name: [] for name in ("write", "seal", "write peer", "cut", "cut peer")}
    for n in range(job.times(2)):
        job.say("recording beside asammdf")
        run, mdf = job.folder / f"run{n}", job.folder / f"run{n}.mf4"
        write_s, seal_s = _record(run, data)
        best["write"].append(write_s)
        best["seal"].append(seal_s)
        best["write peer"].append(_record_mdf4(mdf, data))
        for _ in range(3):
            best["cut"].append(_cut(run))
            best["cut peer"].append(_cut_mdf4(mdf))
    each = {name: 1e3 * float(np.median(took)) for name, took in best.items()}
    parquet, mf4 = (job.folder / "run0" / "ticks.parquet").stat().st_size, (job.folder / "run0.mf4").stat().st_size
    yield WRITE.make_row(each["write"] / SECONDS, None, conditions)
    yield BOTH.make_row(
        (each["write"] + each["seal"]) / SECONDS, each["write peer"] / SECONDS, f"{conditions}; MDF4 saved once"
    )
    yield SIZE.make_row(1e-3 * parquet / SECONDS, 1e-3 * mf4 / SECONDS, conditions)
    yield CUT.make_row(each["cut"], each["cut peer"], conditions)
    kills = job.times(KILLS)
    job.say(f"killing a recording {kills} times")
    lost_s = [_measure_loss(job.folder / f"killed{n}", 1.3 + 0.37 * n) for n in range(kills)]
    yield LOST.make_row(
        float(np.max(lost_s)), None, f"{conditions}; worst of {kills} kills; what asammdf has not saved is lost whole"
    )


def _table() -> ChannelTable:
    from drivers.snapshot import Channel, ChannelTable  # noqa: PLC0415  # only this figure needs it

    return ChannelTable(tuple(Channel(f"s{n:03d}/voltage", "V") for n in range(CHANNELS)))


def _signals() -> Floats:
    """Return the signals as `[rows, channels]` in V."""
    noise, t_s = np.random.default_rng(6), np.arange(SECONDS * RATE_HZ) / RATE_HZ
    waves = 3.7 + 0.2 * np.sin(t_s[:, None] * noise.uniform(0.1, 1.0, CHANNELS) + noise.uniform(0.0, 6.0, CHANNELS))
    return np.round((waves + 0.002 * noise.standard_normal(waves.shape)) / STEP_V) * STEP_V


def _record(folder: Path, data: Floats) -> tuple[float, float]:
    """Return the core time in s to record and to seal; feed it as fast as the disk accepts, never faster."""
    from drivers.runlog.recorder import Recorder  # noqa: PLC0415  # pyarrow

    none, untimed = np.empty(0), np.empty(0, np.uint8)
    recorder = Recorder.create(folder, _table(), {}, 0)
    began_s = time.process_time()
    for n, row in enumerate(data):
        recorder.put(n / RATE_HZ, row, none, untimed)
        if n % BATCH == BATCH - 1:
            while recorder.ticks - recorder.written > BATCH:
                time.sleep(0.02)
    while recorder.written < len(data):
        time.sleep(0.02)
    wrote_s = time.process_time()
    recorder.close()
    return wrote_s - began_s, time.process_time() - wrote_s


def _record_mdf4(path: Path, data: Floats) -> float:
    """Return the core time in s of asammdf for the same numbers, passed as a whole."""
    from workbench.measure.peers import mdf4  # noqa: PLC0415  # only this figure needs it

    t_s, names, columns = np.arange(len(data)) / RATE_HZ, _table().names, np.ascontiguousarray(data.T)
    mdf4.write(path, t_s[:2], names, columns[:, :2])  # the first file also pays for importing asammdf
    began_s = time.process_time()
    mdf4.write(path, t_s, names, columns)
    return time.process_time() - began_s


def _cut(folder: Path) -> float:
    from drivers.runlog.run import Run  # noqa: PLC0415  # only this figure needs it

    began_s = time.perf_counter()
    with Run.open(folder) as run:
        rows = len(run.columns([NAME], *CUT_S)[NAME])
    return _time_cut(began_s, rows)


def _cut_mdf4(path: Path) -> float:
    from workbench.measure.peers import mdf4  # noqa: PLC0415  # only this figure needs it

    began_s = time.perf_counter()
    return _time_cut(began_s, len(mdf4.cut(path, NAME, *CUT_S)))


def _time_cut(began_s: float, rows: int) -> float:
    """Return the time since `began_s` in s; NaN if the cut does not hold the requested data."""
    took_s = time.perf_counter() - began_s
    return took_s if abs(rows - (CUT_S[1] - CUT_S[0]) * RATE_HZ) <= 1 else float("nan")


def _measure_loss(folder: Path, after_s: float) -> float:
    """Return how many seconds of a full-rate recording are missing in the run after its process was killed."""
    from drivers.runlog.run import Run  # noqa: PLC0415  # only this figure needs it

    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_record_until_killed, args=(folder, theirs), daemon=True)
    process.start()
    theirs.close()
    taken = ours.recv()  # it is recording
    time.sleep(after_s)
    process.kill()
    process.join()
    try:
        while True:
            taken = ours.recv()
    except EOFError:
        ours.close()
    with Run.open(folder) as run:
        return (taken - run.count) / RATE_HZ


def _record_until_killed(folder: Path, taken: Connection) -> None:
    """Process: record in real time and report every ten milliseconds how many rows were recorded."""
    from drivers.runlog.recorder import Recorder  # noqa: PLC0415  # only this figure needs it

    data, none, untimed = _signals(), np.empty(0), np.empty(0, np.uint8)
    recorder = Recorder.create(folder, _table(), {}, 0)
    began_s, count = monotonic(), 0
    while True:
        while count < (monotonic() - began_s) * RATE_HZ:
            recorder.put(count / RATE_HZ, data[count % len(data)], none, untimed)
            count += 1
        taken.send(count)
        time.sleep(0.01)
