"""Keys, trust, and one bundle that is built from a small synthetic run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from drivers.benchfile import read_bench
from edge_bridge.bundle import keys
from tests.edge_bridge.bundle.run import synthetic_run
from tests.edge_bridge.bundle.small import MADE, small
from workbench.bundling.build import BuiltBundle, BundleOrder, build

if TYPE_CHECKING:
    from drivers.benchfile import Bench

HIL24 = Path(__file__).resolve().parents[3] / "fixtures" / "benches" / "hil24.toml"


@dataclass(frozen=True)
class Signer:
    """A private key, and a folder that trusts its public half."""

    private: Path
    public: Path
    trust: Path


def signer_in(folder: Path, name: str = "release") -> Signer:
    private, public = keys.make_key(folder / "keys", name)
    trust = folder / "trust"
    trust.mkdir()
    (trust / public.name).write_bytes(public.read_bytes())
    return Signer(private, public, trust)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """A key of its own for each test."""
    return signer_in(tmp_path)


@pytest.fixture
def bundle(signer: Signer) -> bytes:
    """A small bundle that verifies."""
    return small(signer.private)


@pytest.fixture(scope="session")
def bench() -> Bench:
    """The emulated bench's declaration."""
    return read_bench(HIL24)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, bench: Bench) -> Path:
    """A sealed run of the emulated bench's channels, three seconds long. Read only."""
    return synthetic_run(tmp_path_factory.mktemp("runs") / "synthetic", bench)


@pytest.fixture(scope="session")
def order(tmp_path_factory: pytest.TempPathFactory, bench: Bench, run_folder: Path) -> BundleOrder:
    """What asks for a bundle of that run."""
    private, _ = keys.make_key(tmp_path_factory.mktemp("keys"), "release")
    return BundleOrder(run_folder, bench, private, 7, MADE, MADE + timedelta(days=365))


@pytest.fixture(scope="session")
def built(order: BundleOrder) -> BuiltBundle:
    """The bundle of that run."""
    return build(order)
