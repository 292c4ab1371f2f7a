"""Run the tests as `make test` does, or with `--long` as `make test-long` does: each part with what it can stand.

Side by side spares minutes, but slow cores cannot carry two benches, and a core may be a quarter as quick a minute
later. So a file that failed beside others is run again by itself, named, and judged by that; where many failed, the
code is at fault and nothing is run again.

python tools/test.py [--beside COMMAND | --fast | --long | --soak | --coverage] [pytest arguments]

`--beside` runs a command on what the tests leave of the cores; it has ended before those that need them alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

ROOT = Path(__file__).resolve().parent.parent
MOST_AGAIN = 8  # files that failed beside others and are run again; more are no matter of slow cores
TESTS_FAILED = 1  # the exit status of pytest when tests failed; others are of pytest itself
ASKED = "not soak and not bench"  # those are run by `make soak`, and beside real instruments
SHORT = f"not whole_bench and not long and {ASKED}"
TOGETHER = f"not alone and not live and {SHORT}"
LIVE = f"live and not alone and {SHORT}"
ALONE = f"alone and {SHORT}"
STUDIES = f"long and not whole_bench and {ASKED}"
BENCHES = f"whole_bench and not alone and {ASKED}"
LAWS = f"hypothesis and {TOGETHER}"  # once more, with all examples; hypothesis sets the marker
BENCHES_ALONE = f"whole_bench and alone and {ASKED}"
SOAK = "soak and not bench"
MODULES = ("--dist", "loadscope", "--no-loadscope-reorder")  # a module's server is started once
SAFETY = ("gate", "guard", "arming")  # of `control`: every branch is tested, or `make test` fails
OURS = ("--fast", "--long", "--soak", "--coverage")
BESIDE = "--beside"  # takes a command
sys.path.insert(0, str(ROOT))
from tests.judging import FILE, RUN  # noqa: E402  # found by the line above
from tests.machine import benches_at_once  # noqa: E402  # as above


def pytest(*arguments: str) -> int:
    """Exit status of one pytest run; libraries keep to one thread each, and hundreds of processes to one bytecode."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **threads}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "pytest", *arguments]
    print("$", " ".join(command[1:]), flush=True)
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def safety() -> int:
    """Exit status of the tests of what decides about safety; a branch of it that they do not walk fails them too."""
    tests = [f"tests/control/test_{part}.py" for part in (*SAFETY, "gate_trips")]
    return pytest(*tests, *(f"--cov=control.{part}" for part in SAFETY), "--cov-branch", "--cov-fail-under=100")


def parts(extra: list[str]) -> list[int]:
    """Exit statuses of the parts of `make test`, or of what was asked for."""
    if "--soak" in sys.argv:
        return [pytest("-m", SOAK, "-p", "no:cacheprovider", *extra)]
    if "--coverage" in sys.argv:  # a tracer takes a fifth of the time, and nobody reads its table every day
        return [pytest("-n", "3", "-m", TOGETHER, "--cov", *extra)]
    if "--fast" in sys.argv:
        return [pytest("-n", "3", "-m", f"{TOGETHER} and not slow", "--durations=5", "--durations-min=2", *extra)]
    if "--long" in sys.argv:
        count = benches_at_once()
        return [
            pytest("-n", "3", "-m", LAWS, "--hypothesis-profile", "long", *extra),
            judge(STUDIES, ("-n", "3"), extra),
            judge(BENCHES, ("-n", str(count), *MODULES) if count > 1 else (), extra),
            pytest("-m", BENCHES_ALONE, *extra),
        ]
    with run_beside(option_after(BESIDE)) as end:
        statuses = [judge(TOGETHER, ("-n", "3"), extra), judge(LIVE, ("-n", "3", *MODULES), extra), end()]
    return [*statuses, pytest("-m", ALONE, *extra)]


def option_after(name: str) -> str:
    """Return what follows option `name`; "" without it."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else ""


@contextlib.contextmanager
def run_beside(command: str) -> Generator[Callable[[], int]]:
    """Run `command` meanwhile; what is yielded waits for its end, prints what it said and returns its exit status."""
    if not command:
        yield lambda: 0
        return
    print("$", command, "  # beside the tests", flush=True)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(shlex.split(command), cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)

        def end() -> int:
            status = process.wait()
            said.seek(0)
            print(f"\n{said.read()}$ {command}  # ended with {status}", flush=True)
            return status

        try:
            yield end
        finally:
            process.terminate()  # what Ctrl-C left of it
            process.wait()


def judge(marks: str, beside: tuple[str, ...], extra: list[str]) -> int:
    """Exit status of the tests of these marks; files that fail `beside` others are run again by themselves."""
    if not beside:
        return pytest("-m", marks, *extra)
    with tempfile.TemporaryDirectory(prefix="pulsebms-cache-") as folder:
        status = pytest(*beside, "-o", f"cache_dir={folder}", "-m", marks, *extra)
        failed = find_failed(Path(folder))
    if status != TESTS_FAILED or not 0 < len(failed) <= MOST_AGAIN:
        return status
    print("\nfailed beside others, run again by themselves:", *failed, sep="\n", flush=True)
    return pytest("-m", marks, *failed)


def find_failed(cache: Path) -> list[str]:
    """Return the files whose tests failed, by what pytest remembers in `cache`."""
    remembered = cache / "v" / "cache" / "lastfailed"
    names: dict[str, bool] = json.loads(remembered.read_text(encoding="utf-8")) if remembered.is_file() else {}
    return sorted({name.partition("::")[0] for name in names})


def main() -> int:
    """0 when every part passed; says which tests of time nobody could judge on this machine, before its last part."""
    with tempfile.TemporaryDirectory(prefix="pulsebms-tests-") as folder:
        file = Path(folder) / "not judged"
        os.environ[FILE] = str(file)
        os.environ.setdefault(RUN, str(os.getpid()))  # a command beside a timed test is none of the others
        extra = [argument for argument in sys.argv[1:] if argument not in {*OURS, BESIDE, option_after(BESIDE)}]
        statuses = parts(extra)
        named = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if named:
        print(f"\n{len(named)} tests of time not judged:", *named, sep="\n", flush=True)
    if not extra and not set(OURS) & set(sys.argv):  # of `make test`: seconds, and its last line is pytest's own
        statuses.append(safety())
    return next((status for status in statuses if status), 0)


if __name__ == "__main__":
    sys.exit(main())
