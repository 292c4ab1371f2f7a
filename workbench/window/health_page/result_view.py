"""The sections of a report as text that scrolls, wraps and copies, in the colours of the theme."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QTextBrowser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.modelling.service_report import ReportSection
    from workbench.window.widgets.themes import Theme

_MARGIN_PX: Final = 8


class ResultView(QTextBrowser):
    """Shows sections; its text is never markup of a log."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._sections: Sequence[ReportSection] = ()
        self.setAccessibleName("Figures, and what could not be judged")
        self.setOpenLinks(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)
        self.document().setDocumentMargin(_MARGIN_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # all of it wraps
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setAcceptDrops(False)  # the page takes what is dropped
        self.viewport().setAcceptDrops(False)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.show_sections(self._sections)

    def show_sections(self, sections: Sequence[ReportSection]) -> None:
        """Show other sections, from the top."""
        self._sections = sections
        self.setHtml("".join(map(self._format, sections)))

    def _format(self, section: ReportSection) -> str:
        muted = self._theme.muted
        parts = [f'<h4 style="margin: 14px 8px 4px 8px">{escape(section.title)}</h4>']
        parts += [f'<p style="margin: 2px 8px">{escape(sentence)}</p>' for sentence in section.sentences]
        if section.rows:
            heads = "".join(f'<td style="color: {muted}">{escape(head)}</td>' for head in section.heads)
            rows = "".join(f"<tr>{self._format_row(row)}</tr>" for row in section.rows)
            style = 'cellspacing="0" cellpadding="4" style="margin: 0 4px"'
            parts.append(f'<table width="98%" {style}><tr>{heads}</tr>{rows}</table>')
        return "".join(parts)

    def _format_row(self, row: tuple[str, ...]) -> str:
        return "".join(f"<td>{escape(text)}</td>" for text in row)
