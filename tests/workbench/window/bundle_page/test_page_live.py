"""The Bundle page over real processes, files and keys."""

from __future__ import annotations

import shutil
from multiprocessing import active_children
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer

from drivers.benchfile import read_bench
from edge_bridge.bundle import keys
from tests.edge_bridge.bundle.conftest import HIL24
from tests.edge_bridge.bundle.proof import certificate
from tests.edge_bridge.bundle.run import synthetic_run
from workbench.session.actions import Failure
from workbench.window.bundle_page.bundle_tasks import trust
from workbench.window.bundle_page.maker import BUILDING, READING, BundleMaker
from workbench.window.bundle_page.model import BUNDLES, KEYS, TRUST, FolderContents, NewKey
from workbench.window.bundle_page.page import BundlePage
from workbench.window.bundle_page.progress_strip import BUILT, CANCELLED, NOT_DONE
from workbench.window.bundle_page.style import REFUSED, UNTRUSTED, VERIFIED
from workbench.window.session_controller import SessionController
from workbench.window.tasks.task import TaskState
from workbench.window.widgets.themes import DARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from pytestqt.qtbot import QtBot

SLOW_MS = 90_000
pytestmark = pytest.mark.timeout(240)


class Served:
    """A page, and how often the window's thread came round since."""

    def __init__(self, root: Path) -> None:
        self.turns = 0
        self.session_controller = SessionController()
        self.page = BundlePage(self.session_controller, BundleMaker(self.session_controller.background), root, DARK)
        self._timer = QTimer(self.page)
        self._timer.timeout.connect(self._turn)
        self._timer.start(20)

    def _turn(self) -> None:
        self.turns += 1
        self.session_controller.values_due.emit()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one sealed run of the emulated bench's channels."""
    root = tmp_path_factory.mktemp("root")
    synthetic_run(root / "2026-11-24_182906_hil24", read_bench(HIL24))
    return root


@pytest.fixture
def root(recorded: Path, tmp_path: Path) -> Path:
    """A copy, with a key that is trusted."""
    made = tmp_path / "root"
    shutil.copytree(recorded, made)
    trust(keys.make_key(made / KEYS, "release")[1], made / TRUST)
    return made


@pytest.fixture
def served(root: Path, qtbot: QtBot) -> Iterator[Served]:
    """A page on the emulated bench's file, once it has looked."""
    made = Served(root)
    qtbot.addWidget(made.page)
    made.page.controller.choose_bench(HIL24)
    made.page.show()
    qtbot.waitUntil(lambda: bool(made.page.controller.contents.runs), timeout=SLOW_MS)
    yield made
    made.page.controller.close()


def certified(root: Path, name: str, bench: Path, verdict: str) -> Path:
    """A certificate of `bench`."""
    folder = root / "certificates" / name
    folder.parent.mkdir(exist_ok=True)
    certificate(folder, read_bench(bench), verdict=verdict)
    return folder


def test_window_goes_on_while_a_bundle_is_built(served: Served, root: Path, qtbot: QtBot) -> None:
    page = served.page
    folder = certified(root, "2026-11-24_183000_bms", HIL24, "PASS")
    page.controller.want_certificate(folder)
    qtbot.waitUntil(lambda: page.certificate is not None, timeout=SLOW_MS)
    assert page.why_not_build() == ""
    before = served.turns
    page.build()
    assert page.controller.doing
    qtbot.waitUntil(lambda: not page.controller.doing, timeout=SLOW_MS)
    assert served.turns - before > 5  # the estimator's replay alone would have let none through
    assert page.strip.word.text() == BUILT, page.strip.text.text()
    bundle = page.details.bundle
    assert bundle is not None
    assert (bundle.verified, bundle.evidence, bundle.file.parent) == (True, "SIM", root / BUNDLES)
    assert bundle.golden
    assert any("certificate bms" in text for _, text in bundle.claims)
    qtbot.waitUntil(lambda: [one.file for one in page.controller.contents.bundles] == [bundle.file], timeout=SLOW_MS)
    page.verify_selected()  # by the trust folder now, as anybody would
    qtbot.waitUntil(lambda: not page.controller.doing, timeout=SLOW_MS)
    assert page.strip.word.text() == VERIFIED
    assert "release.pem" in page.details.verification.sentence.text()
    _flip_and_mistrust(page, bundle.file, qtbot)


def _flip_and_mistrust(page: BundlePage, file: Path, qtbot: QtBot) -> None:
    """Flip a bit in the middle; then verify by a folder that trusts another key."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    flipped = file.with_name("flipped.bundle")
    flipped.write_bytes(data)
    page.controller.verify(flipped)
    qtbot.waitUntil(lambda: not page.controller.doing, timeout=SLOW_MS)
    assert page.strip.word.text() == REFUSED
    changed = page.details.bundle
    assert changed is not None
    assert changed.key == "changed"
    stranger = trust(keys.make_key(file.parents[1] / "other", "stranger")[1], file.parents[1] / "strangers")
    page.controller.choose_trust(stranger.parent)
    page.controller.verify(file)
    qtbot.waitUntil(lambda: not page.controller.doing, timeout=SLOW_MS)
    assert page.strip.word.text() == UNTRUSTED
    assert stranger.name in page.details.verification.sentence.text()


def test_bundle_whose_key_is_not_trusted_here_is_nobodys_although_it_was_built_here(
    served: Served, root: Path, qtbot: QtBot
) -> None:
    page = served.page
    private, public = keys.make_key(root / KEYS, "north")
    page.form.show_keys([], private)
    page.build()
    qtbot.waitUntil(lambda: not page.controller.doing, timeout=SLOW_MS)
    assert page.strip.word.text() == BUILT, page.strip.text.text()
    assert page.details.verification.word.text() == UNTRUSTED
    assert not page.details.send.isEnabled()
    trust(public, root / TRUST)
    page.controller.forget()
    qtbot.waitUntil(lambda: page.details.verification.word.text() == VERIFIED, timeout=SLOW_MS)


def test_run_of_another_bench_and_certificates_of_others_are_told_apart(
    served: Served, root: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    page, folder = served.page, tmp_path / "benches"
    shutil.copytree(HIL24.parent, folder)
    other = folder / HIL24.name
    other.write_text(other.read_text(encoding="utf-8") + "\n# changed since\n", encoding="utf-8")
    certified(root, "2026-11-24_183000_bms", HIL24, "PASS")
    failed = certified(root, "2026-11-24_183100_bms", other, "FAIL")
    page.controller.choose_bench(other)
    qtbot.waitUntil(
        lambda: bool(page.controller.contents.runs and page.controller.contents.runs[0].why_not), timeout=SLOW_MS
    )
    assert page.run is not None
    assert HIL24.name in page.run.why_not
    assert page.form.build.toolTip() == page.run.why_not
    assert [entry.folder for entry in page.controller.contents.certificates] == [failed]
    assert page.certificate is None


def test_bench_file_that_is_damaged_is_told_with_its_line(served: Served, tmp_path: Path, qtbot: QtBot) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[bench]\nname = \n", encoding="utf-8")
    served.page.controller.choose_bench(broken)
    qtbot.waitUntil(lambda: bool(served.page.controller.contents.bench_trouble), timeout=SLOW_MS)
    assert "broken.toml:2" in served.page.form.build.toolTip()


def test_garbage_among_the_bundles_is_listed_with_its_reason(served: Served, root: Path, qtbot: QtBot) -> None:
    (root / BUNDLES).mkdir()
    (root / BUNDLES / "empty.bundle").touch()
    (root / BUNDLES / "noise.bundle").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 40)
    served.page.controller.refresh()
    qtbot.waitUntil(lambda: len(served.page.controller.contents.bundles) == 2, timeout=SLOW_MS)
    assert all(not one.verified and one.key and one.reason for one in served.page.controller.contents.bundles)
    assert {line.symbol for line in served.page.bundles._lines} == {"cross"}  # pyright: ignore[reportPrivateUsage]


def test_key_that_others_may_read_signs_nothing(served: Served, root: Path, qtbot: QtBot) -> None:
    (root / KEYS / "release.key").chmod(0o644)
    served.page.build()
    qtbot.waitUntil(lambda: not served.page.controller.doing, timeout=SLOW_MS)
    assert served.page.strip.word.text() == NOT_DONE
    assert "release.key" in served.page.strip.text.text()
    assert not list((root / BUNDLES).glob("*"))


def test_a_child_that_is_killed_says_so_and_the_next_look_starts_another(served: Served, qtbot: QtBot) -> None:
    failures = list[Failure]()
    served.page.controller.failed.connect(failures.append)
    before = child(READING)
    served.page.controller.refresh()
    before.kill()  # as the kernel does, out of memory
    qtbot.waitUntil(lambda: bool(failures) or not served.session_controller.background.tasks, timeout=SLOW_MS)
    served.page.controller.contents = FolderContents()
    served.page.controller.refresh()
    qtbot.waitUntil(lambda: bool(served.page.controller.contents.runs), timeout=SLOW_MS)
    assert child(READING).pid != before.pid


def test_a_duty_that_fails_says_why_and_the_next_one_is_done(served: Served, qtbot: QtBot) -> None:
    controller, pairs, failures = served.page.controller, list[NewKey](), list[Failure]()
    for _ in range(2):  # a key is never replaced
        controller.make_key("north", pairs.append, failures.append)
    qtbot.waitUntil(lambda: bool(pairs and failures), timeout=SLOW_MS)
    assert "north" in failures[0].sentence
    assert failures[0].hint


def test_a_build_that_is_cancelled_leaves_no_bundle(served: Served, root: Path, qtbot: QtBot) -> None:
    page = served.page
    page.build()
    qtbot.waitUntil(lambda: page.controller.task is not None and bool(page.controller.task.sentence), timeout=SLOW_MS)
    page.strip.cancel.click()
    qtbot.waitUntil(lambda: not page.controller.doing, timeout=SLOW_MS)
    assert page.strip.word.text() == CANCELLED
    assert page.why_not_build() == ""
    assert not list((root / BUNDLES).glob("*"))


def test_closing_while_a_bundle_is_built_ends_its_process(served: Served, root: Path, qtbot: QtBot) -> None:
    served.page.build()
    task = served.page.controller.task
    assert task is not None
    qtbot.waitUntil(lambda: bool(task.sentence), timeout=SLOW_MS)
    process = child(BUILDING)
    served.page.controller.close()
    assert process.exitcode is not None
    assert task.state is TaskState.CANCELLED
    assert not list((root / BUNDLES).glob("*"))


def child(queue: str) -> BaseProcess:
    """The child process of a queue."""
    (process,) = [process for process in active_children() if process.name == queue]
    return process
