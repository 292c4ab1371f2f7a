"""How bundles, runs and certificates are written: a word, a symbol, a colour, a sentence; red is not used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from PySide6.QtGui import QColor, QIcon

from workbench.window.certify_page.style import format_counts, format_time
from workbench.window.widgets import format as fmt
from workbench.window.widgets.icons import icon

if TYPE_CHECKING:
    from workbench.window.bundle_page.model import BundleEntry, CertificateEntry, RunEntry

HASH_SHOWN: Final = 12  # hexadecimal digits
UNTRUSTED_REASONS: Final = frozenset({"unknown_signer", "unsigned", "untrusted_folder"})
NOT_TRUSTED: Final = "No trusted key signed this bundle."
VERIFIED, UNTRUSTED, REFUSED = "VERIFIED", "UNTRUSTED", "REFUSED"


@dataclass(frozen=True, slots=True)
class DisplayStyle:
    """How something is displayed: `symbol` names an icon, `colour` a key of the theme."""

    word: str
    symbol: str
    colour: str
    sentence: str


CLASSES: Final = {
    "SIM": DisplayStyle(
        "SIM",
        "warning",
        "amber",
        "Simulated: the software was tested against itself. This proves nothing about a pack.",
    ),
    "HIL": DisplayStyle("HIL", "dot", "text", "Proven on a bench with real instruments, without a real pack."),
    "PACK": DisplayStyle("PACK", "ok", "green", "Measured on a real pack."),
}


@lru_cache(maxsize=128)
def mark(symbol: str, colour: str) -> QIcon:
    """Return an icon in `#rrggbb` that keeps its colour in a selected line."""
    return icon(symbol, QColor(colour))


def find_class_style(evidence: str) -> DisplayStyle:
    """Return the style of an evidence class; an unknown one counts as no evidence."""
    unknown = DisplayStyle(evidence or fmt.DASH, "warning", "amber", "Its evidence class is unknown.")
    return CLASSES.get(evidence, unknown)


def find_bundle_style(bundle: BundleEntry) -> DisplayStyle:
    """Return the style for the verdict of the trusted keys on a bundle."""
    if bundle.verified:
        by = "" if bundle.signer is None else f" by {bundle.signer.name} {bundle.signer.key_id[:HASH_SHOWN]}"
        return DisplayStyle(VERIFIED, "ok", "green", f"Signed{by}.")
    if bundle.key in UNTRUSTED_REASONS:
        return DisplayStyle(UNTRUSTED, "ring", "amber", f"{NOT_TRUSTED} {bundle.reason}")
    return DisplayStyle(REFUSED, "cross", "fail", bundle.reason)


def format_run(run: RunEntry) -> str:
    """Return one line: time, bench, duration, class."""
    length = fmt.DASH if run.duration_s is None else fmt.run_time(run.duration_s)
    return f"{run.started or fmt.DASH}   {run.bench or fmt.DASH}   {length}   {run.evidence or fmt.DASH}"


def format_certificate(entry: CertificateEntry) -> str:
    """Return one line: time, suite, verdicts, class."""
    return f"{format_time(entry.made)}   {entry.suite}   {format_counts(entry.counts) or 'no case'}   {entry.evidence}"


def format_bundle(bundle: BundleEntry) -> str:
    """Return one line: name and serial, class; the file's name if it is no bundle."""
    return f"{bundle.name} {bundle.serial}   {bundle.evidence}" if bundle.name else bundle.file.name
