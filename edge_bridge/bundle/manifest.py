"""The manifest of a bundle: the payload that is signed, and the bundle around it."""

from __future__ import annotations

import io
import re
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from drivers.benchfile.cell_file import SUFFIX
from drivers.timestamps import parse_utc
from edge_bridge.bundle import canonical_json
from edge_bridge.bundle.archive import MEMBER_NAME as MEMBER
from edge_bridge.bundle.envelope import ENVELOPE
from edge_bridge.bundle.evidence import CLASSES
from edge_bridge.bundle.promotion import POLICY, PROMOTION

SCHEMA: Final = "pulsebms.bundle/2"
WITHOUT_PACK_TYPE: Final = "pulsebms.bundle/1"  # the version before; it is read, with an empty pack type
BENCH: Final = "bench.toml"
LIMITS: Final = "limits.json"
LANES: Final = "lanes.json"
EVIDENCE: Final = "evidence.json"
CERTIFICATE: Final = "certificate.json"
GOLDEN: Final = "golden.json"
GOLDEN_ESTIMATOR: Final = "golden/estimator.npy"
GOLDEN_GATE: Final = "golden/gate.npy"
GOLDEN_PACK_GATE: Final = "golden/pack_gate.npy"
REQUIRED_MEMBERS: Final = (BENCH, LIMITS, LANES, EVIDENCE, GOLDEN, GOLDEN_ESTIMATOR, GOLDEN_GATE, GOLDEN_PACK_GATE)
RESERVED_NAMES: Final = frozenset(
    {*REQUIRED_MEMBERS, CERTIFICATE, ENVELOPE, POLICY, PROMOTION}
)  # names that no file of a bench may have

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
MAX_SERIAL: Final = 2**53 - 1  # the largest integer that every JSON reader holds exactly
CELL_MARK: Final = b'"pulsebms.cell/'  # in each cell file: its schema
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class FileHash:
    """A member's SHA-256 (hexadecimal) and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """The signed payload.

    `made`, `expires`: UTC to the second; `evidence`: SIM, HIL or PACK; `run`: the run that proved it; `lanes`: the
    active one by role; `versions`: of the software that computed it; `files`: every member but the envelope.
    `pack_type`: the kind of pack that the bundle is for, empty in a manifest of the version before.
    """

    name: str
    serial: int
    made: str
    expires: str
    evidence: str
    run: str
    lanes: dict[str, str]
    versions: dict[str, str]
    files: dict[str, FileHash]
    pack_type: str = ""


@dataclass(frozen=True)
class Bundle:
    """A manifest and its members by name, without the envelope."""

    manifest: Manifest
    files: dict[str, bytes]

    @property
    def bench_text(self) -> str:
        """Return the text of the bench file as its reader does: without byte order mark, and with plain line ends."""
        return io.StringIO(self.files[BENCH].decode("utf-8-sig"), newline=None).read()

    @property
    def cell_text(self) -> str:
        """Return the text of the cell file; empty for a bundle from before there were cell files."""
        cells = (data for name, data in self.files.items() if name.endswith(SUFFIX) and CELL_MARK in data)
        return io.StringIO(next(cells, b"").decode("utf-8-sig"), newline=None).read()

    @property
    def limits(self) -> dict[str, Any]:
        return self.json(LIMITS)

    @property
    def lanes(self) -> dict[str, Any]:
        return self.json(LANES)

    @property
    def evidence(self) -> dict[str, Any]:
        return self.json(EVIDENCE)

    @property
    def certificate(self) -> dict[str, Any] | None:
        """Return the certification's record, None if the bundle has none."""
        return self.json(CERTIFICATE) if CERTIFICATE in self.files else None

    def json(self, name: str) -> dict[str, Any]:
        """Read a member that is a JSON object; raise `KeyError`, and `ValueError` if it is not one."""
        value = canonical_json.parse_json(self.files[name])
        if not isinstance(value, dict):
            raise ValueError(f"{name} is not a JSON object")  # noqa: TRY004  # one kind of error for bad bytes
        return cast("dict[str, Any]", value)


def encode_manifest(manifest: Manifest) -> bytes:
    """Write the payload as canonical JSON."""
    return canonical_json.dump_json({"schema": SCHEMA, **asdict(manifest)})


def decode_manifest(payload: bytes) -> Manifest:
    """Read a payload of `encode_manifest`; raise `ValueError` that names what does not fit."""
    parsed: Any = canonical_json.load_canonical(payload)
    if not isinstance(parsed, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004  # as above
    body = cast("dict[str, Any]", parsed)
    if body.get("schema") not in {SCHEMA, WITHOUT_PACK_TYPE}:
        raise ValueError(f"its schema is {body.get('schema')!r}, this version reads {SCHEMA!r} and the one before")
    fields = Manifest.__dataclass_fields__.keys() - ({"pack_type"} if body["schema"] == WITHOUT_PACK_TYPE else set())
    if body.keys() != {"schema", *fields}:
        odd = ", ".join(sorted(body.keys() ^ {"schema", *fields}))
        raise ValueError(f"these fields are missing or unknown: {odd}")
    for key in ("name", "made", "expires", "evidence", "run"):
        _require(key, body[key], isinstance(body[key], str))
    for key in ("lanes", "versions", "files"):
        _require(key, body[key], isinstance(body[key], dict))
    serial = body["serial"]
    _require("serial", serial, type(serial) is int and 0 <= serial <= MAX_SERIAL)
    _require("name", body["name"], NAME.fullmatch(body["name"]) is not None)
    _require("evidence", body["evidence"], body["evidence"] in CLASSES)
    if "pack_type" in fields:
        pack_type = body["pack_type"]
        _require("pack_type", pack_type, isinstance(pack_type, str) and NAME.fullmatch(pack_type) is not None)
    for key in ("lanes", "versions"):
        _require(key, body[key], all(isinstance(value, str) for value in body[key].values()))
    if not parse_utc(body["made"]) < parse_utc(body["expires"]):
        raise ValueError("its expiry is before the time it was made")
    files = {name: _parse_file_hash(name, row) for name, row in body["files"].items()}
    return Manifest(**{key: body[key] for key in fields if key != "files"}, files=files)


def _parse_file_hash(name: str, row: Any) -> FileHash:
    given = cast("dict[str, Any]", row if isinstance(row, dict) else {})
    _require(f"files.{name}", given, given.keys() == {"sha256", "size"} and MEMBER.fullmatch(name) is not None)
    sha256, size = given["sha256"], given["size"]
    _require(f"files.{name}.sha256", sha256, isinstance(sha256, str) and _SHA256.fullmatch(sha256) is not None)
    _require(f"files.{name}.size", size, type(size) is int and size >= 0)
    return FileHash(sha256, size)


def _require(key: str, value: Any, fits: bool) -> None:  # noqa: FBT001  # the caller's check
    if not fits:
        raise ValueError(f"its {key} is {str(value)[:60]!r}")
