"""Order, settings and markers of all tests."""

from __future__ import annotations

import gc
import re
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.postgres import PostgresServer

pytest_plugins = ("tests.leaks", "tests.judging", "tests.marked_files")

# How long an example takes is the machine's doing: what must be quick is measured by tests of its own.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
settings.register_profile("long", settings.get_profile("any machine"), max_examples=100)  # by make test-long
settings.load_profile("any machine")

LONG: Final = (  # first: what takes minutes must not begin when everything else has ended
    "selftest/test_chain.py",
    "edge/test_edge_live.py",
    "edge/test_edge_alone_live.py",
    "selftest/test_selftest.py",
    "certify/test_live_certification.py",
    "packaging/test_packaging.py",
    "session/test_live_session.py",
    "verbs/test_run.py",
    "selftest/test_mute_guard.py",
    "edge/test_footprint.py",
)

SLOW: Final = (  # more than two seconds where `make test-fast` has four minutes; it names those that became slow
    "packaging/test_extras.py",
    "packaging/test_missing_extras.py",
    "packaging/test_packaging.py",
    "packaging/test_starting.py",
    "twin/test_warm.py",
    "twin/test_dfn.py",
    "test_twin_contract.py::.*twin.dfn",
    "test_a_hard_drive_of_unlike_cells_in_changing_weather",
    "test_from_a_key_to_a_verified_bundle",
    "test_missing_files_and_words_exit_2",
    "test_replaying_needs_neither_qt_nor_pybamm",
    "test_a_bundle_in_order_passes_in_a_process_of_its_own",
    "test_what_is_acknowledged_is_what_was_stored",
    "test_no_row_is_lost_or_numbered_twice_when_the_edge_is_killed",
    "test_an_idle_connection_is_closed_after_5_s",
    "fixtures/test_emulated_bench.py",
    "test_a_flood_that_takes_longer_than_the_idle_time",
    "test_it_brings_the_hottest_cell_to_its_limit",
    "test_gate_mutants.py",
    "test_thousands_of_turns_of_changing_troubles",
    "control/test_guard_peers.py",
    "test_several_may_open_a_killed_run_at_once",
    "test_a_killed_recording_loses_less_than_a_second",
    "test_asammdf_can_be_imported_before_and_after",
    "test_a_page_is_old_only_after_three_rounds",
    "measure/test_measure.py",
    "window/bundle_page/test_page_live.py",
    "test_window_never_imports_the_giants",
    "test_a_mistake_in_a_lane_exits_2",
    "test_the_pace_is_told_truly_while_plots_are_hidden",
    "test_garbage_among_the_progress_does_not_stop_the_page",
    "suite/test_judging.py",
    "suite/test_leaks.py",
)


@pytest.fixture(scope="session", autouse=True)
def own_locks_and_journal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Benches of tests are neither held by, nor told to, whoever else works on this machine."""
    folder = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULSEBMS_LOCKS", str(folder / "locks"))
        patch.setenv("PULSEBMS_JOURNAL", str(folder / "sessions"))
        yield


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """Serve PostgreSQL to all tests of this process that only use it."""
    from tests.postgres import serve  # noqa: PLC0415  # psycopg, which few tests need

    yield from serve()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What collecting makes stays: to scan a million such objects again and again takes a tenth of a run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order modules, and mark what is slow."""
    slow = re.compile("|".join(SLOW))
    for item in items:
        if slow.search(item.nodeid):
            item.add_marker("slow")
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if name in item.nodeid), len(LONG)))
