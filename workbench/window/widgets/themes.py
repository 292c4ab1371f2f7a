"""Colours, fonts and the style of widgets, dark and light; no other module defines a theme colour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette

BODY_PX: Final = 13
LABEL_PX: Final = 11
TITLE_PX: Final = 15
GRID_PX: Final = 8


@dataclass(frozen=True, slots=True)
class Theme:
    """One set of colours, `#rrggbb`.

    `red` is a ground under white text, `alarm` a red for text; `border` surrounds controls, `line` only separates.
    """

    name: str
    background: str
    panel: str
    line: str
    grid: str
    text: str
    muted: str
    faint: str
    blue: str
    orange: str
    green: str
    pink: str
    vermilion: str
    yellow: str
    amber: str
    red: str
    alarm: str
    fail: str
    border: str
    selected: str
    hover: str
    deep: str

    def colour(self, key: str) -> QColor:
        """Return a colour by its field name."""
        return QColor(str(getattr(self, key)))


DARK: Final = Theme(
    name="dark",
    background="#14171a",
    panel="#1a1e22",
    line="#2a3036",
    grid="#252b31",
    text="#e4e7ea",
    muted="#a9b2ba",
    faint="#8c969f",
    blue="#42bbfe",
    orange="#e69f00",
    green="#3da971",
    pink="#c776b2",
    vermilion="#d46835",
    yellow="#f3e757",
    amber="#e69f00",
    red="#c62f2f",
    alarm="#f4716b",
    fail="#e97b45",
    border="#6f7882",
    selected="#21303a",
    hover="#20262b",
    deep="#2b5474",
)
LIGHT: Final = Theme(
    name="light",
    background="#f5f6f7",
    panel="#ffffff",
    line="#d9dde1",
    grid="#e8ebee",
    text="#1d2227",
    muted="#4d5761",
    faint="#606a74",
    blue="#004d92",
    orange="#c87c00",
    green="#007950",
    pink="#aa5f9d",
    vermilion="#712600",
    yellow="#776300",
    amber="#8a5b00",
    red="#c22525",
    alarm="#c22525",
    fail="#b0430b",
    border="#7d8790",
    selected="#e1edf6",
    hover="#eef1f4",
    deep="#2f6a98",
)
THEMES: Final = {theme.name: theme for theme in (DARK, LIGHT)}

LANE_COLOURS: Final = ("blue", "orange", "green", "pink", "yellow", "vermilion")


def lane_colour(position: int) -> str:
    """Return the colour key of the lane at `position` among the lanes of its role, in the bench file's order.

    Every role begins with the same colours: the line says which role it is (`lane_stroke`).
    """
    return LANE_COLOURS[position % len(LANE_COLOURS)]


@cache
def font(px: int = BODY_PX, *, bold: bool = False) -> QFont:
    """Return Inter if it is installed, else the system's font, with tabular figures."""
    made = QFont("Inter") if "Inter" in QFontDatabase.families() else QFont()
    made.setPixelSize(px)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    made.setFeature(QFont.Tag("tnum"), 1)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return made


@lru_cache(maxsize=4096)
def measure_text(text: str, px: int = BODY_PX, *, bold: bool = False) -> float:
    """Return the width of a text; cached, because the same few texts come ten times a second."""
    return QFontMetricsF(font(px, bold=bold)).horizontalAdvance(text)


def palette(theme: Theme) -> QPalette:
    """Return the palette for the Fusion style."""
    role = QPalette.ColorRole
    made = QPalette()
    for name, key in (
        (role.Window, "panel"),
        (role.WindowText, "text"),
        (role.Base, "panel"),
        (role.AlternateBase, "background"),
        (role.Text, "text"),
        (role.Button, "panel"),
        (role.ButtonText, "text"),
        (role.BrightText, "text"),
        (role.ToolTipBase, "panel"),
        (role.ToolTipText, "text"),
        (role.PlaceholderText, "faint"),
        (role.Highlight, "selected"),
        (role.HighlightedText, "text"),
        (role.Link, "blue"),
        (role.Accent, "blue"),
        (role.Light, "line"),
        (role.Midlight, "line"),
        (role.Mid, "line"),
        (role.Dark, "line"),
        (role.Shadow, "background"),
    ):
        made.setColor(name, theme.colour(key))
    for name in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, name, theme.colour("faint"))
    return made


def style(theme: Theme) -> str:
    """Return the style sheet: one-pixel lines, a visible focus, no gradients."""
    t = theme
    return f"""
    QWidget {{ font-size: {BODY_PX}px; }}
    QMainWindow, QStackedWidget {{ background: {t.panel}; }}
    QMainWindow::separator {{ background: {t.line}; width: 1px; height: 1px; }}
    QMainWindow::separator:hover {{ background: {t.blue}; }}
    QToolBar {{ background: {t.panel}; border: 0; spacing: 8px; }}
    QToolTip {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; padding: 4px 8px; }}
    QPushButton {{ background: transparent; color: {t.text}; border: 1px solid {t.border}; border-radius: 4px;
        padding: 6px 12px; }}
    QPushButton:hover {{ background: {t.hover}; }}
    QPushButton:pressed {{ background: {t.selected}; }}
    QPushButton:focus {{ border-color: {t.blue}; }}
    QPushButton:disabled {{ color: {t.faint}; border-color: {t.line}; background: transparent; }}
    QPushButton[kind="running"] {{ border-color: {t.blue}; background: {t.selected}; }}
    QPushButton[kind="primary"] {{ border-color: {t.blue}; color: {t.blue}; }}
    QPushButton[kind="primary"]:disabled {{ border-color: {t.line}; color: {t.faint}; }}
    QPushButton[kind="off"] {{ background: {t.red}; color: #ffffff; border: 2px solid {t.red}; font-weight: 600;
        padding: 6px 16px; border-radius: 4px; }}
    QPushButton[kind="off"]:hover {{ border-color: {t.text}; }}
    QPushButton[kind="off"]:focus {{ border-color: {t.text}; }}
    QPushButton[kind="link"] {{ border: 1px solid transparent; color: {t.blue}; padding: 2px 4px; }}
    QPushButton[kind="link"]:disabled {{ color: {t.faint}; }}
    QPushButton[kind="link"]:focus {{ border-color: {t.blue}; }}
    QPushButton[kind="plain"] {{ border: 1px solid transparent; color: {t.muted}; padding: 4px 6px; }}
    QPushButton[kind="plain"]:hover, QPushButton[kind="plain"]:checked {{ color: {t.text}; }}
    QPushButton[kind="plain"]:checked {{ font-weight: 600; }}
    QPushButton[kind="plain"]:disabled {{ color: {t.faint}; }}
    QPushButton[kind="plain"]:focus {{ border-color: {t.blue}; }}
    QPushButton::menu-indicator {{ width: 0; height: 0; image: none; }}
    QLineEdit, QComboBox, QDoubleSpinBox, QSpinBox, QPlainTextEdit {{ background: {t.panel}; color: {t.text};
        border: 1px solid {t.border}; border-radius: 4px; padding: 5px 8px; selection-background-color: {t.selected};
        selection-color: {t.text}; placeholder-text-color: {t.faint}; }}
    QLineEdit:focus, QComboBox:focus, QDoubleSpinBox:focus, QSpinBox:focus, QPlainTextEdit:focus {{
        border-color: {t.blue}; }}
    QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {t.faint}; border-color: {t.line}; }}
    QDoubleSpinBox, QSpinBox {{ padding: 4px 0 3px; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: 0; }}
    QAbstractSpinBox QLineEdit {{ border: 0; padding: 0; background: transparent; }}
    QCheckBox::indicator, QAbstractItemView::indicator {{ width: 12px; height: 12px; background: {t.panel};
        border: 1px solid {t.border}; border-radius: 2px; }}
    QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{ background: {t.blue};
        border-color: {t.blue}; }}
    QAbstractItemView::indicator:indeterminate {{ border-color: {t.blue}; }}
    QComboBox::drop-down {{ border: 0; width: 24px; }}
    QTableView::item {{ padding: 0 12px; }}
    QAbstractItemView {{ background: {t.panel}; color: {t.text}; border: 1px solid transparent; outline: 0;
        selection-background-color: {t.selected}; selection-color: {t.text}; }}
    QAbstractItemView:focus {{ border-color: {t.blue}; }}
    QHeaderView::section {{ background: {t.panel}; color: {t.muted}; border: 0; border-bottom: 1px solid {t.line};
        padding: 6px 15px; font-size: {LABEL_PX}px; }}
    QMenu {{ background: {t.panel}; color: {t.text}; border: 1px solid {t.line}; padding: 4px 0; }}
    QMenu::item {{ padding: 6px 24px 6px 16px; }}
    QMenu::item:selected {{ background: {t.selected}; }}
    QMenu::item:disabled {{ color: {t.faint}; }}
    QMenu::separator {{ height: 1px; background: {t.line}; margin: 4px 0; }}
    QScrollArea {{ border: 0; background: {t.panel}; }}
    QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
    QScrollBar::handle:vertical {{ background: {t.border}; min-height: 24px; border-radius: 4px; }}
    QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
    QScrollBar::handle:horizontal {{ background: {t.border}; min-width: 24px; border-radius: 4px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QProgressBar {{ background: {t.grid}; border: 0; border-radius: 2px; height: 4px; }}
    QProgressBar::chunk {{ background: {t.blue}; border-radius: 2px; }}
    QSlider::groove:horizontal {{ background: {t.border}; height: 4px; border-radius: 2px; }}
    QSlider {{ border: 1px solid transparent; border-radius: 4px; }}
    QSlider:focus {{ border-color: {t.blue}; }}
    QSlider::handle:horizontal {{ background: {t.blue}; width: 12px; margin: -4px 0; border-radius: 6px; }}
    QLabel[tone="muted"] {{ color: {t.muted}; }}
    QLabel[tone="faint"] {{ color: {t.faint}; }}
    QLabel[tone="label"] {{ color: {t.muted}; font-size: {LABEL_PX}px; }}
    QLabel[tone="title"] {{ font-size: {TITLE_PX}px; font-weight: 600; }}
    QLabel:disabled, QLabel[tone="muted"]:disabled {{ color: {t.faint}; }}
    QLabel[tone="amber"] {{ color: {t.amber}; }}
    QLabel[tone="red"] {{ color: {t.alarm}; font-weight: 600; }}
    """


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two `#rrggbb` colours by WCAG 2, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255.0 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]  # noqa: PLR2004  # WCAG
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
