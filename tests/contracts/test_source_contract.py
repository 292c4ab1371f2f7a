"""What every source keeps, on the wire of the emulated bench: `read` fills its own columns and never blocks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from drivers.canbus.dut import Dut
from drivers.canbus.dut_map import read_dut_map
from drivers.ports import LinkState
from drivers.snapshot import Quality
from fixtures.emulated_bench import EmulatedBench
from fixtures.loopback_can import NAME, register
from tests.drivers.bench_instruments import make_cell_simulator, make_io_box, make_supply
from tests.drivers.polled import known, until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from drivers.scpi.cell_simulator import CellSimulator
    from drivers.scpi.io_box import IoBox
    from drivers.scpi.supply import Supply

    Polled = CellSimulator | Supply | IoBox | Dut

MAP: Final = Path(__file__).parents[2] / "fixtures" / "benches" / "pulse24.dut.toml"
AT_ONCE_S: Final = 0.05  # a read copies; nothing on the wire may hold it up


def cell_simulator(addresses: dict[str, str]) -> CellSimulator:
    return make_cell_simulator(addresses["cell_simulator"])


def supply(addresses: dict[str, str]) -> Supply:
    return make_supply(addresses["supply"])


def io_box(addresses: dict[str, str]) -> IoBox:
    return make_io_box(addresses["io_box"])


def dut(addresses: dict[str, str]) -> Dut:
    return Dut(read_dut_map(MAP), NAME, addresses["can"], 500_000)


MAKERS: Final[list[Callable[[dict[str, str]], Polled]]] = [cell_simulator, supply, io_box, dut]
NOBODY: Final = {"cell_simulator": "127.0.0.1:1", "supply": "127.0.0.1:1", "io_box": "127.0.0.1:1"}


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str]]:
    """A bench whose device has power: it sends its frames then."""
    register()
    started = EmulatedBench.start(tmp_path_factory.mktemp("bench") / "run", MAP)
    with started.hold():
        box = io_box(started.addresses)
        box.start()
        until(lambda: box.health().state is LinkState.OK)
        box.power(on=True)
        yield started.addresses
        box.close()
    started.stop()


@pytest.fixture
def source(request: pytest.FixtureRequest, addresses: dict[str, str]) -> Generator[Polled]:
    made = request.param(addresses)
    yield made
    made.close()


every_source = pytest.mark.parametrize("source", MAKERS, indirect=True, ids=[maker.__name__ for maker in MAKERS])


@every_source
def test_before_its_start_nothing_is_known(source: Polled) -> None:
    assert len({channel.name for channel in source.channels}) == len(source.channels)
    found = known(source)
    assert np.isnan(found.values).all()
    assert (found.quality == Quality.MISSING).all()


@every_source
def test_what_is_good_was_sampled_before_now_and_goes_on(source: Polled) -> None:
    source.start()
    until(lambda: source.health().state is LinkState.OK and bool((known(source).quality == Quality.GOOD).any()))
    first, now_s = known(source), time.monotonic()
    good = first.quality == Quality.GOOD
    assert np.isfinite(first.values[good]).all()
    assert (first.sampled_s[good] <= now_s).all()
    until(lambda: bool((known(source).sampled_s[good] > first.sampled_s[good]).any()))
    assert (known(source).sampled_s[good] >= first.sampled_s[good]).all(), "a sample never gets older"


@every_source
def test_a_read_never_waits_for_the_wire(source: Polled) -> None:
    source.start()
    taken_s = list[float]()
    for _ in range(200):
        began_s = time.monotonic()
        known(source)
        taken_s.append(time.monotonic() - began_s)
    assert float(np.median(taken_s)) < AT_ONCE_S


@every_source
def test_a_closed_source_says_so_and_may_be_read_and_closed_again(source: Polled) -> None:
    source.start()
    until(lambda: source.health().state is LinkState.OK)
    source.close()
    assert source.health().state is LinkState.CLOSED
    known(source)
    source.close()


@pytest.mark.parametrize("maker", MAKERS[:3], ids=[maker.__name__ for maker in MAKERS[:3]])
def test_a_source_that_nobody_answers_knows_nothing_and_says_why(maker: Callable[[dict[str, str]], Polled]) -> None:
    source = maker(NOBODY)
    source.start()
    until(lambda: source.health().state not in {LinkState.CONNECTING, LinkState.OK})
    assert source.health().detail
    assert (known(source).quality == Quality.MISSING).all()
    source.close()
