"""A sentence of several lines is never cut by its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.window.widgets.basic import label

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

LONG = "No trusted key signed this bundle. Make a key, or copy the signer's public key into the trust folder. " * 2


def test_two_long_sentences_in_a_low_box_do_not_overlap(qtbot: QtBot) -> None:
    box, sentences = QWidget(), [label(LONG, wrap=True) for _ in range(2)]
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    for sentence in sentences:
        column.addWidget(sentence)
    box.resize(240, 30)
    box.show()

    def whole() -> bool:
        return all(s.height() >= s.heightForWidth(s.width()) for s in sentences)

    qtbot.waitUntil(lambda: whole() and sentences[0].geometry().bottom() < sentences[1].geometry().top())


def test_a_longer_sentence_asks_for_more_height(qtbot: QtBot) -> None:
    sentence = label("short", wrap=True)
    qtbot.addWidget(sentence)
    sentence.resize(200, 40)
    sentence.show()
    low = sentence.minimumSizeHint().height()
    sentence.setText(LONG)
    assert sentence.minimumSizeHint().height() > low
