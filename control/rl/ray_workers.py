"""Where seeds are trained: on the machines of a Ray cluster, Ray core alone. The same questions, the same answers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from control.rl.workers import STEP_S, Answered, answer
from drivers.clock import monotonic
from drivers.errors import BenchError, PulseError, as_message, describe_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from control.rl.seed_training import SeedJob

LOCAL: Final = "local"
LIBRARY: Final = "ray"  # an extra that few have: imported where a cluster is used
HOST: Final = "127.0.0.1"
QUIET: Final = {"RAY_USAGE_STATS_ENABLED": "0"}  # no report to anybody
# Ray replaces 127.0.0.1 by an address that others reach, and lets them in without a password, unless this is off.
LOOPBACK: Final = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
STORE_BYTES: Final = 200_000_000
START_S: Final = 60.0
# All ports of the local cluster, fixed and below those that the system gives to outgoing connections.
PORT: Final = 26_379
PORTS: Final = {
    "port": PORT,
    "node-manager-port": 26_380,
    "object-manager-port": 26_381,
    "dashboard-agent-grpc-port": 26_382,
    "dashboard-agent-listen-port": 26_383,
    "metrics-export-port": 26_384,
    "runtime-env-agent-port": 26_385,
    "min-worker-port": 26_400,
    "max-worker-port": 26_499,
}


class RayHost:
    """What Ray runs for one seed."""

    def __init__(self, job: SeedJob, checkpoint: bytes | None, where: str) -> None:
        self._given, self._training = (job, checkpoint, where), None

    def answer(self, question: str) -> Answered:
        """Answer a question about the training of this seed."""
        from control.rl.seed_training import SeedTraining  # noqa: PLC0415  # torch, which only the host needs

        training: Any = self._training
        try:
            training = self._training = training or SeedTraining(*self._given)
            return Answered(answer(training, question))
        except PulseError as error:
            return Answered(None, as_message(error))
        except Exception as error:  # noqa: BLE001  # reported where it was asked
            what = f"training seed {self._given[0].seed} failed: {describe_error(error)}"
            return Answered(None, as_message(BenchError(what, hint="report it with the command")))


class RayWorker:
    """One actor of the cluster."""

    def __init__(self, seed: int, actor: Any, library: Any) -> None:
        self.seed, self._actor, self._library = seed, actor, library
        self.pending: Any = None

    def submit(self, question: str) -> None:
        """Ask; the answer comes by `RayPool.wait`."""
        self.pending = self._actor.answer.remote(question)

    def stop(self) -> None:
        """End the actor."""
        self._library.kill(self._actor)


class RayPool:
    """Workers of a cluster: that at `address`, or one that is started on this machine and ends with this pool."""

    def __init__(self, address: str, seeds: int) -> None:
        """Raise `BenchError` if no cluster answers."""
        is_local = address == LOCAL
        os.environ |= QUIET | (LOOPBACK if is_local else {})  # read when the library is imported
        self._ray: Any = import_module(LIBRARY)
        self._cluster = LocalCluster(seeds) if is_local else None
        where = f"{HOST}:{PORT}" if is_local else address
        own = {"_node_ip_address": HOST} if is_local else {}
        try:
            self._ray.init(address=where, log_to_driver=False, logging_level="ERROR", **own)
        except Exception as error:  # its exceptions have no common base
            self.close()
            what = f"no Ray cluster answers at {where}: {describe_error(error)}"
            raise BenchError(what, key="ray", value=where, hint="start one, or use --ray local") from error
        self.slots = max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def start(self, job: SeedJob, checkpoint: bytes | None, where: str) -> RayWorker:
        """Start an actor on a job; it has one core."""
        remote: Any = self._ray.remote(num_cpus=1)(RayHost)
        return RayWorker(job.seed, remote.remote(job, checkpoint, where), self._ray)

    def wait(self, workers: Sequence[RayWorker]) -> list[tuple[RayWorker, Any]]:
        """Return the workers that have answered, each with its answer; raise `BenchError` for one that is lost."""
        by_pending = {worker.pending: worker for worker in workers}
        ready, _ = self._ray.wait(list(by_pending), num_returns=1, timeout=STEP_S)
        found: list[tuple[RayWorker, Any]] = []
        for pending in ready:
            worker = by_pending[pending]
            try:
                answered: Answered = self._ray.get(pending)
            except self._ray.exceptions.RayError as error:
                what = f"the worker that trains seed {worker.seed} is lost"
                raise BenchError(what, hint="see the logs of the cluster, then continue with --resume") from error
            found.append((worker, answered.unpack()))
        return found

    def close(self) -> None:
        """Leave the cluster; end it if this pool has started it."""
        self._ray.shutdown()
        if self._cluster is not None:
            self._cluster.stop()


class LocalCluster:
    """A cluster of this machine on 127.0.0.1: `cores` of them, no dashboard, no usage report."""

    def __init__(self, cores: int) -> None:
        """Raise `BenchError` if it does not start."""
        self._folder = tempfile.TemporaryDirectory(prefix="ray_", ignore_cleanup_errors=True)
        ports = [f"--{name}={port}" for name, port in PORTS.items()]
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats"),
            *(f"--node-ip-address={HOST}", "--include-dashboard=false", f"--object-store-memory={STORE_BYTES}"),
            *(f"--num-cpus={min(cores, os.cpu_count() or 1)}", f"--temp-dir={self._folder.name}", *ports),
        ]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # it is open as long as the process
        # in a session of its own: a Ctrl-C is for the process that asks
        self._process = subprocess.Popen(  # noqa: S603  # this very Python, with words of ours
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True
        )
        self._require_start()

    def stop(self) -> None:
        """End all processes of the cluster."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(20.0)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def _require_start(self) -> None:
        until_s = monotonic() + START_S
        while monotonic() < until_s and self._process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STEP_S)
            if b"Ray runtime started" in self._read_log():
                return
        said = self._read_log().decode(errors="replace").strip().splitlines()
        self.stop()
        what = f"the local Ray cluster did not start: {said[-1] if said else 'it said nothing'}"
        raise BenchError(what, key="ray", bound=PORTS, hint=f"free the ports from {PORT}, or leave --ray out")

    def _read_log(self) -> bytes:
        size = self._log.seek(0, os.SEEK_END)
        return os.pread(self._log.fileno(), size, 0)
