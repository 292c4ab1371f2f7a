"""A bundle on its way to a pack, on the Fleet page over a backend that a test drives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication, QLabel

from edge_bridge.fleet.bundle_transfer import TransferProgress
from tests.workbench.hands import click, front, in_front
from tests.workbench.window.fleet_page.fake_backend import BROKER, FILE, SHA, Kit, pack
from workbench.window.fleet_page.connection import ConnectionStage
from workbench.window.fleet_page.page import NO_CHOICE, NO_VIEW, OFFLINE, QUESTION
from workbench.window.fleet_page.stepper import RECEIVED, SENTENCES
from workbench.window.widgets.dialogs import QuestionDialog
from workbench.window.widgets.themes import DARK


def send(kit: Kit) -> QuestionDialog:
    click(kit.page.detail.send)
    return front(QuestionDialog)


def test_bundle_is_sent_after_a_question_and_followed(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    kit.page.offer(FILE)
    assert FILE.name in kit.page.detail.send.text()
    dialog = send(kit)
    assert QUESTION in [part.text() for part in dialog.findChildren(QLabel)]
    assert kit.backend.fleet.sent == []
    click(dialog.yes)
    kit.until(lambda: kit.backend.fleet.sent == [(FILE, "pack-1")])
    assert kit.page.offered is None
    stepper = kit.page.detail.stepper
    for state, received, words in (
        ("desired", 250, SENTENCES["desired"]),
        ("desired", 1_000, RECEIVED),
        ("downloaded", 1_000, SENTENCES["downloaded"]),
        ("refused", 1_000, "has serial 5, older than 7"),
    ):
        reason = "has serial 5, older than 7" if state == "refused" else ""
        kit.say(replace(pack(), sending=TransferProgress("pack-1", SHA, 1_000, received, state, reason)))
        assert words in stepper.sentence.text()
        assert (stepper.bar.value(), stepper.percent.text()) == (received, f"{received // 10} %")
    assert DARK.amber in stepper.sentence.styleSheet()


def test_question_that_is_declined_sends_nothing(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    kit.page.offer(FILE)
    click(send(kit).no)
    assert kit.backend.fleet.sent == []
    assert kit.page.offered == FILE


def test_pack_that_is_offline_gets_it_later_and_the_question_says_so(kit: Kit) -> None:
    kit.connect()
    kit.say(pack(online=False))
    kit.page.offer(FILE)
    dialog = send(kit)
    assert f"{QUESTION} {OFFLINE}" in [part.text() for part in dialog.findChildren(QLabel)]
    dialog.reject()


def test_file_that_cannot_be_sent_is_told(kit: Kit) -> None:
    kit.connect()
    kit.say(pack())
    kit.page.send(Path("odd.bundle"), "pack-1")
    kit.until(lambda: bool(kit.failures))
    assert "odd.bundle" in kit.failures[0].sentence
    assert kit.page.connection.stage is ConnectionStage.OPEN


def test_nothing_is_sent_without_a_pack(kit: Kit) -> None:
    kit.page.offer(FILE)
    assert kit.page.why_not_send() == NO_VIEW
    kit.connect()
    assert kit.page.why_not_send() == NO_CHOICE
    kit.page.ask_send()
    assert not in_front()


def test_bundle_that_is_offered_waits_for_a_pack(kit: Kit) -> None:
    kit.page.offer(FILE)
    assert kit.page.offer_bar.isVisible()
    assert FILE.name in kit.page.offer_text.text()
    kit.page.withdraw()
    assert not kit.page.offer_bar.isVisible()


def test_command_of_an_edge_names_the_broker_of_this_fleet(kit: Kit) -> None:
    kit.connect()
    kit.page.copy_command()
    assert f"--broker {BROKER}" in QApplication.clipboard().text()
