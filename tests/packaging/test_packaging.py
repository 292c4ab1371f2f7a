"""The wheel, the names it claims, and the first step of the selftest from an installed copy."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("control", "drivers", "edge_bridge", "fixtures", "twin", "workbench")


def test_no_other_installed_distribution_owns_one_of_our_names() -> None:
    owners = importlib.metadata.packages_distributions()
    others = {name: set(owners.get(name, [])) - {"pulsebms"} for name in NAMES}
    assert not any(others.values()), others


def test_constraints_hold_no_address_and_pin_every_line() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if "==" not in line or "://" in line or "@" in line] == []


def test_pyside_stays_below_the_release_that_drops_references() -> None:
    version = tuple(int(part) for part in importlib.metadata.version("PySide6-Essentials").split(".")[:2])
    assert (6, 11) <= version < (6, 12)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_nests_every_package_under_pulsebms(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pulsebms"}


def test_the_wheel_carries_the_dashboard_with_its_library_and_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        "index.html",
        "app.js",
        "pages/fleet.js",
        "style/base.css",
        "vendor/uplot/uPlot.esm.js",
        "vendor/uplot/LICENSE",
    }
    assert {f"pulsebms/edge_bridge/fleet/dashboard/{name}" for name in files} <= names


def test_the_wheel_carries_the_emulated_bench(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    benches = {"hil24.toml", "lfp16.toml", "pulse24.dbc", "pulse24.dut.toml", "pulse16.dut.toml", "duty.csv"}
    assert {f"pulsebms/fixtures/benches/{name}" for name in benches} <= names


@pytest.mark.timeout(400)  # it compiles every kernel: a minute alone on quick cores
@pytest.mark.timed
@pytest.mark.whole_bench
def test_the_first_step_of_the_selftest_passes_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    start = f"import runpy, sys; sys.path[:0] = [{str(site)!r}, {str(site / 'pulsebms')!r}]; "
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "QT_QPA_PLATFORM": "offscreen"}
    for script in (  # warmed, as the README says; then the selftest
        "runpy.run_module('control.precompile', run_name='__main__')",
        (
            "sys.argv[1:] = ['selftest', '--only', 'connect']; "
            "runpy.run_module('pulsebms', run_name='__main__', alter_sys=True)"
        ),
    ):
        compiled = sorted(site.rglob("*.nbc"))
        done = subprocess.run(
            [sys.executable, "-c", start + script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert compiled, "kernels are compiled beforehand"
    assert sorted(site.rglob("*.nbc")) == compiled, "a first connect compiles nothing"
