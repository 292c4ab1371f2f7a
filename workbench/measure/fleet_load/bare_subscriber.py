"""The peer of the live API: `mosquitto_sub`, which takes some devices' rows from the broker and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_bridge.sparkplug import wire
from workbench.measure.fleet_load.packet_writer import name_device

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.snapshot import Floats

FOLLOWED: Final = 100  # devices: each row is written in hexadecimal, which costs too much for all


def find_program() -> str | None:
    """Return the path of `mosquitto_sub`, None where it is not installed."""
    return shutil.which("mosquitto_sub")


class BareSubscriber:
    """The program; `stop` returns how long the rows took."""

    def __init__(self, program: str, port: int, devices: int, folder: Path) -> None:
        step = max(1, devices // FOLLOWED)
        topics = [f"spBv1.0/pulsebms/NDATA/{name_device(place)}" for place in range(0, devices, step)]
        self._path = folder / "mosquitto_sub.txt"
        words = [program, "-h", "127.0.0.1", "-p", str(port), "-F", "%U %x", *(x for t in topics for x in ("-t", t))]
        with self._path.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603  # Debian's own program
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL
            )
        self._began_s = time.time_ns() / 1e9

    @property
    def pid(self) -> int:
        return self._process.pid

    def begin(self) -> None:
        """Count only what comes from now on."""
        self._began_s = time.time_ns() / 1e9

    def stop(self) -> Floats:
        """End it; return the seconds from the time of each row to its arrival."""
        until_s = time.time_ns() / 1e9
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        delays_s = list[float]()
        for line in self._path.read_text(encoding="ascii").splitlines():
            at, _, payload = line.partition(" ")
            if self._began_s < float(at) < until_s and payload:
                t_ms = wire.decode(bytes.fromhex(payload)).metrics[0].timestamp_ms
                delays_s.append(float(at) - (t_ms or 0) / 1e3)
        return np.array(delays_s)
