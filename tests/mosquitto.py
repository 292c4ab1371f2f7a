"""A real mosquitto for tests, with its own folder and a port of 127.0.0.1 below those of outgoing connections.

It is ended by its pid. `serve()` yields a plain broker; `serve(configure)` takes another configuration.
"""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

HOST: Final = "127.0.0.1"
PORTS: Final = range(12_000, 20_000)  # those of `fixtures.broker` follow
TRIES: Final = 20
START_S: Final = 30.0
PLACES: Final = ("/usr/sbin", "/usr/local/sbin")  # Debian's, which a user has not in the PATH
PLAIN: Final = """\
listener {port} {host}
user root
allow_anonymous true
persistence false
max_packet_size 262144
max_queued_messages 20000
log_dest file {folder}/mosquitto.log
"""


class PortTaken(Exception):  # noqa: N818  # no error of a test
    """Another program got the port first, or the broker ended for another reason."""


def find_program() -> str | None:
    """Return the path of mosquitto, None where it is not installed."""
    return shutil.which("mosquitto") or next(
        (found for place in PLACES if (found := shutil.which("mosquitto", path=place))), None
    )


def make_plain_configuration(folder: Path, port: int) -> str:
    """Return the configuration of a broker that lets anybody in; `user root` has no effect on another user."""
    return PLAIN.format(host=HOST, port=port, folder=folder)


@dataclass
class MosquittoServer:
    """A broker whose address stays the same over `kill`, `stop` and `start`."""

    program: str
    folder: Path
    configuration: Path
    port: int
    process: subprocess.Popen[Any] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """What it wrote, for a test that failed."""
        path = self.folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start it and wait until it listens; raise `PortTaken` if it ends instead."""
        with (self.folder / "output.log").open("ab") as output:
            self.process = subprocess.Popen(
                [self.program, "-c", str(self.configuration)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers_or_has_ended, START_S, "an answer of mosquitto", every_s=0.01)
        if self.process.poll() is not None:
            self.process = None
            raise PortTaken((self.folder / "output.log").read_text(errors="replace")[-2000:] + self.log[-2000:])

    def stop(self) -> None:
        """End it in order: its clients are told, their wills are not sent."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def reload(self) -> None:
        """Let it read its configuration again, as `systemctl reload` does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=30.0)
            self.process = None

    def _answers_or_has_ended(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            return True
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0


def find_port() -> int:
    """Return a port that nobody listens on now."""
    for port in random.sample(PORTS, TRIES):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    pytest.fail(f"no port of {PORTS.start} to {PORTS.stop} is free")


def require_program() -> str:
    """Return the path of mosquitto; skip the test where it is not installed."""
    program = find_program()
    if program is None:
        pytest.skip("no mosquitto is installed (Debian: apt install mosquitto)")
    return program


def serve(configure: Callable[[Path, int], str] = make_plain_configuration) -> Generator[MosquittoServer]:
    """Serve until the generator is closed; `configure` makes the configuration from the folder and the port."""
    program = require_program()
    folder = Path(tempfile.mkdtemp(prefix="pulse-mq-"))
    configuration = folder / "mosquitto.conf"
    server = MosquittoServer(program, folder, configuration, 0)
    try:
        for tries_left in reversed(range(TRIES)):
            server.port = find_port()
            configuration.write_text(configure(folder, server.port), encoding="utf-8")
            try:
                server.start()
            except PortTaken:
                if not tries_left:
                    raise
            else:
                break
        yield server
    finally:
        if server.process is not None:
            server.kill()  # nobody needs its data any more
        shutil.rmtree(folder, ignore_errors=True)
