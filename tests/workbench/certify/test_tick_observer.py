"""What a case sees of the ring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from drivers.ring import RingReader, RingWriter
from drivers.snapshot import Channel, ChannelTable
from workbench.certify.case_trace import CaseTrace
from workbench.certify.tick_observer import TickObserver, thin_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = ChannelTable((Channel("a", "V"), Channel("b", "1")))


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[RingWriter]:
    with RingWriter.create(tmp_path / "ring", TABLE, 2) as writer:
        yield writer


def put(ring: RingWriter, t_s: float, a: float, b: float, sampled_s: float | None = None) -> None:
    at_s = t_s if sampled_s is None else sampled_s
    ring.publish(t_s, np.array([a, b]), np.array([at_s, at_s]), np.zeros(2, dtype=np.uint8))


def test_the_first_sample_that_holds_counts_by_its_own_time(ring: RingWriter, tmp_path: Path) -> None:
    with RingReader.open(tmp_path / "ring") as reader:
        watch = TickObserver(reader)
        put(ring, 1.00, 3.0, 0.0)
        put(ring, 1.01, 5.0, 0.0, sampled_s=1.004)
        put(ring, 1.02, 6.0, 1.0)
        watch.read_new()
        assert watch.find_first("a", lambda values: values >= 4.0, 0.0) == (1.004, 5.0)
        assert watch.find_first("a", lambda values: values >= 4.0, 1.01) == (1.02, 6.0)
        assert watch.find_first("a", lambda values: values >= 9.0, 0.0) is None
        assert watch.has_ever("b", lambda values: values == 1.0, 0.0)


def test_a_case_does_not_see_what_was_before_it(ring: RingWriter, tmp_path: Path) -> None:
    with RingReader.open(tmp_path / "ring") as reader:
        watch = TickObserver(reader)
        put(ring, 1.0, 9.0, 0.0)
        watch.read_new()
        watch.restart()
        put(ring, 1.1, 1.0, 0.0)
        watch.read_new()
        assert watch.find_first("a", lambda values: values > 0.0, 0.0) == (1.1, 1.0)


def test_a_trace_counts_from_the_cases_begin_and_has_holes_where_nothing_is_known(
    ring: RingWriter, tmp_path: Path
) -> None:
    with RingReader.open(tmp_path / "ring") as reader:
        watch = TickObserver(reader)
        put(ring, 10.0, 1.0, 0.0)
        put(ring, 10.5, float("nan"), 0.0)
        watch.read_new()
        assert watch.make_trace("a", 10.0) == CaseTrace("a", "V", (0.0, 0.5), (1.0, None))


def test_thinning_keeps_both_ends_and_the_extremes() -> None:
    values = np.sin(np.linspace(0.0, 60.0, 9_000))
    values[4_321] = 7.0
    kept = thin_out(values, 300)
    assert len(kept) <= 302
    assert {0, 4_321, 8_999} <= set(kept)
