"""Commands of the Bundle page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.window.bundle_page.page import BundlePage
    from workbench.window.command_registry import CommandRegistry


def declare(page: BundlePage, commands: CommandRegistry) -> None:
    """Register the commands of the page."""
    add, details = commands.add, page.details
    add("bundle build", "Bundle: build and sign", page.build, "F7", why_not=page.why_not_build)
    add("bundle verify", "Bundle: verify a file…", page.ask_bundle, why_not=page.controller.why_busy)
    add(
        "bundle cancel",
        "Bundle: cancel the work under way",
        page.controller.cancel,
        why_not=page.controller.why_not_cancel,
    )
    add("bundle again", "Bundle: verify the chosen bundle", page.verify_selected, why_not=details.why_none)
    add("bundle send", "Bundle: send the chosen bundle to a pack…", page.send, why_not=details.why_not_send)
    add("bundle key", "Bundle: new key…", page.ask_new_key, why_not=page.controller.why_no_root)
    add("bundle other key", "Bundle: choose a private key…", page.form.ask_key)
    add("bundle trust", "Bundle: choose the trusted keys…", page.ask_trust)
    add("bundle bench", "Bundle: choose the bench file…", page.form.ask_bench)
    add("bundle copy", "Bundle: copy what is shown", details.copy_all, why_not=details.why_none)
    add("bundle refresh", "Bundle: read the folders again", page.controller.refresh)
