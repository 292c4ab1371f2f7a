"""`measure wire`: the duration of one exchange with the emulated cell simulator, with and without TCP_NODELAY."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers import source_names
from drivers.benchfile import read_bench
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.measure.emulators import instruments
from workbench.measure.job import describe_conditions, percentile, run_at_priority, run_in_turns, time_calls
from workbench.measure.metric import MeasuredMetric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.measure.job import MeasureJob
    from workbench.measure.metric import MeasureRow

_PLAIN: Final = "the same link without TCP_NODELAY"
READ_P50: Final = MeasuredMetric("24 channels read, voltage and current, p50", "ms", "<", 2.0, _PLAIN)
READ_P99: Final = MeasuredMetric("24 channels read, voltage and current, p99", "ms", "<", 5.0, _PLAIN)
BOTH_P50: Final = MeasuredMetric("24 set-points written, then 24 channels read, p50", "ms", "<", 3.0, _PLAIN)
BOTH_P99: Final = MeasuredMetric("24 set-points written, then 24 channels read, p99", "ms", "<", 10.0, _PLAIN)
METRICS: Final = (READ_P50, READ_P99, BOTH_P50, BOTH_P99)

VOLTS: Final = 3.7
PART: Final = source_names.CELL_SIMULATOR


def measure(job: MeasureJob) -> Iterator[MeasureRow]:
    """Measure two links to one emulator in turns: the driver's own, and one that collects small messages."""
    from drivers.realtime import WIRE  # noqa: PLC0415  # only this figure needs it
    from drivers.scpi import ngi_n83624 as page  # noqa: PLC0415
    from drivers.scpi.link import ScpiLink  # noqa: PLC0415  # PyVISA takes a moment

    class Collecting(ScpiLink):
        """A link as pyvisa-py opens it, without TCP_NODELAY: it collects small messages."""

        def collect(self) -> None:
            import socket  # noqa: PLC0415  # only this figure needs it

            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)

    conditions, bench = describe_conditions(), read_bench(EMULATED_BENCH)
    messages = page.ChannelCommands(bench.pack.cells)
    set_points = messages.set_voltages(np.full(bench.pack.cells, VOLTS))
    with ExitStack() as stack:
        addresses = stack.enter_context(instruments(job.folder / "bench", bench.dut_map, PART))
        ours = stack.enter_context(ScpiLink.open(addresses[PART]))
        plain = stack.enter_context(Collecting.open(addresses[PART]))
        plain.collect()

        def read(link: ScpiLink) -> None:
            messages.parse_measured([link.ask(*asked) for asked in messages.measure])

        def both(link: ScpiLink) -> None:
            for message in set_points:
                link.write(message)
            read(link)

        for metrics, work, rounds in (((READ_P50, READ_P99), read, 20), ((BOTH_P50, BOTH_P99), both, 20)):
            job.say(f"{work.__name__}: with TCP_NODELAY beside without")
            mine_s, theirs_s = run_at_priority(
                WIRE,  # as for the instrument's thread in the engine
                lambda work=work, rounds=rounds: run_in_turns(
                    lambda: time_calls(lambda: work(ours), 50),
                    lambda: time_calls(lambda: work(plain), 10),
                    job.times(rounds),
                ),
            )
            counted = f"{conditions}; {len(mine_s)} exchanges, peer {len(theirs_s)}, emulator in a process of its own"
            for metric, percent in zip(metrics, (50, 99), strict=True):
                yield metric.make_row(1e3 * percentile(mine_s, percent), 1e3 * percentile(theirs_s, percent), counted)
