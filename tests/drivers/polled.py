"""Running a polled instrument in a test, and looking at what it knows."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from drivers.ports import LinkState
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from drivers.ports import Source
    from drivers.scpi.source import PolledSource
    from drivers.snapshot import Bytes, Floats


class Known(NamedTuple):
    """What a source filled in."""

    values: Floats
    sampled_s: Floats
    quality: Bytes


def known(source: Source) -> Known:
    width = len(source.channels)
    filled = Known(np.zeros(width), np.zeros(width), np.full(width, 99, dtype=np.uint8))
    source.read(*filled)
    return filled


def until(done: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for what another thread will do."""
    wait_until(done, within_s, every_s=0.002)


@contextlib.contextmanager
def running(source: PolledSource, state: LinkState = LinkState.OK) -> Generator[None]:
    """The source's thread at work, once it has reached `state`."""
    source.start()
    try:
        until(lambda: source.health().state is state)
        yield
    finally:
        source.close()
