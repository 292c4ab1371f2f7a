"""`doctor`: report what this machine has and lacks, and how to fix each."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.bench_lock import BenchLock, resolve
from drivers.errors import BenchHeld, PackageMissing
from drivers.realtime import has_realtime_permission
from workbench.extras import EXTRAS, list_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drivers.benchfile.model import Bench
    from workbench.report import Report

FREE_GB = 2.0
EXTRA = "extra "  # the checks of packages begin so
SHOWN = ("bench", "window", "edge", "fleet")
NEEDED = ("bench", "window")  # by the workbench itself; an edge or a fleet is another machine
QT_PROBE = "from PySide6.QtWidgets import QApplication; QApplication([])"


@dataclass(frozen=True)
class DoctorCheck:
    """One thing that the machine has (`ok`), lacks, or could have better (`needed` is False)."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    needed: bool = True


def _check_packages() -> Iterator[DoctorCheck]:
    """Check each extra that a person uses; the base is installed, or this would not run."""
    for extra in SHOWN:
        absent, count = list_missing(extra), len(EXTRAS[extra])
        found = f"{count - len(absent)} of {count} packages" + (f", lacking {', '.join(absent)}" if absent else "")
        mend = f"make setup, or: pip install -c constraints.txt -e '.[{extra}]'"
        yield DoctorCheck(f"{EXTRA}{extra}", not absent, found, mend, needed=extra in NEEDED)


def _check_qt() -> DoctorCheck:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    probe = subprocess.run(
        [sys.executable, "-c", QT_PROBE], env=environment, capture_output=True, text=True, check=False
    )
    words = (probe.stderr.strip().splitlines() or ["does not start"])[-1]
    return DoctorCheck("Qt", probe.returncode == 0, "starts" if probe.returncode == 0 else words, "make setup, as root")


def _check_display() -> DoctorCheck:
    there = not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    mend = "log in at a screen, or start one: Xvfb :9 & DISPLAY=:9 python main.py"
    return DoctorCheck(
        "display", there, "yes" if there else "none; the window can only save pictures", mend, needed=False
    )


def _check_realtime() -> DoctorCheck:
    got = has_realtime_permission()
    found = (
        "SCHED_FIFO granted"
        if got
        else "not granted; lateness p99 is then about 1.4 ms instead of 0.4 ms, and more under load"
    )
    mend = f"echo '{_name_user()} - rtprio 99' | sudo tee /etc/security/limits.d/pulsebms.conf, then log in again"
    return DoctorCheck("real-time permission", got, found, mend, needed=False)


def _name_user() -> str:
    """Return the user's name as limits.conf takes it."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a number without a name
        return "*"


def _check_loopback() -> DoctorCheck:
    try:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 1.0):
            return DoctorCheck("loopback TCP", ok=True, found="answers")
    except OSError as error:
        return DoctorCheck("loopback TCP", ok=False, found=str(error), mend="ip link set lo up")


def _check_can() -> DoctorCheck:
    nets = Path("/sys/class/net")
    found = [link.name for link in nets.glob("*can*")] if nets.is_dir() else []
    words = ", ".join(found) if found else "no SocketCAN interface; vendor adapters and the emulated bus need none"
    return DoctorCheck("CAN", bool(found), words, "ip link set can0 up type can bitrate 500000", needed=False)


def _check_disk() -> DoctorCheck:
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    return DoctorCheck(
        "disk", free_gb > FREE_GB, f"{free_gb:.1f} GB free here", "free some space: a run takes 5 MB a minute"
    )


def _check_caches() -> DoctorCheck:
    if list_missing("bench"):
        return DoctorCheck(
            "caches", ok=False, found="none; the extra bench is not installed", mend="make setup", needed=False
        )
    from twin.precompile import is_precompiled  # noqa: PLC0415  # compiled kernels are slow to import

    warm = is_precompiled()
    return DoctorCheck(
        "caches", warm, "warm" if warm else "empty; the first start takes a minute", "make setup", needed=False
    )


def check_bench(path: Path) -> Iterator[DoctorCheck]:
    """Check what a bench file declares and where its instruments are; raise `BenchFileError` for an error in it."""
    from drivers.benchfile import read_bench  # noqa: PLC0415  # only this check needs it
    from drivers.benchfile.safety_times import shutdown_time  # noqa: PLC0415
    from drivers.evidence_class import is_emulated  # noqa: PLC0415

    bench = read_bench(path)
    yield DoctorCheck("bench file", ok=True, found=f"{path.name}: {bench.bench.name}, mode {bench.bench.mode}")
    for note in bench.notes:
        yield DoctorCheck("bench file", ok=False, found=note, needed=False)
    yield DoctorCheck("time to safe", ok=True, found=shutdown_time(bench).sentence)
    yield _check_device_map(bench)
    for name, section in bench.instruments.items():
        if is_emulated(section.address):
            yield DoctorCheck(name, ok=True, found="emulated, started on connect", needed=False)
            continue
        yield _check_instrument(name, section.address, bench.bench.name)


def _check_device_map(bench: Bench) -> DoctorCheck:
    """Raise `BenchFileError` for anything in the device map that a connect would refuse."""
    if list_missing("bench"):
        return DoctorCheck(
            "device map", ok=False, found="not read; the extra bench is not installed", mend="make setup", needed=False
        )
    found = f"{bench.dut_map.name}: {_count_mapped(bench)} channels of the device under test"
    return DoctorCheck("device map", ok=True, found=found)


def _count_mapped(bench: Bench) -> int:
    """Return the number of channels of the device map; raise `BenchFileError` if a connect would refuse it."""
    from drivers.canbus.dut_map import read_dut_map  # noqa: PLC0415
    from workbench.engine import status  # noqa: PLC0415

    status.make_bench_info(bench)
    return len(read_dut_map(bench.dut_map).channels)


def _check_instrument(section: str, address: str, bench: str) -> DoctorCheck:
    """Check whether an instrument answers; do not touch one that a session holds."""
    host, _, port = address.partition(":")
    try:
        with BenchLock.take(resolve(address), f"{bench} (doctor)", guard_s=0.0):
            socket.create_connection((host, int(port)), 1.0).close()
    except BenchHeld as held:
        return DoctorCheck(section, ok=False, found=f"{held.sentence}; not opened", mend=held.hint, needed=False)
    except (OSError, ValueError) as error:
        return DoctorCheck(
            section, ok=False, found=f"{address}: {error}", mend=f"check its power and cable, then run: ping {host}"
        )
    return DoctorCheck(section, ok=True, found=f"{address} answers")


def examine(bench: Path) -> Iterator[DoctorCheck]:
    """Run all checks, cheapest first; raise `BenchFileError` for an error in the bench file."""
    version = sys.version.split()[0]
    yield DoctorCheck("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")
    yield from _check_packages()
    yield _check_disk()
    yield _check_loopback()
    yield _check_realtime()
    yield _check_display()
    yield _check_can()
    yield _check_qt()
    yield _check_caches()
    yield from check_bench(bench)


def main(report: Report, bench: Path) -> bool:
    """Print each check; return False if something needed is missing, raise `PackageMissing` if it is a package."""
    checks: list[DoctorCheck] = []
    for check in examine(bench):
        checks.append(check)
        word = "ok  " if check.ok else ("LACK" if check.needed else "note")
        report.line(f"{word}  {check.name:<22} {check.found}")
        if not check.ok and check.mend:
            report.line(f"{'':28} fix: {check.mend}")
    report.body["checks"] = [asdict(check) for check in checks]
    lacking = [check for check in checks if check.needed and not check.ok]
    for check in lacking:
        if check.name.startswith(EXTRA):
            raise PackageMissing(f"{check.name}: {check.found}", key=check.name.removeprefix(EXTRA), hint=check.mend)
    return not lacking
