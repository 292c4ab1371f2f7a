"""A site: a place with devices, listed one by one or as whole groups. Its document, and what a site may not be."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KIND: Final = "site"
VERSION: Final = 1
MAX_SITES: Final = 1_000
MAX_LISTED: Final = 10_000  # devices of one site
MAX_GROUPS: Final = 100
MAX_WORDS: Final = 200
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", re.ASCII)
LISTED: Final = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FleetSite:
    """A site; a device belongs to the site that lists it, else to the one that lists its group."""

    name: str
    place: str = ""
    tariff: str = ""  # its name, for people
    devices: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """The content of its document."""
        fields = asdict(self) | {"devices": list(self.devices), "groups": list(self.groups)}
        return {"version": VERSION, **fields}


def parse_site(body: Mapping[str, Any], where: str = "") -> FleetSite:
    """Read a site; raise `Usage` for what a site may not be. `where` is the file."""
    fields = {name: value for name, value in body.items() if name != "version"}
    unknown = sorted(fields.keys() - FleetSite.__dataclass_fields__.keys())
    if unknown:
        raise _make_error(where, "site", ", ".join(unknown)[:80], "has a field that a site does not have")
    name = fields.get("name", "")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _make_error(where, "name", str(name)[:80], "is not a name of a site", NAME.pattern)
    for key in ("place", "tariff"):
        words = fields.get(key, "")
        if not isinstance(words, str) or len(words) > MAX_WORDS or not (words == "" or words.isprintable()):
            raise _make_error(where, key, str(words)[:80], "is not a line of text", MAX_WORDS)
    for key, most in (("devices", MAX_LISTED), ("groups", MAX_GROUPS)):
        fields[key] = _parse_names(fields.get(key, []), key, most, where)
    return FleetSite(**fields)


def check_sites(sites: Iterable[FleetSite], where: str = "") -> None:
    """Raise `Usage` for two sites of one name, or a device or group that two sites list."""
    listed = list(sites)
    if len(listed) > MAX_SITES:
        raise _make_error(where, "site", len(listed), "sites are more than a fleet has", MAX_SITES)
    for key in ("name", "devices", "groups"):
        owners: dict[str, str] = {}
        for site in listed:
            for one in (site.name,) if key == "name" else cast("tuple[str, ...]", getattr(site, key)):
                if one in owners:
                    what = f"is listed by the sites {owners[one]} and {site.name}"
                    raise _make_error(where, key, one, what)
                owners[one] = site.name


def _parse_names(given: Any, key: str, most: int, where: str) -> tuple[str, ...]:
    names = cast("list[Any]", given)
    if not isinstance(given, (list, tuple)) or len(names) > most:
        raise _make_error(where, key, str(names)[:80], "is not a list of names", most)
    for name in names:
        if not isinstance(name, str) or not LISTED.fullmatch(name):
            raise _make_error(where, key, str(name)[:80], "is not a name", LISTED.pattern)
    if len(set(names)) < len(names):
        raise _make_error(where, key, "", "lists a name twice")
    return tuple(names)


def _make_error(where: str, key: str, value: object, what: str, bound: object = None) -> Usage:
    hint = "correct it; see docs/fleet-sites.md"
    return Usage(f"{key} {value!r} {what}", where=where or None, key=key, value=value, bound=bound, hint=hint)
