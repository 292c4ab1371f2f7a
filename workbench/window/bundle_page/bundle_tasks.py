"""Tasks of the Bundle page that run in a child process: list, make keys, build, verify.

Cryptography, Parquet and the estimators that a build replays stay out of the window's process.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from drivers.benchfile import read_bench
from drivers.errors import BundleRefused, PulseError, Refused
from drivers.timestamps import make_serial
from edge_bridge.bundle import keys
from edge_bridge.bundle.verify import verify
from workbench.bundling.build import BundleOrder
from workbench.bundling.bundle_file import build_file, read_file
from workbench.bundling.key_pair import make_key_pair
from workbench.bundling.summary import read_untrusted, summarize
from workbench.bundling.verification import require_golden, verify_bundle
from workbench.window.bundle_page.model import BuildRequest, BundleEntry, BundleSigner, NewKey
from workbench.window.failures import make_sentence

if TYPE_CHECKING:
    from pathlib import Path

    from edge_bridge.bundle.verify import VerifiedBundle
    from workbench.bundling.steps import Steps

NO_TRUST: Final = "untrusted_folder"


def make_key(folder: Path, name: str) -> NewKey:
    """Make a key pair in `folder`; raise what `keys.make_key` raises."""
    pair = make_key_pair(folder, name)
    return NewKey(pair.private, pair.public, pair.key_id)


def trust(public: Path, folder: Path) -> Path:
    """Copy a public key into `folder`; raise `Refused` if another key has its name, or `OSError`."""
    key = keys.read_public(public)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    copy = folder / public.name
    if not copy.exists():
        keys.write_public(copy, key)
    elif keys.read_public(copy).id != key.id:
        raise Refused("holds another key already", where=str(copy), hint="rename one of them")
    return copy


def build_bundle(request: BuildRequest, steps: Steps) -> BundleEntry:
    """Build one signed file, valid by its own key, and verify it by the trusted keys; raise `PulseError`."""
    now = datetime.now(UTC).replace(microsecond=0)
    serial = make_serial(now) if request.serial is None else request.serial
    order = BundleOrder(
        run=request.run,
        bench=read_bench(request.bench),
        private=request.private,
        serial=serial,
        made=now,
        expires=now + timedelta(days=request.days),
        name=request.name,
        certificate=request.certificate,
        accept=request.accept,
    )
    file = build_file(order, request.folder / f"{request.name}-{serial}.bundle", steps)
    made = verify_without_replay(file.path, request.trust)
    return replace(made, golden=file.built.replayed, notes=file.built.notes)


def verify_file(file: Path, folder: Path, steps: Steps) -> BundleEntry:
    """Verify by the keys in `folder` and replay the golden vectors; return a refusal. Raise `Usage` without a file."""
    data = read_file(file)
    made = read_claims(file, data)
    if not folder.is_dir():
        return _make_refused(made, _make_no_trust())
    try:
        found = verify_bundle(data, folder, now=datetime.now(UTC), replay=True, steps=steps)
        if found.golden is not None:
            require_golden(found.golden)
    except PulseError as error:
        return _make_refused(made, error)
    golden = "" if found.golden is None else found.golden.sentence
    return replace(made, verified=True, signer=_make_signer(found.verified), golden=golden)


def read_claims(file: Path, data: bytes) -> BundleEntry:
    """Read what a file claims; nothing of it is verified."""
    made = BundleEntry(file, hashlib.sha256(data).hexdigest())
    try:
        bundle, keyid = read_untrusted(data)
    except BundleRefused as error:
        return _make_refused(made, error)
    manifest = bundle.manifest
    claims = tuple((fact.head, " ".join(f"{fact.name} {fact.text}".split())) for fact in summarize(bundle, keyid))
    return replace(
        made,
        name=manifest.name,
        serial=manifest.serial,
        evidence=manifest.evidence,
        expires=manifest.expires,
        claims=claims,
    )


def verify_without_replay(file: Path, folder: Path) -> BundleEntry:
    """Verify as `verify_file` does, without the replay: quick enough for a list."""
    data = read_file(file)
    made = read_claims(file, data)
    if not made.name or not folder.is_dir():
        return _make_refused(made, _make_no_trust()) if made.name else made
    try:
        found = verify(data, folder, now=datetime.now(UTC))
    except BundleRefused as error:
        return _make_refused(made, error)
    return replace(made, verified=True, signer=_make_signer(found))


def _make_signer(found: VerifiedBundle) -> BundleSigner:
    return BundleSigner(found.key.id, found.key.name)


def _make_no_trust() -> BundleRefused:
    hint = "make a key, or copy the signer's public key (*.pem) into the trust folder"
    return BundleRefused("no key is trusted on this machine yet", key=NO_TRUST, hint=hint)


def _make_refused(made: BundleEntry, error: PulseError) -> BundleEntry:
    """Write the refusal as two sentences; those of the verifier begin with what the file does or is."""
    of_file = isinstance(error, BundleRefused) and error.where in (None, str(made.file)) and error.key != NO_TRUST
    reason = f"it {error.what}" if of_file else error.what if error.where == str(made.file) else error.sentence
    return replace(
        made, verified=False, key=error.key or error.code, reason=make_sentence(reason), hint=make_sentence(error.hint)
    )
