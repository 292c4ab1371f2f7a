"""`bundle build`: collect, record, sign, then verify and replay the result as an edge does before it is returned."""

from __future__ import annotations

import hashlib
import re
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.benchfile.inputs import hash_inputs
from drivers.benchfile.model import ROLES
from drivers.errors import CheckFailed, Refused, Usage
from drivers.evidence_class import find_class_limit
from drivers.runlog.folder import read_hashes
from drivers.timestamps import format_utc
from edge_bridge.bundle import canonical_json, golden, keys, manifest
from edge_bridge.bundle.dfn_difference import KEY
from edge_bridge.bundle.evidence import weakest
from edge_bridge.bundle.manifest import CERTIFICATE, EVIDENCE, Bundle, Manifest
from edge_bridge.bundle.runtime import configure
from edge_bridge.bundle.verify import VerifiedBundle, verify
from edge_bridge.bundle.write import make_signed_bundle
from workbench.bundling import bench_members, certificate, golden_vectors, policy_members, source
from workbench.bundling.deviations import accept, check_reason, require_unchanged
from workbench.bundling.dfn_evidence import measure_dfn
from workbench.bundling.steps import ignore_progress

if TYPE_CHECKING:
    from datetime import datetime

    from drivers.benchfile import Bench
    from drivers.runlog.run import Run
    from drivers.snapshot import ChannelTable
    from edge_bridge.bundle.keys import PublicKey
    from workbench.bundling.certificate import CertificateMember
    from workbench.bundling.steps import Steps


@dataclass(frozen=True)
class BundleOrder:
    """The request for one bundle.

    An empty `name` means the name of the bench, an empty `pack_type` the cells of its pack, such as `24s12p`.
    `accept`: why the deviations of the evidence are accepted; empty where they are not. `policy` and `promotion`: a
    policy, and the folder or file that `promote` wrote about it.
    """

    run: Path
    bench: Bench
    private: Path
    serial: int
    made: datetime
    expires: datetime
    name: str = ""
    certificate: Path | None = None
    accept: str = ""
    pack_type: str = ""
    policy: Path | None = None
    promotion: Path | None = None


@dataclass(frozen=True)
class BuiltBundle:
    """The bytes of the file, the bundle as an edge verifies it, and sentences for the person who signs."""

    data: bytes
    verified: VerifiedBundle
    notes: tuple[str, ...]
    accepted: tuple[dict[str, str], ...]
    compared: str
    replayed: str


def build(order: BundleOrder, steps: Steps = ignore_progress) -> BuiltBundle:
    """Build one file from one run; raise `PulseError`, which says what is missing or does not hold."""
    name, reason = _choose_name(order), check_reason(order.accept)
    steps("The run and its evidence are read.", 0.0)
    proof = None if order.certificate is None else certificate.read(order.certificate, order.bench.path)
    with closing(source.open_run(order.run)) as run:
        _require_same_bench(order.bench, run)
        hashes = _check_inputs(order.bench, run, proof)
        accepted = accept([*source.list_deviations(run), *(proof.deviations if proof else ())], reason)
        files = bench_members.make_members(order.bench, _make_measured_table(run))
        _require_members(files, hashes)
        evidence: dict[str, Any] = _make_evidence(run, order.bench, proof) | {"files": hashes, "accepted": accepted}
        files[EVIDENCE] = canonical_json.dump_json(evidence)
        if proof is not None:
            files[CERTIFICATE] = proof.data
        files |= policy_members.read_policy_members(order.policy, order.promotion)
        about = _make_manifest(order, name, evidence["class"], run)
        steps("Golden vectors are recorded.", 0.2)
        with tempfile.TemporaryDirectory(prefix="bundle-") as folder:
            vectors, compared = golden_vectors.make_golden_vectors(run, configure(Bundle(about, files), Path(folder)))
    steps("The bundle is signed, then verified and replayed as an edge does.", 0.6)
    data, signer = make_signed_bundle(about, files | vectors, order.private)
    verified, replayed = _prove(data, signer, order.made)
    steps("The file is written.", 1.0)
    return BuiltBundle(data, verified, tuple(evidence["run"]["notes"]), tuple(accepted), compared, replayed)


def _prove(data: bytes, signer: PublicKey, made: datetime) -> tuple[VerifiedBundle, str]:
    """Verify and replay the new bundle as an edge does; raise `CheckFailed` when its golden vectors do not hold."""
    with tempfile.TemporaryDirectory(prefix="trust-") as folder:
        (Path(folder) / f"{signer.name}{keys.PUBLIC_SUFFIX}").write_bytes(keys.public_pem(signer))
        verified = verify(data, Path(folder), now=made)
    result = golden.replay(verified.bundle)
    if not result.ok:
        raise CheckFailed(
            f"its own golden vectors are not repeated: {result.sentence}",
            hint="this is a defect of the program; report it",
        )
    return verified, result.sentence


def _require_same_bench(bench: Bench, run: Run) -> None:
    if bench.document.text != run.meta["bench"]["text"]:
        name = run.meta["bench"].get("file", "its bench file")
        what, hint = (
            f"is not the bench file of {run.name} ({name})",
            "name the bench file of the run with --bench, unchanged",
        )
        raise Refused(what, where=str(bench.path), key="bench", hint=hint)


def _check_inputs(bench: Bench, run: Run, proof: CertificateMember | None) -> dict[str, str]:
    """Return the hashes of the bench's inputs; raise `Refused` unless run and certificate were made with the same."""
    hashes = hash_inputs(bench)
    require_unchanged(hashes, read_hashes(run.about), f"run {run.name}")
    if proof is not None:
        require_unchanged(hashes, proof.certificate.files, "the certificate")
    return hashes


def _require_members(files: dict[str, bytes], hashes: dict[str, str]) -> None:
    """Raise `Refused` for a file that was changed between its hash and its reading."""
    for name in files.keys() & hashes.keys():
        if hashlib.sha256(files[name]).hexdigest() != hashes[name]:
            raise Refused(f"{name} was changed while the bundle was built", key="files", hint="build it again")


def _make_measured_table(run: Run) -> ChannelTable:
    return type(run.table)(run.table.channels[: run.measured])


def _make_evidence(run: Run, bench: Bench, proof: CertificateMember | None) -> dict[str, Any]:
    """Return the links that determine the evidence class, and summaries of the run and the certificate."""
    links = [
        {"link": f"run {run.name}", "class": run.meta["evidence"]},
        {"link": "wiring of its bench file", "class": find_class_limit(bench)},
    ]
    if proof is not None:
        links.append({"link": f"certificate {proof.certificate.suite}", "class": proof.certificate.evidence})
    return {
        "class": weakest(link["class"] for link in links),
        "links": links,
        "run": source.describe_run(run),
        "certificate": None if proof is None else proof.summary,
        KEY: [row.as_json() for row in measure_dfn(run, bench)],
    }


def _make_manifest(order: BundleOrder, name: str, evidence: str, run: Run) -> Manifest:
    versions = {key: version for key, version in run.meta.get("versions", {}).items() if isinstance(version, str)}
    return Manifest(
        name=name,
        serial=order.serial,
        made=format_utc(order.made),
        expires=format_utc(order.expires),
        evidence=evidence,
        run=run.name,
        lanes={role: order.bench.active(role).name for role in ROLES},
        versions=versions,
        files={},
        pack_type=_choose_pack_type(order),
    )


def _choose_pack_type(order: BundleOrder) -> str:
    """Return the pack type; without one, the number of cells in series and parallel. Raise `Usage`."""
    pack = order.bench.pack
    pack_type = order.pack_type or f"{pack.cells}s{pack.parallel}p"
    if not manifest.NAME.fullmatch(pack_type):
        bound, hint = "letters, digits, '.', '-', '_', up to 60", "choose another with --pack-type"
        raise Usage(f"{pack_type!r} is not a valid pack type", key="pack_type", value=pack_type, bound=bound, hint=hint)
    return pack_type


def _choose_name(order: BundleOrder) -> str:
    """Return the bundle's name; without one, the bench's name with forbidden characters replaced. Raise `Usage`."""
    name = order.name or re.sub(r"[^A-Za-z0-9._-]+", "-", order.bench.bench.name).strip("-._")
    bound = "letters, digits, '.', '-', '_', up to 60"
    if not manifest.NAME.fullmatch(name):
        raise Usage(
            f"{name!r} is not a valid bundle name",
            key="name",
            value=name,
            bound=bound,
            hint="choose another name with --name",
        )
    if not 0 <= order.serial <= manifest.MAX_SERIAL:
        bound = f"0 to {manifest.MAX_SERIAL}"
        raise Usage(
            f"{order.serial} is not a valid serial",
            key="serial",
            value=order.serial,
            bound=bound,
            hint=f"give --serial {bound}",
        )
    if not order.made < order.expires:
        raise Usage("the bundle would expire before it is made", key="days", hint="give --days of 1 or more")
    return name
