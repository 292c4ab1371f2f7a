"""`doctor`: report what this machine has and lacks, and how to fix each."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import BenchError, PackageMissing
from drivers.realtime import has_realtime_permission
from workbench.extras import EXTRAS, list_missing
from workbench.verbs.doctor_bench import LINKS, check_bench
from workbench.verbs.doctor_check import DoctorCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workbench.report import Report

FREE_GB = 2.0
EXTRA = "extra "  # the checks of packages begin so
SHOWN = ("bench", "window", "edge", "fleet")
NEEDED = ("bench", "window")  # by the workbench itself; an edge or a fleet is another machine
QT_PROBE = "from PySide6.QtWidgets import QApplication; QApplication([])"


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


def check_realtime() -> DoctorCheck:
    """Return whether this user may ask for real-time priority, and the line for limits.d that permits it."""
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


def examine(bench: Path) -> Iterator[DoctorCheck]:
    """Run all checks, cheapest first; raise `BenchFileError` for an error in the bench file."""
    version = sys.version.split()[0]
    yield DoctorCheck("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")
    yield from _check_packages()
    yield _check_disk()
    yield _check_loopback()
    yield check_realtime()
    yield _check_display()
    yield _check_can()
    yield _check_qt()
    yield _check_caches()
    yield from check_bench(bench)


def main(report: Report, bench: Path) -> bool:
    """Print each check; return False if something needed is missing.

    Raise `PackageMissing` if it is a package. Raise `BenchError`, after the last check, for an instrument or an adapter
    that does not answer.
    """
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
    errors = [BenchError(f"{check.name}: {check.found}", hint=check.mend) for check in lacking if check.name in LINKS]
    if errors:
        errors[0].others = tuple(errors[1:])
        raise errors[0]
    return not lacking
