"""Set safe settings while a bench uses an EA supply, so that it cannot energise itself; restore its own afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from drivers.clock import monotonic
from drivers.errors import BenchError, LinkRefused
from drivers.ports import Health, LinkState
from drivers.scpi import ea_psb10000 as page
from drivers.scpi import ea_settings
from drivers.scpi.ea_settings import NAMES, KeptSettings
from drivers.scpi.ea_status import status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drivers.scpi.link import ScpiLink
    from drivers.scpi.poller import Poller
    from drivers.scpi.timeouts import CommandTimeouts

AGAIN_S: Final = 0.02


class SupplyLink(Protocol):
    """A driver that accepts any number of units; its methods run on the thread that owns the link."""

    @property
    def poller(self) -> Poller: ...

    @property
    def timeouts(self) -> CommandTimeouts: ...

    def health(self) -> Health: ...

    def put(self, link: ScpiLink, units: Sequence[str]) -> None: ...

    def get(self, link: ScpiLink, units: Sequence[str]) -> list[bytes]: ...

    def diagnosed(self, link: ScpiLink) -> str: ...


class SettingsKeeper:
    """The changed settings and their restoration; `tell` receives the text of each event."""

    def __init__(self, talk: SupplyLink, tell: Callable[[str], None]) -> None:
        self._talk, self._tell = talk, tell
        self._changed: dict[str, KeptSettings] = {}  # by header, with the value found first

    def change_unlocked(self, link: ScpiLink) -> None:
        """Read the settings; if one differs, take remote control, `change` it and release remote control."""
        if self._differing(link) and self._locked(link):
            self.change(link)
            self._unlock(link)

    def change(self, link: ScpiLink) -> None:
        """Write each setting that differs and read it back; needs remote control. Raise `LinkRefused`."""
        differing = self._differing(link)
        for kept in differing:
            self._changed.setdefault(kept.setting.header, kept)
        self._write(link, differing, back=False)
        for kept in differing:
            self._tell(f"{kept}; it is restored at the end")

    def restore(self) -> None:
        """Write back the values found; report the result by `tell` and never raise."""
        if not self._changed:
            return
        kept = list(self._changed.values())
        names = ", ".join(NAMES[one.setting.header] for one in reversed(kept))
        try:
            if self._talk.health().state is not LinkState.OK:
                raise BenchError("it does not answer")  # noqa: TRY301  # one place reports
            self._talk.poller.call(lambda link: self._put_back(link, kept), times=3.0)
        except BenchError as error:
            self._tell(f"still has changed settings ({names}): {error.what}")
        else:
            self._changed.clear()
            self._tell(f"restored: {names}")

    def _put_back(self, link: ScpiLink, kept: list[KeptSettings]) -> None:
        stands = status(self._talk.get(link, [page.STATUS.ask()])[0])
        if stands.output:
            raise BenchError("its output is on")
        if not self._locked(link):
            raise BenchError("remote control is refused")
        self._write(link, list(reversed(kept)), back=True)
        self._unlock(link)

    def _differing(self, link: ScpiLink) -> list[KeptSettings]:
        replies = self._talk.get(link, [setting.ask() for setting, _ in ea_settings.WANTED])
        return ea_settings.compare(ea_settings.WANTED, replies)

    def _write(self, link: ScpiLink, differing: list[KeptSettings], *, back: bool) -> None:
        settings = [(kept.setting, kept.found if back else kept.wanted) for kept in differing]
        if not settings:
            return
        self._talk.put(link, [ea_settings.put(setting, value) for setting, value in settings])
        queries = [setting.ask() for setting, _ in settings]
        if not self._until(lambda: not ea_settings.compare(settings, self._talk.get(link, queries))):
            refused = ea_settings.compare(settings, self._talk.get(link, queries))
            names = ", ".join(NAMES[kept.setting.header] for kept in refused)
            raise LinkRefused(
                f"refuses to change {names}",
                where=link.address,
                hint=f"{self._talk.diagnosed(link)}; set it at its panel",
            )

    def _locked(self, link: ScpiLink) -> bool:
        self._talk.put(link, [page.LOCK.put("on")])
        return self._until(lambda: self._owner(link) == page.REMOTE)

    def _unlock(self, link: ScpiLink) -> None:
        self._talk.put(link, [page.LOCK.put("off")])
        self._until(lambda: self._owner(link) != page.REMOTE)

    def _owner(self, link: ScpiLink) -> str:
        return page.lock_owner(self._talk.get(link, [page.LOCK_OWNER.ask()])[0])

    def _until(self, holds: Callable[[], bool]) -> bool:
        until_s = monotonic() + self._talk.timeouts.obey
        while not holds():
            if monotonic() > until_s:
                return False
            time.sleep(AGAIN_S)
        return True
