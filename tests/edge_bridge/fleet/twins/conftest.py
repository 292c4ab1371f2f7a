"""A fleet that has the bundle of its device, and two hours of rows of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from drivers.benchfile import read_bench
from edge_bridge.bundle import keys
from edge_bridge.bundle.verify import verify_signed
from edge_bridge.fleet.store.audit_chain import AuditNote
from tests.edge_bridge.bundle.conftest import HIL24
from tests.edge_bridge.bundle.run import synthetic_run
from tests.edge_bridge.bundle.small import MADE
from tests.edge_bridge.fleet.api.served import Served, serve_desk
from tests.edge_bridge.fleet.pack import DECLARED, ESTIMATED, START_MS, Desk, Pack
from workbench.bundling.build import BundleOrder, build

if TYPE_CHECKING:
    from collections.abc import Generator

    from edge_bridge.bundle.verify import VerifiedBundle

STEP_MS: Final = 10_000
ROWS: Final = 721  # two hours
CURRENT_A: Final = 6.0
CELLS: Final = 24
FIRST_MS: Final = START_MS - (ROWS - 1) * STEP_MS


@dataclass(frozen=True)
class FieldBundle:
    """A signed bundle as a file."""

    data: bytes
    found: VerifiedBundle


@pytest.fixture(scope="session")
def field_bundle(tmp_path_factory: pytest.TempPathFactory) -> FieldBundle:
    """Build a bundle from a small synthetic run of the emulated bench."""
    folder = tmp_path_factory.mktemp("field")
    bench = read_bench(HIL24)
    private, public = keys.make_key(folder / "keys", "release")
    (folder / "trust").mkdir()
    (folder / "trust" / public.name).write_bytes(public.read_bytes())
    run = synthetic_run(folder / "run", bench)
    data = build(BundleOrder(run, bench, private, 7, MADE, MADE + timedelta(days=365))).data
    return FieldBundle(data, verify_signed(data, folder / "trust", now=MADE))


def make_pack(name: str = "pack-1") -> Pack:
    """Make a pack that tells its estimates."""
    return Pack(name, types=DECLARED | ESTIMATED)


def make_row(pack: Pack, number: int, **values: float) -> Any:
    """Make a row of a pack that gives a steady current; `values` by metric name replace its own."""
    spent = CURRENT_A * (number - 1) * STEP_MS / 3.6e6 / 60.0
    told: dict[str, Any] = {
        "Pack/Current": CURRENT_A,
        "Pack/Voltage": CELLS * 3.7,
        "Pack/SoC": 0.7 - spent,
        "Pack/SoC Std": 0.01,
    }
    told |= {"Pack/SoH": 0.8, "Pack/SoH Std": 0.02, "Temperature/Max": 300.0} | values
    return pack.row(number, FIRST_MS + (number - 1) * STEP_MS, **told)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, field_bundle: FieldBundle) -> Generator[Served]:
    """Serve one fleet to all tests of a module: its process imports the models once."""
    patch = pytest.MonkeyPatch()
    patch.setattr("edge_bridge.fleet.api.device_directory.FRESH_S", -1.0)
    desk, pack = Desk(tmp_path_factory.mktemp("fleet") / "fleet.db"), make_pack()
    desk.hear(pack.birth(Bundle_Sha256=field_bundle.found.sha256))
    desk.hear(*(make_row(pack, number) for number in range(1, ROWS + 1)))
    with serve_desk(desk) as served:
        note = AuditNote(0, "test", "bundle.upload", "bundle")
        served.context.library.add(field_bundle.found, field_bundle.data, "test", note)
        yield served
    desk.close()
    patch.undo()
