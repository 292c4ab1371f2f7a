"""The Bundle page within the window: where it leads, and what closing does to a bundle under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.workbench.hands import front
from tests.workbench.window.bundle_page.fake_maker import GOOD, PASSED, FakeMaker
from workbench.window.widgets.dialogs import Dialog

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.workbench.conftest import Shown


def test_window_leads_from_certificate_to_bundle_to_fleet(
    show: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.window.window.BundleMaker", FakeMaker)
    window = show().window
    window.certify.bundle_wanted.emit(PASSED.folder)
    assert window.shell.page == "Bundle"
    assert window.bundle.controller.wanted == PASSED.folder
    window.bundle.details.show_bundle(GOOD)
    window.commands.run("bundle send")
    assert window.shell.page == "Fleet"
    assert window.fleet.offered == GOOD.file
    assert window.fleet.offer_text.isVisible()
    window.fleet.withdraw()
    assert not window.fleet.offer_bar.isVisible()


def test_closing_the_window_gives_up_what_is_under_way(
    show: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.window.window.BundleMaker", FakeMaker)
    window = show().window
    maker = window.bundle.controller._maker  # pyright: ignore[reportPrivateUsage]
    window.shell.leave()
    assert isinstance(maker, FakeMaker)
    assert maker.closed


def test_quitting_while_a_bundle_is_built_asks_first(
    show: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.window.window.BundleMaker", FakeMaker)
    shown = show()
    shown.session.disconnect()
    shown.window.controller.tick()
    shown.window.bundle.controller.verify(GOOD.file)
    shown.window.ask_quit()
    dialog = front(Dialog)
    assert not shown.session.closed
    dialog.reject()
