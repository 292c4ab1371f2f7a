"""The process of the load, and how the measurement asks it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from drivers.errors import BenchError
from drivers.processes import end_with_parent, start_child

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from drivers.snapshot import Floats
    from workbench.measure.fleet_load.load_fleet import LoadFleet, LoadState

ANSWER_S: Final = 60.0
STATE, TAKE, HOLD, RESUME, PRODUCED, END = "state", "take", "hold", "resume", "produced", "end"


class LoadProcess:
    """Devices that send to a broker from a process of its own; a context that ends it."""

    def __init__(self, address: tuple[str, int], devices: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.devices = devices
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, address, devices, secrets.randbits(32)))
        start_child(self._process)
        theirs.close()

    @property
    def pid(self) -> int:
        return cast("int", self._process.pid)  # it was started

    def read_state(self) -> LoadState:
        """Return the state of the load now."""
        return self._ask(STATE)

    def take_delays(self) -> Floats:
        """Return how long each row waited for its acknowledgement since the last call, in s."""
        return self._ask(TAKE)

    def hold(self) -> None:
        """Make no new rows; send again what is not acknowledged."""
        self._ask(HOLD)

    def resume(self) -> None:
        """Make new rows again."""
        self._ask(RESUME)

    def read_produced(self) -> dict[str, int]:
        """Return how many rows each device made, by its boot."""
        return self._ask(PRODUCED)

    def close(self) -> None:
        """End it; a second call does nothing."""
        with suppress(OSError, BenchError):
            self._ask(END)
        self.pipe.close()
        self._process.join(ANSWER_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _ask(self, word: str) -> Any:
        try:
            self.pipe.send(word)
            if self.pipe.poll(ANSWER_S):
                return self.pipe.recv()
        except (EOFError, OSError):
            pass
        raise BenchError("the load generator does not answer", hint="measure again, with less other work")


def _run(pipe: Connection, address: tuple[str, int], devices: int, salt: int) -> None:
    import uvloop  # noqa: PLC0415  # not on Windows, and only in this process

    from workbench.measure.fleet_load.load_fleet import LoadFleet  # noqa: PLC0415

    end_with_parent()
    _allow_connections(devices)

    async def main() -> None:
        fleet = LoadFleet(address, devices, salt)
        asyncio.get_running_loop().add_reader(pipe.fileno(), _answer, pipe, fleet)
        os.set_blocking(pipe.fileno(), True)  # uvloop has changed it, and a long answer would be cut off
        await fleet.run()

    uvloop.run(main())


def _allow_connections(devices: int) -> None:
    import resource  # noqa: PLC0415  # not on Windows

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < devices + 200:
        words = f"this machine allows {most} open files in a process; {devices} connections need more"
        raise BenchError(words, key="devices", value=devices, bound=most, hint="raise the limit: ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _answer(pipe: Connection, fleet: LoadFleet) -> None:
    try:
        word = cast("str", pipe.recv())
    except (EOFError, OSError):
        word = END
    answer: object = None
    if word == STATE:
        answer = fleet.read_state()
    elif word == TAKE:
        answer = np.array(fleet.delays_s)
        del fleet.delays_s[:]
    elif word in {HOLD, RESUME}:
        fleet.is_held = word == HOLD
    elif word == PRODUCED:
        answer = fleet.read_produced()
    elif word == END:
        fleet.is_over = True
        asyncio.get_running_loop().remove_reader(pipe.fileno())
    with suppress(OSError):
        pipe.send(answer)
