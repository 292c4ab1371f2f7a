"""`bundle key | build | verify | show`: the signed configuration."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.benchfile import read_bench
from drivers.errors import BundleRefused, CheckFailed, Usage
from drivers.timestamps import make_serial, parse_utc
from edge_bridge.bundle import golden, keys
from edge_bridge.bundle.archive import MAX_FILE
from edge_bridge.bundle.verify import verify as verified
from workbench.bundling.page import page, read_untrusted

if TYPE_CHECKING:
    from edge_bridge.bundle.manifest import Bundle
    from workbench.outcome import Report


def key(report: Report, name: str, out: Path) -> bool:
    """Make a pair of keys in `out`."""
    private, public = keys.make_key(out, name)
    signer = keys.read_public(public)
    report.body.update(private=str(private), public=str(public), key_id=signer.id)
    report.line(f"private  {private}: keep it where bundles are signed, and nowhere else")
    report.line(f"public   {public}: copy it into the trust folder of every edge")
    report.line(f"key id   {signer.id}")
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
    out: Path | None,
) -> bool:
    """Build one file from one run; a file that is there already stays as it is."""
    from workbench.bundling.build import Order  # noqa: PLC0415  # only `build` needs what reads a run
    from workbench.bundling.build import build as built  # noqa: PLC0415

    began = _moment(made)
    order = Order(
        run=run,
        bench=read_bench(bench),
        private=private,
        serial=make_serial(began) if serial is None else serial,
        made=began,
        expires=_later(began, days),
        name=name,
        certificate=certificate,
    )
    if out is not None:
        _refuse_existing(out)
    done = built(order)
    told = done.verified.bundle.manifest
    path = Path(f"{told.name}-{told.serial}.bundle") if out is None else out
    _write(path, done.data)
    report.body.update(file=str(path), size=len(done.data), sha256=done.verified.sha256, signer=done.verified.signer)
    report.body.update({"class": told.evidence}, name=told.name, serial=told.serial, expires=told.expires)
    report.body.update(notes=list(done.notes), golden=done.replayed)
    for note in done.notes:
        report.line(f"note     {note}")
    report.line(f"golden   {done.compared}")
    report.line(f"golden   {done.replayed}")
    report.line(f"class    {told.evidence}, the weakest of its links")
    report.line(f"signed   by {done.verified.signer}")
    report.line(f"wrote    {path}: {told.name} serial {told.serial}, {len(done.data)} octets, until {told.expires}")
    return True


def verify(report: Report, file: Path, trust: Path, *, lowest_serial: int, allow_sim: bool, replay: bool) -> bool:
    """Judge a bundle by the keys in `trust`; a refusal is an error whose sentence is the reason."""
    data = _read(file)
    if not trust.is_dir():
        raise Usage("is no folder", where=str(trust), key="trust", hint="name the folder of trusted keys with --trust")
    report.body.update({"sha256": hashlib.sha256(data).hexdigest(), "signer": None, "class": None, "reason": ""})
    try:
        found = verified(data, trust, now=datetime.now(UTC), allow_sim=allow_sim, lowest_serial=lowest_serial)
    except BundleRefused as error:
        report.body["reason"] = error.sentence
        error.where = error.where or str(file)
        raise
    told = found.bundle.manifest
    report.body.update({"sha256": found.sha256, "signer": found.signer, "class": told.evidence})
    if replay:
        _replay(report, found.bundle)
    report.line(f"verified {told.name} serial {told.serial}, class {told.evidence}, until {told.expires}")
    report.line(f"signer   {found.signer}")
    report.line(f"sha256   {found.sha256}")
    return True


def show(report: Report, file: Path) -> bool:
    """A page of what a bundle says of itself, believed by nobody."""
    data = _read(file)
    bundle, keyid = read_untrusted(data)
    told = bundle.manifest
    report.body.update({"sha256": hashlib.sha256(data).hexdigest(), "verified": False, "keyid": keyid})
    report.body.update({"name": told.name, "serial": told.serial, "class": told.evidence, "expires": told.expires})
    for line in page(bundle, keyid):
        report.line(line)
    return True


def _replay(report: Report, bundle: Bundle) -> None:
    result = golden.replay(bundle)
    report.body["golden"] = {"ok": result.ok, "worst": result.worst, "sentence": result.sentence}
    if not result.ok:
        report.body["reason"] = result.sentence
        raise CheckFailed(f"its golden vectors do not hold: {result.sentence}", hint="build it anew with this version")
    report.line(f"golden   {result.sentence}")


def _read(file: Path) -> bytes:
    """The file, and one octet more than any bundle may have; raises `Usage`."""
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_FILE + 1)
    except OSError as error:
        raise Usage(f"cannot be read: {error.strerror}", where=str(file), hint="name a bundle file") from error


def _write(path: Path, data: bytes) -> None:
    """The whole file or none: a full disk and a kill leave nothing under its name."""
    _refuse_existing(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _refuse_existing(path: Path) -> None:
    if path.exists():
        hint = "name another file, or remove it first"
        raise Usage("is there already", where=str(path), key="out", value=str(path), hint=hint)


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return parse_utc(text)
    except ValueError as error:
        bound = "2026-03-01T12:00:00Z"
        raise Usage(f"{text!r} is no time", key="made", value=text, bound=bound, hint="write it in UTC") from error


def _later(began: datetime, days: int) -> datetime:
    try:
        return began + timedelta(days=days)
    except OverflowError as error:
        raise Usage(f"{days} days lead beyond all calendars", key="days", value=days, hint="give fewer") from error
