from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.twin.cell_physics import PHYSICS
from twin import cache, ecm, ekf, half_cycles, numba_kernel, power, spme_model
from twin.network import power_forecast
from twin.precompile import precompile

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.cell_physics import CellPhysics

ROOT = Path(__file__).parents[2]
KERNELS = """
import numpy as np
from twin.numba_kernel import kernel

@kernel
def doubled(x):
    return 2.0 * x

print(doubled(np.ones(2)).sum(), sum(doubled.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def warmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The cache that two processes filled at the same time, and what they said."""
    folder = tmp_path_factory.mktemp("cache")
    command, environment = (sys.executable, "-m", "twin.precompile"), {**os.environ, "PULSEBMS_CACHE": str(folder)}
    both = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=100)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    return folder, said


def make_export(text: str) -> Callable[[CellPhysics], str]:
    """An export that writes `text`: the export itself is tested here too, once."""
    return lambda physics: text if physics == PHYSICS else ""


def test_two_processes_that_warm_at_once_leave_one_whole_model_and_say_nothing(
    warmed: tuple[Path, list[str]],
) -> None:
    folder, said = warmed
    assert list(folder.iterdir()) == [cache.find_spme_file(folder, PHYSICS)]
    assert said == ["", ""]
    assert spme_model.load(PHYSICS, folder).capacity_ah == pytest.approx(5.15, abs=0.01)


def test_warming_compiles_every_kernel() -> None:
    precompile()
    kernels: tuple[Any, ...] = (
        ecm.advance,
        half_cycles.follow_charge,
        ekf.update_currents,
        ekf.predict,
        ekf.correct,
        ekf.predict_voltage,
        ekf.find_resistance,
        power.find_power,
        power_forecast.forecast_power,
    )
    assert all(kernel.signatures for kernel in kernels)


@pytest.mark.parametrize("harm", ["one byte", "cut short", "empty", "old"])
def test_a_damaged_model_is_exported_anew_with_a_word(
    warmed: tuple[Path, list[str]],
    harm: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    whole = cache.find_spme_file(warmed[0], PHYSICS).read_text()
    harmed = {"one byte": whole.replace("capacity", "kapacity"), "cut short": whole[:9000], "empty": "", "old": "{}"}
    path = cache.find_spme_file(tmp_path, PHYSICS)
    path.write_text(harmed[harm])
    monkeypatch.setattr(spme_model, "_run_export", make_export(whole))  # the export itself is tested above
    assert spme_model.load(PHYSICS, tmp_path).capacity_ah > 5.0
    assert f"{path}: damaged" in caplog.text
    assert path.read_text() == whole


def test_a_cache_that_cannot_be_written_costs_an_export_and_says_so(
    warmed: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = cache.find_spme_file(warmed[0], PHYSICS).read_text()
    (tmp_path / "file").touch()
    monkeypatch.setenv("PULSEBMS_CACHE", str(tmp_path / "file" / "folder"))
    monkeypatch.setattr(spme_model, "_run_export", make_export(whole))
    assert spme_model.load(PHYSICS).capacity_ah > 5.0
    assert "cannot be written: Not a directory; each start exports the model again" in caplog.text


def kernels(folder: Path, **more: str) -> tuple[str, str]:
    """Compile one kernel of a module in `folder` in a process of its own: what it printed, what it warned of."""
    if not (folder / "doubling.py").exists():
        (folder / "doubling.py").write_text(KERNELS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    done = subprocess.run(
        [sys.executable, "doubling.py"], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize("torn", ["*.nbi", pytest.param("*.nbc", marks=pytest.mark.long)])
def test_a_torn_kernel_cache_is_compiled_anew_with_a_word(tmp_path: Path, torn: str) -> None:
    own = {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    assert kernels(tmp_path, **own) == ("4.0 0", "")
    for file in (tmp_path / "kernels").rglob(torn):
        file.write_bytes(file.read_bytes()[:-200])
    printed, warned = kernels(tmp_path, **own)
    assert printed == "4.0 0"
    assert "compiled again" in warned
    assert kernels(tmp_path, **own) == ("4.0 1", "")


def test_a_kernel_is_compiled_anew_when_a_file_that_it_may_call_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba_kernel, "__file__", str(tmp_path / "compiled.py"))
    (tmp_path / "callee.py").write_text("a = 1")
    before = stamp()
    assert stamp() == before
    (tmp_path / "callee.py").write_text("a = 1.5")
    assert stamp() != before


def stamp() -> Any:
    def one(x: float) -> float:
        return x

    dispatcher: Any = numba_kernel.kernel(one)
    return dispatcher._cache._cache_file._source_stamp


def test_a_kernel_without_a_place_for_its_cache_still_computes(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: dict[str, Any] = {}
    exec(compile("def tripled(x):\n    return 3.0 * x", "<nowhere>", "exec"), made)  # noqa: S102  # code without a file
    assert numba_kernel.kernel(made["tripled"])(np.float64(2.0)) == 6.0
    assert "no locator available" in caplog.text
