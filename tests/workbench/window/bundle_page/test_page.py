"""The Bundle page over a maker that answers when a test says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.workbench.hands import click, front, in_front, key, nameless, write
from tests.workbench.window.bundle_page.fake_maker import (
    BENCH,
    CHANGED,
    CONTENTS,
    FAILED,
    FOREIGN,
    GOOD,
    KEY,
    OTHER,
    PASSED,
    ROOT,
    RUN,
    FakeMaker,
    Kit,
)
from workbench.session.actions import Failure
from workbench.window.bundle_page.bundle_details import CLAIMS, NOT_VERIFIED
from workbench.window.bundle_page.controller import BUSY, NO_ROOT
from workbench.window.bundle_page.form import BAD_NAME, BAD_SERIAL, NO_PRIVATE_KEY
from workbench.window.bundle_page.model import BuildRequest, BundleFolders, FolderContents, NewKey
from workbench.window.bundle_page.new_key_dialog import NewKeyDialog
from workbench.window.bundle_page.page import NO_RUN, NO_TRUSTED_KEY, BundlePage
from workbench.window.bundle_page.progress_strip import BUILT, NOT_DONE
from workbench.window.bundle_page.style import CLASSES, NOT_TRUSTED, REFUSED, UNTRUSTED, VERIFIED
from workbench.window.session_controller import SessionController
from workbench.window.widgets.dialogs import Dialog
from workbench.window.widgets.themes import DARK, LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot


@pytest.fixture
def make(qtbot: QtBot) -> Callable[..., Kit]:
    def made(root: Path | None = ROOT) -> Kit:
        controller, maker = SessionController(), FakeMaker()
        page = BundlePage(controller, maker, root, DARK)
        page.dialog_wanted.connect(Dialog.open)
        page.resize(1310, 690)
        qtbot.addWidget(page)
        page.show()
        return Kit(page, controller, maker)

    return made


@pytest.fixture
def kit(make: Callable[..., Kit]) -> Kit:
    """A page over folders with two runs, two certificates and three bundles."""
    made = make()
    made.fill()
    return made


def test_looks_at_the_folders_when_it_comes_to_the_front(make: Callable[..., Kit]) -> None:
    assert make().maker.pending("look") == (BundleFolders(ROOT, None, ROOT / "trust"),)


def test_newest_run_certificate_and_key_that_fit_are_chosen(kit: Kit) -> None:
    assert kit.page.run == RUN
    assert kit.page.certificate == PASSED
    assert kit.page.form.private == KEY
    assert kit.page.form.name.text() == "hil-24"
    assert "1 of 2" in kit.page.runs.title.fact.text()
    assert kit.page.why_not_build() == ""


def test_build_carries_what_the_form_says(kit: Kit) -> None:
    kit.page.form.name.setText("north")
    kit.page.form.serial.setText("12")
    kit.page.form.days.setValue(30)
    kit.page.form.accept.setText(" first article ")
    click(kit.page.form.build)
    names = ("north", 12, 30, ROOT / "bundles", ROOT / "trust", "first article")
    request = BuildRequest(RUN.folder, BENCH, KEY, PASSED.folder, *names)
    assert kit.maker.pending("build") == (request,)


def test_without_a_serial_and_a_certificate_none_are_asked_for(kit: Kit) -> None:
    kit.page.certificates.choose(None)
    kit.page.build()
    (request,) = kit.maker.pending("build")
    assert (request.serial, request.certificate) == (None, None)


DAMAGED = "The bench file is damaged."
CHANGES: list[tuple[Callable[[Kit], object], str]] = [
    (lambda kit: kit.page.runs.choose(OTHER.folder), OTHER.why_not),
    (lambda kit: kit.page.certificates.choose(FAILED.folder), FAILED.why_not),
    (lambda kit: kit.page.form.name.setText("a b"), BAD_NAME),
    (lambda kit: kit.page.form.name.clear(), BAD_NAME),
    (lambda kit: kit.page.form.serial.setText("-1"), BAD_SERIAL),
    (lambda kit: kit.page.form.serial.setText("9" * 20), BAD_SERIAL),
    (lambda kit: kit.fill(replace(CONTENTS, private_keys=())), NO_PRIVATE_KEY),  # a file that is gone is not offered
    (lambda kit: kit.fill(replace(CONTENTS, runs=())), NO_RUN),
    (lambda kit: kit.fill(replace(CONTENTS, bench_trouble=DAMAGED)), DAMAGED),
]


@pytest.mark.parametrize(("change", "why_not"), CHANGES)
def test_button_is_grey_and_says_why(kit: Kit, change: Callable[[Kit], object], why_not: str) -> None:
    change(kit)
    assert not kit.page.form.build.isEnabled()
    assert kit.page.form.build.toolTip() == why_not
    kit.page.build()
    assert not [asked for asked in kit.maker.asked if asked[0] == "build"]


def test_window_without_a_folder_says_so(make: Callable[..., Kit]) -> None:
    kit, failures = make(None), list[Failure]()
    kit.session_controller.failed.connect(failures.append)
    assert kit.page.form.build.toolTip() == NO_ROOT
    kit.page.ask_new_key()
    assert failures[0].sentence == NO_ROOT
    assert not kit.maker.asked


def test_strip_tells_of_the_build_and_its_end(kit: Kit) -> None:
    kit.page.build()
    kit.session_controller.values_due.emit()
    assert kit.page.strip.bar.isVisible()
    assert kit.page.controller.doing in kit.page.strip.text.text()
    assert kit.page.form.build.toolTip() == BUSY
    made = replace(
        GOOD, file=ROOT / "bundles" / "hil24-8.bundle", serial=8, golden="answers word for word", notes=("n",)
    )
    kit.maker.answer("build", made)
    assert not kit.page.strip.bar.isVisible()
    assert (kit.page.strip.word.text(), made.sha256[:12] in kit.page.strip.text.text()) == (BUILT, True)
    assert kit.page.details.bundle == made
    assert kit.page.form.build.isEnabled()


def test_what_verifying_found_outlives_a_fresh_list(kit: Kit) -> None:
    kit.page.controller.verify(FOREIGN.file)
    kit.maker.answer("judge", replace(FOREIGN, key=CHANGED.key, reason=CHANGED.reason))
    kit.page.controller.refresh()
    kit.maker.answer("look", CONTENTS)
    assert kit.page.controller.bundles[FOREIGN.file].reason == CHANGED.reason


def test_failed_build_says_why_and_can_be_tried_again(kit: Kit) -> None:
    kit.page.build()
    failure = Failure("The key cannot be read.", "Name another.", "details")
    kit.maker.answer("build", failure)
    assert kit.page.strip.word.text() == NOT_DONE
    assert kit.page.strip.text.text() == f"{failure.sentence} {failure.hint}"
    assert kit.page.form.build.isEnabled()


def test_simulated_bundle_never_looks_like_proof(kit: Kit) -> None:
    kit.page.bundles.choose(GOOD.file)
    evidence = kit.page.details.evidence
    assert evidence.word.text() == "SIM"
    assert DARK.amber in evidence.word.styleSheet()
    assert evidence.sentence.text() == CLASSES["SIM"].sentence
    assert kit.page.details.verification.word.text() == VERIFIED


def test_untrusted_bundle_is_shown_as_untrusted(kit: Kit) -> None:
    kit.page.bundles.choose(FOREIGN.file)
    details = kit.page.details
    assert details.verification.word.text() == UNTRUSTED
    assert details.verification.sentence.text() == f"{NOT_TRUSTED} {FOREIGN.reason} {FOREIGN.hint}"
    assert details.claims.headerItem().text(1) == CLAIMS
    assert not details.send.isEnabled()
    assert details.send.toolTip() == NOT_VERIFIED


def test_changed_bundle_is_refused_and_not_red(kit: Kit) -> None:
    kit.page.bundles.choose(CHANGED.file)
    verification = kit.page.details.verification
    assert (verification.word.text(), verification.sentence.text()) == (REFUSED, CHANGED.reason)
    assert DARK.red not in verification.word.styleSheet()


def test_sheet_names_a_head_once(kit: Kit) -> None:
    kit.page.bundles.choose(GOOD.file)
    claims = kit.page.details.claims
    rows = [claims.topLevelItem(number) for number in range(claims.topLevelItemCount())]
    assert [(row.text(0), row.text(1)) for row in rows if row is not None][-3:] == [
        ("run", "run-1"), ("lane", "estimator EKF"), ("", "twin SPMe"),
    ]  # fmt: skip


def test_copy_has_all_of_it(kit: Kit) -> None:
    kit.page.bundles.choose(FOREIGN.file)
    kit.page.details.copy_all()
    text = QApplication.clipboard().text()
    assert NOT_TRUSTED in text
    assert FOREIGN.sha256 in text


def test_return_verifies_the_bundle_with_its_golden_vectors(kit: Kit) -> None:
    kit.page.bundles.choose(GOOD.file)
    key(kit.page.bundles.list, Qt.Key.Key_Return)
    assert kit.maker.pending("judge") == (GOOD.file, ROOT / "trust")
    replayed = replace(GOOD, golden="the golden vectors hold")
    kit.maker.answer("judge", replayed)
    assert kit.page.strip.word.text() == VERIFIED
    assert replayed.golden in kit.page.strip.text.text()


def test_only_one_bundle_is_worked_on_at_a_time(kit: Kit) -> None:
    kit.page.build()
    kit.page.controller.verify(GOOD.file)
    assert [asked[0] for asked in kit.maker.asked] == ["build"]
    assert not kit.page.verify.isEnabled()


def test_file_from_elsewhere_joins_the_list(kit: Kit) -> None:
    odd = replace(FOREIGN, file=Path("/elsewhere/odd.bundle"), name="", evidence="", reason="It is no bundle.")
    kit.page.controller.verify(odd.file)
    kit.maker.answer("judge", odd)
    assert kit.page.bundles.selected_path == odd.file
    assert not kit.page.details.evidence.isVisible()
    assert kit.page.details.name.text() == "odd.bundle"


def test_other_trusted_keys_judge_everything_anew(kit: Kit) -> None:
    kit.page.controller.verify(GOOD.file)
    kit.maker.answer("judge", GOOD)
    kit.page.controller.choose_trust(Path("/trust"))
    assert kit.maker.pending("look") == (BundleFolders(ROOT, BENCH, Path("/trust")),)
    kit.maker.answer("look", replace(CONTENTS, bundles=(replace(FOREIGN, file=GOOD.file),), trusted=()))
    assert kit.page.details.verification.word.text() == UNTRUSTED
    assert kit.page.trusted.text() == NO_TRUSTED_KEY


def test_new_key_says_where_each_half_goes(kit: Kit) -> None:
    kit.page.ask_new_key()
    dialog = front(NewKeyDialog)
    dialog.name.clear()
    assert not dialog.yes.isEnabled()
    write(dialog.name, "north")
    click(dialog.yes)
    assert kit.maker.pending("make_key") == (ROOT / "keys", "north")
    pair = NewKey(ROOT / "keys" / "north.key", ROOT / "keys" / "north.pem", "ef" * 32)
    kit.maker.answer("make_key", pair)
    assert all(str(path) in dialog.message.text() for path in (pair.private, pair.public))
    assert kit.page.form.private == pair.private
    click(dialog.trust)
    assert kit.maker.pending("trust") == (pair.public, ROOT / "trust")
    kit.maker.answer("trust", ROOT / "trust" / "north.pem")
    assert not dialog.trust.isEnabled()
    click(dialog.yes)
    assert not in_front()


def test_name_of_a_key_that_is_taken_can_be_changed(kit: Kit) -> None:
    kit.page.ask_new_key()
    dialog = front(NewKeyDialog)
    click(dialog.yes)
    failure = Failure("It is there already.", "Choose another name.")
    kit.maker.answer("make_key", failure)
    assert dialog.message.text() == f"{failure.sentence} {failure.hint}"
    assert dialog.yes.isEnabled()
    dialog.close()


def test_certificate_from_the_certify_page_goes_along(kit: Kit) -> None:
    later = replace(PASSED, folder=Path("/elsewhere/c"))
    kit.page.controller.want_certificate(later.folder)
    assert kit.maker.pending("look")[0].more == (later.folder,)
    kit.maker.answer("look", replace(CONTENTS, certificates=(PASSED, later)))
    assert kit.page.certificate == later


def test_a_certificate_that_did_not_pass_is_not_taken_by_itself(make: Callable[..., Kit]) -> None:
    kit = make()
    kit.fill(replace(CONTENTS, certificates=(FAILED,)))
    assert kit.page.certificate is None
    assert kit.page.why_not_build() == ""


def test_empty_lists_say_what_would_fill_them(make: Callable[..., Kit]) -> None:
    kit = make()
    kit.fill(FolderContents())
    for lines in (kit.page.runs, kit.page.certificates, kit.page.bundles):
        assert lines.empty.isVisible()
        assert not lines.list.isVisible()
        assert lines.empty.text()


def test_another_theme_keeps_what_is_shown(kit: Kit) -> None:
    kit.page.bundles.choose(FOREIGN.file)
    kit.page.set_theme(LIGHT)
    assert kit.page.bundles.selected_path == FOREIGN.file
    assert LIGHT.amber in kit.page.details.verification.word.styleSheet()


def test_everything_that_can_have_the_focus_has_a_name(kit: Kit) -> None:
    kit.page.bundles.choose(GOOD.file)
    assert nameless(kit.page) == []
