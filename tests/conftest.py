"""Order and settings of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only the order between modules changes."""
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG)))
