"""Commands of the Certify page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.window.certify_page.page import CertifyPage
    from workbench.window.command_registry import CommandRegistry


def declare(page: CertifyPage, commands: CommandRegistry) -> None:
    """Register the commands of the page."""
    add = commands.add
    controller, result_bar, picker = page.controller, page.result_bar, page.picker

    def why_no_ticks() -> str:
        return "" if picker.model.tickable and picker.model.visible else "No case can be ticked now."

    add("certify", "Certify: start", page.start, "F6", why_not=page.why_not_start)
    add("certify stop", "Certify: stop", controller.stop, "Shift+F6", why_not=controller.why_not_stop)
    add(
        "certify wrong",
        "Certify: next check that did not pass",
        page.show_next_failed,
        "F8",
        why_not=page.why_no_failed,
    )
    for words, on in (("all", True), ("none", False)):
        add(f"certify {words}", f"Certify: tick {words}", partial(picker.tick_visible, on=on), why_not=why_no_ticks)
    add("certify again", "Certify: tick what did not pass", picker.tick_not_passed, why_not=page.why_no_failed)
    add("certify suite", "Certify: open a folder of cases…", page.bar.ask_folder, why_not=controller.why_busy)
    add("certify read", "Certify: read the suite again", page.read_again, why_not=controller.why_busy)
    add("certify report", "Certify: open the report", result_bar.open_report, why_not=result_bar.why_no_report)
    add(
        "certify folder",
        "Certify: show the certificate's folder",
        result_bar.show_folder,
        why_not=result_bar.why_no_result,
    )
    add("certify bundle", "Certify: make a bundle…", result_bar.make_bundle, why_not=result_bar.why_no_bundle)
    add(
        "certify past",
        "Certify: open an earlier certificate…",
        page.certificate_list.ask_folder,
        why_not=controller.why_busy,
    )
    add("certify leave", "Certify: back to the suite", controller.leave, why_not=controller.why_not_leave)
