"""Wiring of the Bundle and the Fleet page: make them, connect them to the window and each other, add commands."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from workbench.window.bundle_page.maker import BundleMaker
from workbench.window.bundle_page.page import BundlePage
from workbench.window.fleet_page.backend import LocalFleetBackend
from workbench.window.fleet_page.page import FleetPage

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.window.shell import Shell
    from workbench.window.window import Window


def make_pages(shell: Shell, root: Path | None) -> tuple[BundlePage, FleetPage]:
    """Make both pages over the folder of runs; what they start ends with the window."""
    bundle = BundlePage(shell.controller, BundleMaker(shell.controller.background), root, shell.theme)
    fleet = FleetPage(shell.controller, LocalFleetBackend(), root, shell.theme)
    for page, end in ((bundle, bundle.controller.close), (fleet, fleet.connection.close)):
        shell.themed.connect(page.set_theme)
        shell.closing.connect(end)
    return bundle, fleet


def wire(window: Window) -> None:
    """Connect the pages: a certificate opens the Bundle page, a bundle opens the Fleet page."""
    bundle, fleet = window.bundle, window.fleet

    def make_bundle(certificate: Path) -> None:
        bundle.controller.want_certificate(certificate)
        window.show_page("Bundle")

    def send(file: Path) -> None:
        window.show_page("Fleet")
        fleet.offer(file)

    window.certify.bundle_wanted.connect(make_bundle)
    bundle.fleet_wanted.connect(send)
    bundle.bench_page_wanted.connect(partial(window.show_page, "Bench"))
    fleet.connection.failed.connect(window.controller.failed)
    fleet.message.connect(window.shell.line.say)


def declare(window: Window) -> None:
    """Register the commands of both pages."""
    add, bundle, fleet = window.commands.replace, window.bundle, window.fleet
    sheet, connection = bundle.details, fleet.connection
    add("bundle build", "Bundle: build and sign", bundle.build, "F7", why_not=bundle.why_not_build)
    add("bundle verify", "Bundle: verify a file…", bundle.ask_bundle, why_not=bundle.controller.why_busy)
    add(
        "bundle cancel",
        "Bundle: cancel what is under way",
        bundle.controller.cancel,
        why_not=bundle.controller.why_not_cancel,
    )
    add("bundle again", "Bundle: verify the chosen one", bundle.verify_selected, why_not=sheet.why_none)
    add("bundle send", "Bundle: send the chosen one to a pack…", bundle.send, why_not=sheet.why_not_send)
    add("bundle key", "Bundle: new key…", bundle.ask_new_key, why_not=bundle.controller.why_no_root)
    add("bundle other key", "Bundle: choose a private key…", bundle.form.ask_key)
    add("bundle trust", "Bundle: choose the trusted keys…", bundle.ask_trust)
    add("bundle bench", "Bundle: choose the bench file…", bundle.form.ask_bench)
    add("bundle copy", "Bundle: copy what is shown", sheet.copy_all, why_not=sheet.why_none)
    add("bundle refresh", "Bundle: look at the folders again", bundle.controller.refresh)
    add("fleet connect", fleet.words, fleet.connect_or_leave, "Ctrl+Shift+F", why_not=fleet.bar.why_not)
    add("fleet broker", "Fleet: start a broker here", connection.start_broker, why_not=connection.why_no_broker)
    add("fleet stop", "Fleet: stop the broker here", connection.stop_broker, why_not=connection.why_not_stop_broker)
    add("fleet send", "Fleet: send a bundle to the chosen pack…", fleet.ask_send, why_not=fleet.why_not_send)
    add("fleet file", "Fleet: choose the file of rows…", fleet.bar.ask_file, why_not=connection.why_not_connect)
    add("fleet command", "Fleet: copy the edge's command", fleet.copy_command)
