"""Which device belongs to which site, as of a moment ago: read from the database at most once a second."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drivers.clock import monotonic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edge_bridge.fleet.sites.site_book import SiteBook, StoredSite

FRESH_S: Final = 1.0  # another host may have changed a site


@dataclass(frozen=True, slots=True)
class _Members:
    sites: Mapping[str, StoredSite] = field(default_factory=dict[str, "StoredSite"])
    of_device: Mapping[str, str] = field(default_factory=dict[str, str])
    of_group: Mapping[str, str] = field(default_factory=dict[str, str])
    read_s: float = float("-inf")


class SiteDirectory:
    """The members, which threads share; raise `StoreFailed`."""

    def __init__(self, book: SiteBook, find_group: Callable[[str], str]) -> None:
        self._book, self._find_group = book, find_group
        self._lock, self._members = threading.Lock(), _Members()

    def find_site(self, node: str) -> str | None:
        """Return the site of a device, None for none: the one that lists it, else that of its group."""
        members = self._read()
        return members.of_device.get(node) or members.of_group.get(self._find_group(node))

    def has_site(self, name: str) -> bool:
        """Return whether there is such a site."""
        return name in self._read().sites

    def list_sites(self) -> Mapping[str, StoredSite]:
        """Return all sites by name."""
        return self._read().sites

    def forget(self) -> None:
        """Read the database at the next question: a site was changed here."""
        self._members = _Members()

    def _read(self) -> _Members:
        found = self._members
        if monotonic() - found.read_s <= FRESH_S:
            return found
        with self._lock:
            if monotonic() - self._members.read_s > FRESH_S:
                self._members = self._collect()
            return self._members

    def _collect(self) -> _Members:
        now_s, sites = monotonic(), self._book.list_sites()
        of_device, of_group = dict[str, str](), dict[str, str]()
        for one in sites:  # by name: where two hosts gave a device to two sites at the same moment, the first has it
            for node in one.site.devices:
                of_device.setdefault(node, one.site.name)
            for group in one.site.groups:
                of_group.setdefault(group, one.site.name)
        return _Members({one.site.name: one for one in sites}, of_device, of_group, now_s)
