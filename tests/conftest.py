"""Order and settings of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ("tests.leaks", "tests.judging")

# How long an example takes is the machine's doing: what must be quick is measured by tests of its own.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

LONG: Final = (  # first: what takes minutes must not begin when everything else has ended
    "tour/test_chain.py",
    "edge/test_edge_live.py",
    "edge/test_edge_alone_live.py",
    "tour/test_tour.py",
    "certify/test_live_certification.py",
    "packaging/test_packaging.py",
    "workbench/test_live_bench.py",
    "workbench/test_run_verb.py",
    "tour/test_mute_guard.py",
    "edge/test_footprint.py",
)


@pytest.fixture(scope="session", autouse=True)
def own_locks_and_journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Benches of tests are neither held by, nor told to, whoever else works on this machine."""
    folder = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULSEBMS_LOCKS", str(folder / "locks"))
        patch.setenv("PULSEBMS_JOURNAL", str(folder / "sessions"))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only the order between modules changes."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG)))
