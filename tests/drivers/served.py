"""An emulated instrument on a thread of the test, with a behaviour of its choice."""

from __future__ import annotations

import ast
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fixtures import emulator
from fixtures.behaviour import EaBehaviour, NgiBehaviour
from fixtures.journal import Journal
from fixtures.wiring import AnalogWiring

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from fixtures.tcp_host import TcpHost


@dataclass(frozen=True)
class Served:
    """Where it listens, its wires, and the dialect behind the socket."""

    address: str
    loom: AnalogWiring
    instrument: Any
    journal: Path


@contextlib.contextmanager
def supply(folder: Path, **behaviour: Any) -> Generator[Served]:
    """An EA supply that does what `behaviour` says."""
    with (
        _journal(folder) as (loom, journal),
        _turning(emulator.make_supply(loom, journal, EaBehaviour(**behaviour))) as host,
    ):
        yield _served(host, loom, folder)


@contextlib.contextmanager
def cell_simulator(folder: Path, **behaviour: Any) -> Generator[Served]:
    """An NGI cell simulator that does what `behaviour` says."""
    with _journal(folder) as (loom, journal):
        made = emulator.make_cell_simulator(loom, journal, NgiBehaviour(**behaviour))
        with _turning(made) as host:
            yield _served(host, loom, folder)


def find_tried(tests: Path, instrument: str, behaviours: Sequence[Mapping[str, object]]) -> set[str]:
    """The switches that a file of tests sets: those of `behaviours`, and each keyword of `served.INSTRUMENT(...)`."""
    calls = [node for node in ast.walk(ast.parse(tests.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == instrument]
    return {name for one in behaviours for name in one} | {
        keyword.arg for call in named for keyword in call.keywords if keyword.arg is not None
    }


def _served(host: TcpHost, loom: AnalogWiring, folder: Path) -> Served:
    return Served(host.address, loom, host._instrument, folder / "journal")  # pyright: ignore[reportPrivateUsage]  # what it does is what is looked at


@contextlib.contextmanager
def _journal(folder: Path) -> Generator[tuple[AnalogWiring, Journal]]:
    with Journal(folder / "journal") as journal:
        yield AnalogWiring.create(folder / "loom"), journal


@contextlib.contextmanager
def _turning(host: TcpHost) -> Generator[TcpHost]:
    ending = threading.Event()

    def turn() -> None:
        while not ending.is_set():
            host.turn()

    thread = threading.Thread(target=turn, name="emulated instrument")
    thread.start()
    try:
        yield host
    finally:
        ending.set()
        thread.join()
        host.close()
