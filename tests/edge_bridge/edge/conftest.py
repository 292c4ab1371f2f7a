"""Bundles of a small synthetic run: in order, newer, by a stranger, and one that no pack can prove healthy."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from drivers.benchfile import read_bench
from edge_bridge.bundle import keys
from edge_bridge.edge.outbox import Outbox
from tests.edge_bridge.bundle.conftest import HIL24
from tests.edge_bridge.bundle.run import synthetic_run
from tests.edge_bridge.edge.sending_edge import BOOT, SendingEdge
from tests.edge_bridge.fleet.conftest import desk
from workbench.bundling.build import BundleOrder, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile import Bench
    from tests.edge_bridge.edge.field import EdgeProcess
    from tests.edge_bridge.fleet.pack import Desk

__all__ = ["desk"]

YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Shelf:
    """Bundle files by what they are, and the folder that trusts their key."""

    first: Path
    second: Path
    third: Path
    foreign: Path
    sick: Path
    trust: Path


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Made today, because an edge looks at the clock of its machine. Read only: see `trust`."""
    folder = tmp_path_factory.mktemp("shelf")
    ours, public = keys.make_key(folder / "ours", "release")
    theirs, _ = keys.make_key(folder / "theirs", "stranger")
    (folder / "trust").mkdir()
    (folder / "trust" / public.name).write_bytes(public.read_bytes())
    bench, made = read_bench(HIL24), datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    run = synthetic_run(folder / "run", bench, meta={"evidence": "SIM"})
    strict = _strict(folder / "strict")
    other = synthetic_run(folder / "strict run", strict, meta={"evidence": "SIM"})

    def built(name: str, serial: int, private: Path = ours, bench: Bench = bench, run: Path = run) -> Path:
        path = folder / f"{name}.bundle"
        path.write_bytes(build(BundleOrder(run, bench, private, serial, made, made + YEAR, "hil24")).data)
        return path

    return Shelf(
        first=built("first", 1),
        second=built("second", 2),
        third=built("third", 3),
        foreign=built("foreign", 4, theirs),
        sick=built("sick", 5, ours, strict, other),
        trust=folder / "trust",
    )


@pytest.fixture
def edges() -> Iterator[list[EdgeProcess]]:
    """Whatever is put here is dead after the test."""
    started: list[EdgeProcess] = []
    yield started
    for edge in started:
        if edge.process.poll() is None:
            edge.kill()


@pytest.fixture
def edge(tmp_path: Path, desk: Desk) -> Iterator[SendingEdge]:
    """An edge with an outbox of its own, beside the desk of a fleet."""
    with closing(Outbox(tmp_path / "o.sqlite", BOOT)) as outbox:
        yield SendingEdge(tmp_path, desk, outbox)


@pytest.fixture
def trust(shelf: Shelf, tmp_path: Path) -> Path:
    """A trust folder of its own."""
    folder = tmp_path / "trust"
    folder.mkdir()
    for key in shelf.trust.iterdir():
        (folder / key.name).write_bytes(key.read_bytes())
    return folder


def _strict(folder: Path) -> Bench:
    """Device limits that a cell keeps under load and breaks at rest: the gate beside a pack trips."""
    folder.mkdir()
    for path in HIL24.parent.iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    text = HIL24.read_text(encoding="utf-8")
    row = "bench = [0.50, 5.00]"
    assert text.count(row) == 1
    (folder / HIL24.name).write_text(text.replace(row, f"device = [2.80, 3.70]\n{row}"), encoding="utf-8")
    return read_bench(folder / HIL24.name)
