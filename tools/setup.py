"""Prepare a checkout: `.venv` with pinned versions, system libraries, warm caches. Standard library only.

    python3 tools/setup.py          what `make setup` runs; quick when nothing changed
    python3 tools/setup.py --fleet  and the servers of `make fleet`: PostgreSQL and mosquitto
    python3 tools/setup.py --dev    and what the checks, the tests and the documentation need

Works on Debian and Ubuntu with Python 3.11 or newer; elsewhere it prints what it cannot do itself.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
EXTRAS = "bench,window,fleet"
DEV_EXTRAS = f"{EXTRAS},docs,dev"
DOWNLOADS = {EXTRAS: (420, "2 to 6"), DEV_EXTRAS: (700, "3 to 10")}  # MB, and minutes at 10 to 50 Mbit/s
STAMP = VENV / "prepared"  # says which state of the inputs is installed, and with which extras
PACKAGES = ("control", "drivers", "edge_bridge", "fixtures", "twin", "workbench")
INPUTS = ("pyproject.toml", "constraints.txt", "drivers/version.py", "tools/setup.py")

# What Qt's widgets, its offscreen and its X11 platform load at run time, and the package that brings each.
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libX11-xcb.so.1": "libx11-xcb1",
}
FONTS = {"Inter": "fonts-inter"}
# The servers of a fleet, and the package that brings each. Without them `fleet demo` uses a file and our own broker.
SERVERS = {
    "/usr/lib/postgresql/*/bin/postgres": "postgresql",
    "/usr/sbin/mosquitto": "mosquitto",
}
# What the tests run beside these. Tests skip, by name, what is not there.
TEST_PROGRAMS = {
    "/usr/bin/mosquitto_pub": "mosquitto-clients",
    "/usr/bin/chromium": "chromium",
    "/usr/bin/chromedriver": "chromium-driver",
    "/usr/bin/prometheus": "prometheus",
}


def say(text: str) -> None:
    """Progress goes to stderr."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path) -> None:
    """Run or stop with the command that failed."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, stdout=sys.stderr, check=False)
    if done.returncode:
        say(f"failed (exit {done.returncode}): {' '.join(str(part) for part in command)}")
        sys.exit(done.returncode)


def fingerprint() -> str:
    """Hash of all that the environment depends on."""
    digest = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def missing_libraries() -> list[str]:
    """Packages whose library does not load, or whose font is not found; empty off Linux."""
    if not sys.platform.startswith("linux"):
        return []
    packages: list[str] = []
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            packages.append(package)
    fonts = Path("/usr/share/fonts")
    packages += [package for name, package in FONTS.items() if not any(fonts.rglob(f"{name}*"))]
    return packages


def missing_programs(programs: dict[str, str]) -> list[str]:
    """Packages of `programs` that are not installed; empty off Linux."""
    if not sys.platform.startswith("linux"):
        return []
    return [package for program, package in programs.items() if not any(Path("/").glob(program[1:]))]


def may_install() -> bool:
    """Whether this user is root, or has sudo without a password."""
    if os.geteuid() == 0:
        return True
    sudo = shutil.which("sudo")
    return sudo is not None and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0


def install(packages: list[str], what: str, *, needed: bool) -> None:
    """Install what is missing when that is allowed without a question, otherwise print the one line to run.

    Stop where that fails, if what is `needed`.
    """
    if not packages:
        return
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if not shutil.which("apt-get"):
        say(f"missing {what}; install what your system calls: {' '.join(packages)}")
        return
    if not may_install():
        say(f"missing {what}; run as root:  {line}")
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    say(f"installing {what}: {' '.join(packages)}")
    # without systemd no service starts at run level 1; the tests start servers of their own
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
    subprocess.run([*environment, "apt-get", "update", "-q"], stdout=subprocess.DEVNULL, check=False)
    done = subprocess.run([*environment, *line.split(), "-q"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        say(f"could not install {what}; run:  {line}")
        if needed:
            sys.exit(done.returncode)


def is_prepared(extras: str) -> bool:
    """Whether `.venv` holds this state of the inputs with these extras, or with more."""
    if not (PYTHON.exists() and STAMP.exists()):
        return False
    state, _, installed = STAMP.read_text().partition(" ")
    return state == fingerprint() and set(extras.split(",")) <= set(installed.split(","))


def install_python(extras: str) -> None:
    """Make `.venv` and install the pinned versions into it, the project itself editable."""
    if not PYTHON.exists():
        say("creating .venv")
        run(sys.executable, "-m", "venv", VENV)
    size, minutes = DOWNLOADS[extras]
    say(f"installing pinned Python packages: about {size} MB unless they are cached, {minutes} minutes")
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--prefer-binary")
    run(*pip, "-c", ROOT / "constraints.txt", "-e", f"{ROOT}[{extras}]")


def main() -> None:
    """Do what is not done yet."""
    if sys.version_info < (3, 11):  # noqa: UP036  # the very check that tells an older Python so
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; run: make PYTHON=python3.11 setup")
        sys.exit(2)
    install(missing_libraries(), "system libraries", needed=True)
    is_dev = "--dev" in sys.argv[1:]
    if is_dev:
        packages = missing_programs(SERVERS | TEST_PROGRAMS)
        install(packages, "servers and a browser for the tests (about 400 MB)", needed=False)
    elif "--fleet" in sys.argv[1:]:
        install(missing_programs(SERVERS), "the servers of a fleet (about 60 MB)", needed=False)
    extras = DEV_EXTRAS if is_dev else EXTRAS
    if not is_prepared(extras):
        prepare(extras)
    # also where Python writes no bytecode itself: else every process of a bench compiles it anew
    run(PYTHON, "-m", "compileall", "-q", *PACKAGES)


def prepare(extras: str) -> None:
    """Environment and caches, from nothing or after a change."""
    started = time.monotonic()
    install_python(extras)
    say("warming caches (compiled kernels, exported models)")
    run(PYTHON, "-m", "control.precompile")
    STAMP.write_text(f"{fingerprint()} {extras}")
    say(f"ready in {time.monotonic() - started:.0f} s")


main()
