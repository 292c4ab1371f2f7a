"""Cost of twelve plots of four curves of 6 000 points, ours and pyqtgraph's; call each in its own process."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QWidget

from drivers.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable

PLOTS: Final = 12
CURVES: Final = 4
POINTS: Final = 6000
SIZE: Final = (1600, 900)
PERIOD_MS: Final = 33
_SETTLE_S: Final = 1.5


def measure_own_cost(seconds: float = 5.0) -> dict[str, float]:
    """Measure painted frames a second and percent of a core of our plots, while 100 new rows a second arrive."""
    import numpy as np  # noqa: PLC0415  # the process that only opens a window has no need of it

    from drivers.ring import RingReader, RingWriter  # noqa: PLC0415  # as above
    from drivers.snapshot import Channel, ChannelTable  # noqa: PLC0415  # as above
    from workbench.window.app import make_application  # noqa: PLC0415  # as above
    from workbench.window.plots.channel_history import ChannelHistory  # noqa: PLC0415  # as above
    from workbench.window.plots.curve import PlotCurve, PlotSpec  # noqa: PLC0415  # as above
    from workbench.window.plots.plot import Plot  # noqa: PLC0415  # as above
    from workbench.window.plots.time_view import TimeView  # noqa: PLC0415  # as above
    from workbench.window.widgets.format import VOLT  # noqa: PLC0415  # as above
    from workbench.window.widgets.themes import DARK  # noqa: PLC0415  # as above

    make_application()
    number = PLOTS * CURVES
    noise = np.random.default_rng(0)
    table = ChannelTable(tuple(Channel(f"s{n}/voltage", "V") for n in range(number)))
    phase = noise.random(number) * math.tau
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "ring"
        with RingWriter.create(path, table, number) as writer, RingReader.open(path) as reader:
            start_s = monotonic() - POINTS / 100.0

            def write() -> None:
                while (t_s := start_s + writer.count / 100.0) < monotonic():
                    values = np.sin(phase + t_s / 7.0) + 0.01 * noise.standard_normal(number)
                    writer.publish(t_s, values, np.full(number, t_s), np.zeros(number, np.uint8))

            write()
            store, view = ChannelHistory(reader, ()), TimeView()
            window, plots, turn = QWidget(), list[Plot](), [0]
            grid = QGridLayout(window)
            for place in range(PLOTS):
                keys = ("text", "blue", "orange", "green")
                names = [f"s{CURVES * place + curve}" for curve in range(CURVES)]
                curves = tuple(PlotCurve(name, f"{name}/voltage", key) for name, key in zip(names, keys, strict=True))
                plot = Plot(PlotSpec(str(place), f"Plot {place}", VOLT, curves, 0.1), view, DARK)
                plot.show_store(store)
                plots.append(plot)
                grid.addWidget(plot, place // 3, place % 3)

            def frame() -> None:
                write()
                store.feed()
                view.right_s = store.newest_s
                read = writer.count // 10 != turn[0]  # legends ten times a second, as the window has it
                turn[0] = writer.count // 10
                for plot in plots:
                    plot.canvas.advance()
                    if read:
                        plot.show_values("")

            return _measure(window, frame, lambda: sum(plot.canvas.frames for plot in plots) / PLOTS, seconds)


def measure_pyqtgraph_cost(seconds: float = 5.0, *, reduced: bool = True) -> dict[str, float]:
    """Measure the same with pyqtgraph; `reduced` gives it our minimum and maximum per pixel instead of all points."""
    import numpy as np  # noqa: PLC0415  # as above
    import pyqtgraph  # noqa: PLC0415  # the window itself does without it

    from workbench.window.app import make_application  # noqa: PLC0415  # as above

    make_application()
    graph: Any = pyqtgraph  # it has no type hints
    noise = np.random.default_rng(0)
    span = np.arange(POINTS * 2) * 0.01
    phase = noise.random(PLOTS * CURVES) * math.tau
    data = np.sin(phase[:, None] + span / 7.0) + 0.01 * noise.standard_normal((PLOTS * CURVES, 2 * POINTS))
    window: Any = graph.GraphicsLayoutWidget()
    lines: list[Any] = []
    for place in range(PLOTS):
        plot = window.addPlot(row=place // 3, col=place % 3)
        plot.disableAutoRange()
        plot.setXRange(-60.0, 0.0)
        plot.setYRange(-1.2, 1.2)
        lines += [plot.plot(pen=graph.mkPen("#56b4e9", width=1)) for _ in range(CURVES)]
    columns = SIZE[0] // 3
    starts = np.linspace(0, POINTS, columns, endpoint=False).astype(np.intp)
    x_all, x_few = np.arange(-POINTS, 0) * 0.01, np.repeat(np.linspace(-60.0, 0.0, columns), 2)
    turn, paints = [0], _Paints()
    window.viewport().installEventFilter(paints)

    def frame() -> None:
        turn[0] = (turn[0] + 3) % POINTS
        shown = data[:, turn[0] : turn[0] + POINTS]
        if reduced:
            few = np.empty((PLOTS * CURVES, 2 * columns))
            few[:, 0::2] = np.minimum.reduceat(shown, starts, axis=1)
            few[:, 1::2] = np.maximum.reduceat(shown, starts, axis=1)
            shown = few
        for line, values in zip(lines, shown, strict=True):
            line.setData(x_few if reduced else x_all, values)

    return _measure(window, frame, lambda: paints.count, seconds)


class _Paints(QObject):
    """Counts the frames that were really painted."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        del watched
        self.count += event.type() is QEvent.Type.Paint
        return False


def _measure(
    window: QWidget, frame: Callable[[], None], painted: Callable[[], float], seconds: float
) -> dict[str, float]:
    window.resize(*SIZE)
    window.show()
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(frame)
    timer.start(PERIOD_MS)
    _serve(_SETTLE_S)
    frames, cpu_s, clock_s = painted(), time.process_time(), time.perf_counter()
    _serve(seconds)
    passed = time.perf_counter() - clock_s
    timer.stop()
    window.close()
    return {"fps": (painted() - frames) / passed, "cpu_pct": 100.0 * (time.process_time() - cpu_s) / passed}


def _serve(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1e3), loop.quit)
    loop.exec()
