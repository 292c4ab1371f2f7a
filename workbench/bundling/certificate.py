"""The certificate that goes along: what `certify` wrote, octet for octet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from drivers.errors import Refused, RunLogError, Usage
from edge_bridge.bundle import canonical
from edge_bridge.bundle.evidence import CLASSES
from edge_bridge.bundle.manifest import CERTIFICATE

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA: Final = "pulsebms.certificate/1"


@dataclass(frozen=True)
class Certificate:
    """`octets` of the file, `evidence` its class, and what `evidence.json` says of it."""

    octets: bytes
    evidence: str
    summary: dict[str, Any]


def read(folder: Path, bench: Path) -> Certificate:
    """The certificate in `folder`, of the bench file `bench`.

    Raises `Usage` where there is none, `RunLogError` for one that cannot be read, `Refused` for one that did not pass
    or is of another bench.
    """
    path = folder / CERTIFICATE
    try:
        octets = path.read_bytes()
    except OSError as error:
        hint = "name the folder that certify wrote with --out"
        raise Usage(f"holds no {CERTIFICATE}: {error.strerror}", where=str(folder), hint=hint) from error
    try:
        said = _checked(canonical.parsed(octets))
    except (KeyError, TypeError, ValueError) as error:
        raise RunLogError(f"cannot be read: {error}", where=str(path), hint="certify again") from error
    if said["passed"] is not True:
        case = next((row for row in said["cases"] if row["verdict"] in {"FAIL", "ERROR"}), None)
        told = "" if case is None else f": {case['id']} {case['verdict']} ({case['reason']})"
        hint = "mend what failed and certify again; a bundle carries what was proven"
        raise Refused(f"did not pass{told}", where=str(path), key="passed", value=False, hint=hint)
    if said["bench"]["sha256"] != hashlib.sha256(bench.read_bytes()).hexdigest():
        what, hint = f"is of another bench than {bench.name}, as it stands now", "certify this one"
        raise Refused(what, where=str(path), key="bench.sha256", value=said["bench"]["sha256"], hint=hint)
    summary = {key: said[key] for key in ("suite", "class", "made", "passed", "counts")}
    summary["not_judged"] = sum(row["verdict"] == "N/A" for row in said["cases"])
    return Certificate(octets, said["class"], summary)


def _checked(given: Any) -> dict[str, Any]:
    """Raises `KeyError`, `TypeError` or `ValueError`."""
    said = cast("dict[str, Any]", given)
    if said["schema"] != SCHEMA:
        raise ValueError(f"its schema is {said['schema']!r}, this version reads {SCHEMA!r}")
    if said["class"] not in CLASSES:
        raise ValueError(f"its class is {said['class']!r}")
    for key, kind in (
        ("suite", str),
        ("made", str),
        ("passed", bool),
        ("counts", dict),
        ("cases", list),
        ("bench", dict),
    ):
        if not isinstance(said[key], kind):
            raise TypeError(f"its {key} is no {kind.__name__}")
    for case in said["cases"]:
        _ = case["id"], case["verdict"], case["reason"]
    _ = said["bench"]["sha256"]
    return said
