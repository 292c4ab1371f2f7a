"""The promises of every actuator: it passes a command on, never blocks, refuses NaN; `safe` requests zero current."""

from __future__ import annotations

import itertools
import math
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from control.clock import SteppedClock
from drivers.channel_names import SUPPLY_CURRENT, cell_voltage
from drivers.errors import BenchError
from drivers.ports import LinkState
from drivers.snapshot import Command
from fixtures.emulated_bench import EmulatedBench
from tests.contracts.test_source_contract import MAP, NOBODY, cell_simulator, io_box, supply
from tests.control.fakes import CELLS, FakeBench
from tests.drivers.bench_instruments import CELLS as BENCH_CELLS
from tests.drivers.bench_instruments import THERMISTORS
from tests.drivers.polled import known, until
from workbench.engine.actuator import BenchActuator

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from drivers.ports import Actuator
    from drivers.snapshot import Floats

PARTS: Final = ("cell_simulator", "supply", "io_box")
AT_ONCE_S: Final = 0.05  # a set-point is passed on; nothing on the wire may hold it up
CURRENT_A, VOLTAGE_V, KELVIN = 12.5, 3.61, 301.0


@dataclass(frozen=True)
class Bench:
    """An actuator, and the values that its instruments measure; NaN where no instrument answers."""

    actuator: Actuator
    cells: int
    measure_current: Callable[[], float]
    measure_voltages: Callable[[], Floats]
    measure_temperatures: Callable[[], Floats]

    def command(self, current_a: float = CURRENT_A, voltage_v: float = VOLTAGE_V, kelvin: float = KELVIN) -> Command:
        return Command(current_a, np.full(self.cells, voltage_v), np.full(self.cells, kelvin))

    def wait_for(self, current_a: float, voltage_v: float) -> None:
        until(lambda: abs(self.measure_current() - current_a) < 0.1)
        until(lambda: bool((np.abs(self.measure_voltages() - voltage_v) < 0.01).all()))

    def wait_for_temperature(self, kelvin: float) -> None:
        until(lambda: bool((np.abs(self.measure_temperatures() - kelvin) < 0.1).all()))


def fake_bench(_: pytest.FixtureRequest) -> Bench:
    fake = FakeBench(SteppedClock(50.0).now)
    voltages = [cell_voltage(n) for n in range(1, CELLS + 1)]
    return Bench(
        fake,
        CELLS,
        lambda: fake.values[SUPPLY_CURRENT],
        lambda: np.array([fake.values[name] for name in voltages]),
        lambda: fake.applied[-1].cell_temperature_k,  # it has no thermistors
    )


def emulated_bench(request: pytest.FixtureRequest) -> Bench:
    return request.getfixturevalue("armed")


def absent_bench(request: pytest.FixtureRequest) -> Bench:
    actuator = request.getfixturevalue("unanswered")
    unknown = np.full(BENCH_CELLS, math.nan)
    return Bench(actuator, BENCH_CELLS, lambda: math.nan, lambda: unknown, lambda: unknown)


@pytest.fixture(scope="module")
def armed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Bench]:
    """The bench's actuator on the wire: outputs on, contactor closed."""
    started = EmulatedBench.start(tmp_path_factory.mktemp("bench") / "run", MAP, parts=PARTS)
    with ExitStack() as stack:
        stack.callback(started.stop)
        stack.enter_context(started.hold())
        parts = cell_simulator(started.addresses), supply(started.addresses), io_box(started.addresses)
        for part in parts:
            stack.enter_context(closing(part)).start()
        until(lambda: all(part.health().state is LinkState.OK for part in parts))
        cells, loop, box = parts
        cells.prepare()
        cells.outputs(on=True)
        loop.lock(on=True)
        loop.prepare()
        loop.output(on=True)
        started.wiring["contactor"][0] = 1.0
        yield Bench(
            BenchActuator(*parts, thermistors=THERMISTORS),
            BENCH_CELLS,
            lambda: float(started.wiring["loop_a"][0]),
            started.wiring["cell_v"].copy,
            lambda: known(box).values[-THERMISTORS:],
        )


@pytest.fixture
def unanswered() -> Generator[BenchActuator]:
    """The bench's actuator where no instrument answers."""
    with ExitStack() as stack:
        parts = cell_simulator(NOBODY), supply(NOBODY), io_box(NOBODY)
        for part in parts:
            stack.enter_context(closing(part)).start()
        until(lambda: all(part.health().state not in {LinkState.CONNECTING, LinkState.OK} for part in parts))
        yield BenchActuator(*parts, thermistors=THERMISTORS)


@pytest.fixture
def bench(request: pytest.FixtureRequest) -> Generator[Bench]:
    made: Bench = request.param(request)
    yield made
    made.actuator.safe()


ANSWERING: Final = (fake_bench, emulated_bench)
ALL: Final = (*ANSWERING, absent_bench)
every_answering_bench = pytest.mark.parametrize("bench", ANSWERING, indirect=True, ids=lambda maker: maker.__name__)
every_bench = pytest.mark.parametrize("bench", ALL, indirect=True, ids=lambda maker: maker.__name__)


@every_answering_bench
def test_a_command_reaches_the_instruments_and_the_newest_counts(bench: Bench) -> None:
    for sign in (1.0, -1.0):
        kelvin = KELVIN + sign
        bench.actuator.apply(bench.command(3.0, 3.9, 290.0))
        bench.actuator.apply(bench.command(sign * CURRENT_A, kelvin=kelvin))
        bench.wait_for(sign * CURRENT_A, VOLTAGE_V)
        bench.wait_for_temperature(kelvin)


@every_answering_bench
def test_safe_requests_zero_current_and_leaves_the_voltages(bench: Bench) -> None:
    bench.actuator.apply(bench.command())
    bench.wait_for(CURRENT_A, VOLTAGE_V)
    bench.actuator.safe()
    bench.wait_for(0.0, VOLTAGE_V)


@every_answering_bench
def test_safe_may_be_repeated_and_a_later_command_counts_again(bench: Bench) -> None:
    bench.actuator.apply(bench.command())
    for _ in range(3):
        bench.actuator.safe()
    bench.wait_for(0.0, VOLTAGE_V)
    bench.actuator.apply(bench.command())
    bench.wait_for(CURRENT_A, VOLTAGE_V)


WRONG: Final = tuple(itertools.product(("current_a", "voltage_v", "kelvin"), (math.nan, math.inf, -math.inf)))


@every_bench
@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_value_that_is_not_finite_is_refused(bench: Bench, field: str, value: float) -> None:
    with pytest.raises(BenchError):
        bench.actuator.apply(bench.command(**{field: value}))


@every_answering_bench
@pytest.mark.parametrize(("field", "value"), WRONG)
def test_safe_works_after_a_refused_command(bench: Bench, field: str, value: float) -> None:
    bench.actuator.apply(bench.command())
    bench.wait_for(CURRENT_A, VOLTAGE_V)
    with pytest.raises(BenchError):
        bench.actuator.apply(bench.command(**{field: value}))
    bench.actuator.safe()
    bench.wait_for(0.0, VOLTAGE_V)


@every_bench
def test_neither_method_waits_and_a_missing_instrument_is_no_error(bench: Bench) -> None:
    taken_s = list[float]()
    for _ in range(50):
        for act in (lambda: bench.actuator.apply(bench.command()), bench.actuator.safe):
            began_s = time.monotonic()
            act()
            taken_s.append(time.monotonic() - began_s)
    assert float(np.median(taken_s)) < AT_ONCE_S
