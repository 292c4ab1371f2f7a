"""`fleet.toml`: the sites of a fleet as a file that people write.

::

version = 1

[[site]]
name = "north"
place = "Hall 3"
tariff = "night"
devices = ["pack-1", "pack-2"]
groups = ["line-a"]
"""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.errors import Usage
from drivers.regular_file import read_regular
from edge_bridge.fleet.sites.site import VERSION, check_sites, parse_site

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge_bridge.fleet.sites.site import FleetSite

MAX_BYTES: Final = 4 << 20
_HEAD: Final = "# Sites of a fleet. The API writes this file again when a site changes; comments are lost then.\n"
_HINT: Final = "see docs/fleet-sites.md"


def read_file(path: Path) -> bytes | None:
    """Return the content of the file, None if there is none; raise `Usage` for one that cannot be read."""
    try:
        return read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        words = f"cannot be read: {error.strerror or error}"
        raise Usage(words, where=str(path), key="sites", value=str(path), hint="name a file fleet.toml") from error


def parse_sites(data: bytes, where: str) -> list[FleetSite]:
    """Read the content of a `fleet.toml`; raise `Usage`."""
    try:
        found = tomllib.loads(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise Usage(f"is not TOML: {error}", where=where, key="sites", hint=_HINT) from error
    if found.get("version") != VERSION:
        what = f"has the version {found.get('version')!r}, this program reads {VERSION}"
        raise Usage(what, where=where, key="version", value=str(found.get("version")), bound=VERSION, hint=_HINT)
    given: Any = found.get("site", [])
    if found.keys() - {"version", "site"} or not isinstance(given, list):
        raise Usage("has something other than `version` and [[site]]", where=where, key="sites", hint=_HINT)
    tables = cast("list[Any]", given)
    if not all(isinstance(one, dict) for one in tables):
        raise Usage("has a site that is no table", where=where, key="site", hint=_HINT)
    sites = [parse_site(one, where) for one in tables]
    check_sites(sites, where)
    return sites


def format_sites(sites: Iterable[FleetSite]) -> bytes:
    """Return the content of a `fleet.toml` with these sites."""
    parts = [_HEAD, f"version = {VERSION}\n"]
    for site in sites:
        parts.append(f"\n[[site]]\nname = {_quote(site.name)}\n")
        parts += [f"{key} = {_quote(words)}\n" for key in ("place", "tariff") if (words := getattr(site, key))]
        for key in ("devices", "groups"):
            names = cast("tuple[str, ...]", getattr(site, key))
            if names:
                parts.append(f"{key} = [{', '.join(map(_quote, names))}]\n")
    return "".join(parts).encode()


def _quote(words: str) -> str:
    """Return a TOML string: that of JSON, since no site has a character that the two write differently."""
    return json.dumps(words, ensure_ascii=False)
