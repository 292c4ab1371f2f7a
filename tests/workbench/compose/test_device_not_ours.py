"""Emulated instruments around a device that is not ours: what is started, offered and refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from drivers.benchfile.read import read_bench
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchError, Refused, Usage
from tests.workbench.live import ROOT
from workbench.compose import bench as composition
from workbench.compose.named_defects import find_defects
from workbench.engine import status
from workbench.engine.injected_faults import InjectedFaults
from workbench.session.order import EngineOrder

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile.model import Bench

BENCHES = ROOT / "fixtures" / "benches"


@pytest.fixture
def foreign() -> Bench:
    return read_bench(BENCHES / "foreign24.toml")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The emulators that a composition starts, instead of starting them; then it ends."""
    parts: list[tuple[str, ...]] = []

    def start(*_: object, **options: Any) -> object:
        parts.append(options["parts"])
        raise composition.EmulatorError("enough seen")

    monkeypatch.setattr(composition.EmulatedBench, "start", start)
    return parts


def composed(bench: Bench, folder: Path) -> None:
    order = EngineOrder(bench.path, folder)
    with pytest.raises(BenchError):
        composition.compose(bench, order, cast("Any", None))


def test_only_what_the_file_calls_emulated_is_started(
    foreign: Bench, started: list[tuple[str, ...]], tmp_path: Path
) -> None:
    composed(foreign, tmp_path)
    composed(read_bench(BENCHES / "hil24.toml"), tmp_path)
    assert started == [("cell_simulator", "supply", "io_box"), ("cell_simulator", "supply", "bms", "io_box")]


@pytest.mark.parametrize("name", ["bms-threshold", "seed:ov-limit-high:7"])
def test_a_defect_for_the_emulated_bms_is_refused_around_another(
    foreign: Bench, started: list[tuple[str, ...]], tmp_path: Path, name: str
) -> None:
    order = EngineOrder(foreign.path, tmp_path)
    with pytest.raises(Usage, match=r"dut\.interface = 'udp_multicast' is not emulated"):
        composition.compose(foreign, order, cast("Any", None), defects=find_defects(name))
    assert started == []


def test_a_device_without_heartbeat_is_offered_no_fault_of_it(foreign: Bench) -> None:
    offered = {fault.name for fault in status.make_bench_info(foreign).faults}
    assert "heartbeat stopped" not in offered
    assert "heartbeat stopped" in {
        fault.name for fault in status.make_bench_info(read_bench(BENCHES / "hil24.toml")).faults
    }


def test_a_fault_inside_an_instrument_that_is_not_emulated_is_refused(foreign: Bench) -> None:
    injected: list[str] = []

    def emulates(part: str) -> bool:
        return part != "bms"

    def inject(fault: str, **_: object) -> None:
        injected.append(fault)

    desk = SimpleNamespace(has_part=emulates, inject=inject)
    dut = SimpleNamespace(map=read_dut_map(foreign.dut_map))
    station = SimpleNamespace(bench=foreign, emulated=desk, dut=dut)
    faults = InjectedFaults(cast("Any", station))
    with pytest.raises(Refused, match="bms of this bench is not emulated"):
        faults.inject("silent instrument", {"instrument": "bms"})
    faults.inject("silent instrument", {"instrument": "supply"})
    assert injected == ["mute"]


def test_the_code_of_the_workbench_names_no_foreign_device() -> None:
    folders = ("workbench", "control", "drivers", "edge_bridge", "twin")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    words = ("foreign24", "foreign_bms", "foreign bms", "foxbms", "msl")
    named = [path.name for path in files if any(word in path.read_text("utf-8").lower() for word in words)]
    assert len(files) > 200
    assert named == []
