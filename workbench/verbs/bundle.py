"""`bundle key | build | verify | show`: the signed configuration."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from drivers.benchfile import read_bench
from drivers.errors import BundleRefused, Usage
from drivers.timestamps import make_serial, parse_utc
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.consistency import list_accepted
from edge_bridge.bundle.dfn_difference import NOT_RECORDED, read_dfn_differences
from edge_bridge.bundle.manifest import CERTIFICATE
from workbench.bundling.bundle_file import build_file, read_file
from workbench.bundling.key_pair import find_key_pair, make_key_pair
from workbench.bundling.summary import BundleFact, read_untrusted, strip_control_characters, summarize
from workbench.bundling.verification import require_golden, verify_bundle
from workbench.run_folders import find_newest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from edge_bridge.bundle.golden import GoldenResult
    from edge_bridge.bundle.manifest import Bundle
    from edge_bridge.bundle.verify import Acceptance
    from workbench.report import Report

NOT_VERIFIED: Final = (
    "NOT VERIFIED: this is what the file itself declares; check it with bundle verify and the keys that you trust."
)
_HEAD: Final = 9  # letters of the first column
_NAMES: Final = {"lane": 11, "version": 11, "member": 24}  # letters of the second
_MEMBER: Final = 33  # letters of size and hash of a member, at the right


def key(report: Report, name: str, out: Path) -> bool:
    """Make a pair of keys in `out`; keep the pair that is there already."""
    pair = find_key_pair(out, name) or make_key_pair(out, name)
    if not pair.is_new:
        report.line("note     the pair was there already and is kept; a key is never replaced")
    report.body.update(new=pair.is_new, private=str(pair.private), public=str(pair.public), key_id=pair.key_id)
    report.line(f"private  {pair.private}: keep it only where bundles are signed")
    report.line(f"public   {pair.public}: copy it into the trust folder of every edge")
    report.line(f"key id   {pair.key_id}")
    return True


def build(
    report: Report,
    run: Path,
    private: Path,
    bench: Path,
    certificate: Path | None,
    *,
    name: str,
    serial: int | None,
    days: int,
    made: str,
    accept: str,
    pack_type: str,
    policy: Path | None,
    promotion: Path | None,
    out: Path | None,
) -> bool:
    """Build one file from one run; never overwrite a file.

    `run` and `certificate`: the folder, a file in it such as the report, or a folder of such folders for the newest.
    """
    from drivers.runlog.folder import ABOUT  # noqa: PLC0415  # only `build` needs what reads a run
    from workbench.bundling.build import BundleOrder  # noqa: PLC0415  # as above

    run = find_newest(run, ABOUT)
    report.line(f"run      {run}")
    if certificate is not None:
        certificate = find_newest(certificate, CERTIFICATE)
        report.line(f"proof    {certificate}")
    began = _parse_time(made)
    order = BundleOrder(
        run=run,
        bench=read_bench(bench),
        private=private,
        serial=make_serial(began) if serial is None else serial,
        made=began,
        expires=_add_days(began, days),
        name=name,
        certificate=certificate,
        accept=accept,
        pack_type=pack_type,
        policy=policy,
        promotion=promotion,
    )
    file = build_file(order, out)
    path, done = file.path, file.built
    manifest = done.verified.bundle.manifest
    report.body.update(file=str(path), size=len(done.data), sha256=done.verified.sha256, signer=done.verified.signer)
    report.body.update(
        {"class": manifest.evidence}, name=manifest.name, serial=manifest.serial, expires=manifest.expires
    )
    report.body.update(notes=list(done.notes), golden=done.replayed, pack_type=manifest.pack_type)
    for note in done.notes:
        report.line(f"note     {note}")
    _report_accepted(report, done.accepted)
    _report_dfn(report, done.verified.bundle)
    report.line(f"golden   {done.compared}")
    report.line(f"golden   {done.replayed}")
    report.line(f"class    {manifest.evidence}, the weakest class of its evidence")
    report.line(f"signed   by {done.verified.signer}")
    report.line(
        f"wrote    {path}: {manifest.name} serial {manifest.serial}, {len(done.data)} bytes, until {manifest.expires}"
    )
    return True


def verify(
    report: Report,
    file: Path,
    trust: Path,
    *,
    accept: Acceptance,
    replay: bool,
) -> bool:
    """Judge a bundle by the keys in `trust`; a refusal is an error whose sentence is the reason."""
    data = read_file(file)
    if not trust.is_dir():
        raise Usage(
            "is not a folder", where=str(trust), key="trust", hint="name the folder of trusted keys with --trust"
        )
    report.body.update({"sha256": hashlib.sha256(data).hexdigest(), "signer": None, "class": None, "reason": ""})
    try:
        unpack(data)  # what is not a bundle is named before the keys are read
        found = verify_bundle(data, trust, now=datetime.now(UTC), accept=accept, replay=replay)
    except BundleRefused as error:
        report.body["reason"] = error.sentence
        error.where = error.where or str(file)
        raise
    manifest, signed = found.verified.bundle.manifest, found.verified
    report.body.update({"sha256": signed.sha256, "signer": signed.signer, "class": manifest.evidence})
    if found.golden is not None:
        _report_golden(report, found.golden)
    _report_accepted(report, list_accepted(signed.bundle))
    _report_dfn(report, signed.bundle)
    report.line(
        f"verified {manifest.name} serial {manifest.serial}, class {manifest.evidence}, until {manifest.expires}"
    )
    report.line(f"signer   {signed.signer}")
    report.line(f"sha256   {signed.sha256}")
    return True


def show(report: Report, file: Path) -> bool:
    """Print the contents of a bundle as it declares them, not verified."""
    data = read_file(file)
    try:
        bundle, keyid = read_untrusted(data)
    except BundleRefused as error:
        error.where = error.where or str(file)
        raise
    manifest = bundle.manifest
    report.body.update({"sha256": hashlib.sha256(data).hexdigest(), "verified": False, "keyid": keyid})
    report.body.update(
        {"name": manifest.name, "serial": manifest.serial, "class": manifest.evidence, "expires": manifest.expires}
    )
    report.line(NOT_VERIFIED)
    for fact in summarize(bundle, keyid):
        report.line(_format_fact(fact))
    return True


def _report_accepted(report: Report, accepted: Iterable[Mapping[str, str]]) -> None:
    """Report each deviation of the evidence that was accepted when the bundle was built."""
    rows = list(accepted)
    report.body["accepted"] = rows
    for row in rows:
        report.line(f"accepted {strip_control_characters(row['what'])}: {strip_control_characters(row['reason'])}")


def _report_dfn(report: Report, bundle: Bundle) -> None:
    """Report how far the fast twin was from the DFN; null with a sentence for a bundle that does not say."""
    rows = read_dfn_differences(bundle)
    report.body["dfn"] = None if rows is None else [row.as_json() for row in rows]
    for sentence in [NOT_RECORDED] if rows is None else [row.sentence for row in rows]:
        report.line(f"dfn      {strip_control_characters(sentence)}")


def _report_golden(report: Report, result: GoldenResult) -> None:
    report.body["golden"] = {"ok": result.ok, "worst": result.worst, "sentence": result.sentence}
    if not result.ok:
        report.body["reason"] = result.sentence
    require_golden(result)
    report.line(f"golden   {result.sentence}")


def _format_fact(fact: BundleFact) -> str:
    """Return the fact as one line in columns."""
    text = fact.text.rjust(_MEMBER) if fact.head == "member" else fact.text
    return f"{fact.head:<{_HEAD}}{fact.name:<{_NAMES.get(fact.head, 0)}}{text}"


def _parse_time(text: str) -> datetime:
    if not text:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return parse_utc(text)
    except ValueError as error:
        bound = "2026-03-01T12:00:00Z"
        raise Usage(
            f"{text!r} is not a time", key="made", value=text, bound=bound, hint=f"write it in UTC, such as {bound}"
        ) from error


def _add_days(began: datetime, days: int) -> datetime:
    try:
        return began + timedelta(days=days)
    except OverflowError as error:
        raise Usage(f"{days} days are beyond the last date", key="days", value=days, hint="give fewer days") from error
