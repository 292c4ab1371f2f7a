"""Bundle members from a bench file: the file itself, the files that it names, limits, lanes, parameters."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from drivers.benchfile.inputs import PARAMETERS, list_inputs
from drivers.canbus.dut_map import read_dut_map
from drivers.errors import Refused
from edge_bridge.bundle import canonical_json, limits
from edge_bridge.bundle.archive import MEMBER_NAME
from edge_bridge.bundle.lanes import describe_lanes
from edge_bridge.bundle.manifest import BENCH, LANES, LIMITS, RESERVED_NAMES

if TYPE_CHECKING:
    from drivers.benchfile import Bench
    from drivers.snapshot import ChannelTable


def make_members(bench: Bench, table: ChannelTable) -> dict[str, bytes]:
    """Return all members but evidence and golden vectors; raise `Refused` for a file with no legal path, `OSError`."""
    _require_declared_dbc(bench)
    named = _read_inputs(bench)
    parameters = next((name for name in named if name.startswith(PARAMETERS)), None)
    return {
        BENCH: _read_bench_file(bench),
        **named,
        LIMITS: canonical_json.dump_json(limits.describe_limits(bench, table)),
        LANES: canonical_json.dump_json(describe_lanes(bench, parameters)),
    }


def _read_bench_file(bench: Bench) -> bytes:
    """Return the bytes of the bench file; raise `Refused` if its text is no longer the one that was read."""
    data = bench.path.read_bytes()
    if io.StringIO(data.decode("utf-8-sig", "replace"), newline=None).read() != bench.document.text:
        raise Refused("was changed while the bundle was built", where=str(bench.path), hint="build it again")
    return data


def _require_declared_dbc(bench: Bench) -> None:
    mapped = read_dut_map(bench.dut_map)
    if bench.dut.dbc_sha256 not in {"", mapped.dbc_hash}:
        what, hint = (
            "names another DBC than the one that its device map uses",
            "restore the DBC that the run was made with",
        )
        raise Refused(what, where=bench.path.name, key="dut.dbc_sha256", value=mapped.dbc_hash, hint=hint)


def _read_inputs(bench: Bench) -> dict[str, bytes]:
    """Read device map, DBC, the lanes' files and the estimator's parameters by their names in the bundle."""
    found: dict[str, bytes] = {}
    for file in list_inputs(bench):
        if not file.on_edge:
            continue
        if not MEMBER_NAME.fullmatch(file.name):
            what = f"names {file.name!r}, which cannot be a path in a bundle"
            hint = "put the file beside the bench file and use a relative path"
            raise Refused(what, where=bench.path.name, value=file.name, bound="a plain relative path", hint=hint)
        if file.name in found or file.name in RESERVED_NAMES or (file.name.startswith(PARAMETERS) != file.is_shipped):
            what = f"names a file {file.name!r}, which is a reserved name in a bundle"
            raise Refused(what, where=bench.path.name, hint="rename the file")
        found[file.name] = file.path.read_bytes()
    return found
