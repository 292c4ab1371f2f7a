"""Bundle members from a bench file: the file itself, the files that it names, limits, lanes, parameters."""

from __future__ import annotations

import importlib
import json
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.canbus.dut_map import read_dut_map
from drivers.errors import Refused
from edge_bridge.bundle import canonical_json, limits
from edge_bridge.bundle.archive import MEMBER_NAME
from edge_bridge.bundle.manifest import BENCH, LANES, LIMITS, PARAMETERS, RESERVED_NAMES

if TYPE_CHECKING:
    from drivers.benchfile import Bench
    from drivers.snapshot import ChannelTable


def make_members(bench: Bench, table: ChannelTable) -> dict[str, bytes]:
    """Return all members but evidence and golden vectors; raise `Refused` for a file with no legal path, `OSError`."""
    found = {BENCH: bench.document.text.encode()} | _read_named_files(bench)
    name, data = _read_parameters(bench)
    if name is not None:
        found[name] = data
    found[LIMITS] = canonical_json.dump_json(limits.describe_limits(bench, table))
    found[LANES] = canonical_json.dump_json({"lanes": _describe_lanes(bench), "parameters": name})
    return found


def _read_named_files(bench: Bench) -> dict[str, bytes]:
    """Read device map, DBC and the lanes' files; key each by its path in the bench file."""
    mapped = read_dut_map(bench.dut_map)
    if bench.dut.dbc_sha256 not in {"", mapped.dbc_hash}:
        what, hint = (
            "names another DBC than the one that its device map uses",
            "restore the DBC that the run was made with",
        )
        raise Refused(what, where=bench.path.name, key="dut.dbc_sha256", value=mapped.dbc_hash, hint=hint)
    names = [bench.dut.map, posixpath.join(posixpath.dirname(bench.dut.map), mapped.file.dbc)]
    names += [str(settings["file"]) for settings in map(_get_settings, _get_raw_lanes(bench)) if "file" in settings]
    found: dict[str, bytes] = {}
    for name in map(posixpath.normpath, names):
        if not MEMBER_NAME.fullmatch(name):
            what = f"names {name!r}, which cannot be a path in a bundle"
            hint = "put the file beside the bench file and use a relative path"
            raise Refused(what, where=bench.path.name, value=name, bound="a plain relative path", hint=hint)
        found[name] = (bench.path.parent / name).read_bytes()
    if taken := found.keys() & RESERVED_NAMES:
        what = f"names a file {taken.pop()!r}, which is a reserved name in a bundle"
        raise Refused(what, where=bench.path.name, hint="rename the file")
    return found


def _read_parameters(bench: Bench) -> tuple[str | None, bytes]:
    """Return name and bytes of the active estimator's own table; None where the bench file names one or it has none."""
    lane = bench.active("estimator")
    shipped = getattr(importlib.import_module(lane.module), "PARAMETERS", None)
    if "file" in lane.settings or not isinstance(shipped, Path):
        return None, b""
    return PARAMETERS + shipped.name, shipped.read_bytes()


def _describe_lanes(bench: Bench) -> list[dict[str, Any]]:
    rows = zip(bench.lane, _get_raw_lanes(bench), strict=True)
    return [
        {
            "role": lane.role,
            "name": lane.name,
            "module": lane.module,
            "active": lane.active,
            "settings": json.loads(json.dumps(_get_settings(raw), default=str)),  # JSON has no dates, TOML has
        }
        for lane, raw in rows
    ]


def _get_raw_lanes(bench: Bench) -> list[dict[str, Any]]:
    """Return the lanes as the file has them: paths are still relative."""
    return bench.document.values["lane"]


def _get_settings(raw: dict[str, Any]) -> dict[str, Any]:
    return raw.get("settings", {})
