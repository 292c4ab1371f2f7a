"""The verification of a bundle: form, signature, members, time, serial, evidence, in that order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from drivers.errors import BundleRefused
from drivers.timestamps import format_utc, parse_utc
from edge_bridge.bundle import envelope, keys, manifest, serials
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.consistency import check_consistency
from edge_bridge.bundle.manifest import Bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from edge_bridge.bundle.keys import PublicKey
    from edge_bridge.bundle.manifest import Manifest

MAX_CLOCK_AHEAD: Final = timedelta(minutes=5)  # how far the signer's clock may be ahead of the local one


@dataclass(frozen=True)
class VerifiedBundle:
    """A bundle that passed the verification: `sha256` of the whole file, the trusted `key` that signed it."""

    sha256: str
    key: PublicKey
    bundle: Bundle

    @property
    def signer(self) -> str:
        """Key id and key file, as people and scripts read it."""
        return f"{self.key.id} ({self.key.name})"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the place where a bundle will run accepts, beside its trusted keys; as it stands, any bundle.

    `state`: the folder of an edge, which remembers serials. `pack_type`: the pack there, empty for any.
    """

    allow_sim: bool = True
    lowest_serial: int = 0
    state: Path | None = None
    pack_type: str = ""


ANY: Final = Acceptance()


def verify(data: bytes, trust: Path, *, now: datetime, accept: Acceptance = ANY) -> VerifiedBundle:
    """Verify the bundle in `data` with the public keys in `trust` and return it; raise `BundleRefused`.

    `now` has a time zone. The error's `key` is one of: untrusted_folder, damaged_state, not_a_bundle, too_large,
    changed, unsigned, unknown_signer, bad_signature, expired, not_yet, older_serial, same_serial_other_bytes,
    other_pack, simulated, inconsistent.
    """
    found = verify_signed(data, trust, now=now, accept=accept)
    check_consistency(found.bundle)
    return found


def verify_signed(data: bytes, trust: Path, *, now: datetime, accept: Acceptance = ANY) -> VerifiedBundle:
    """Verify everything but the agreement of the members with each other, which `verify` checks too."""
    known = keys.read_trusted(trust)
    accepted = {} if accept.state is None else serials.read_serials(accept.state)
    members = unpack(data)
    signed = _take_envelope(members)
    signer = _check_signature(signed, known)
    about = _decode_manifest(signed.payload)
    _check_members(about, members)
    _check_time(about, now)
    sha256 = hashlib.sha256(data).hexdigest()
    _check_serial(about, sha256, accept.lowest_serial, accepted)
    _check_pack_type(about, accept.pack_type)
    if about.evidence == "SIM" and not accept.allow_sim:
        what, hint = (
            "has evidence from simulation only (class SIM)",
            "allow it with --allow-sim, or certify it on a real bench",
        )
        raise BundleRefused(what, key="simulated", value="SIM", bound="HIL or PACK", hint=hint)
    return VerifiedBundle(sha256, signer, Bundle(about, members))


def _take_envelope(members: dict[str, bytes]) -> envelope.Envelope:
    """Take the envelope out of `members` and open it."""
    data = members.pop(envelope.ENVELOPE, None)
    if data is None:
        raise BundleRefused("is not signed: it has no envelope", key="unsigned", hint="build it with a key")
    return envelope.decode_envelope(data)


def _check_signature(signed: envelope.Envelope, known: Mapping[str, PublicKey]) -> PublicKey:
    key = known.get(signed.keyid)
    if key is None:
        names = ", ".join(key.name for key in known.values())
        what, hint = (
            f"is signed by a key that is not in the trust folder ({signed.keyid[:16]})",
            f"trusted keys: {names}",
        )
        raise BundleRefused(what, key="unknown_signer", value=signed.keyid[:64], bound=names, hint=hint)
    if not keys.verify_signature(key, signed.signed_bytes, signed.signature):
        what = f"has no valid signature of {key.name}: manifest or signature was changed"
        raise BundleRefused(what, key="bad_signature", hint="copy it again from where it was built")
    return key


def _decode_manifest(payload: bytes) -> Manifest:
    try:
        return manifest.decode_manifest(payload)
    except ValueError as error:
        hint = "open it with the version that built it"
        raise BundleRefused(f"is not a bundle: manifest: {error}", key="not_a_bundle", hint=hint) from error


def _check_members(about: Manifest, members: Mapping[str, bytes]) -> None:
    hint = "copy it again from where it was built"
    if odd := sorted(about.files.keys() ^ members.keys()):
        what = f"was changed: {odd[0]} is {'missing' if odd[0] in about.files else 'not in its manifest'}"
        raise BundleRefused(what, key="changed", value=odd[0], hint=hint)
    for name, data in members.items():
        file = about.files[name]
        if (hashlib.sha256(data).hexdigest(), len(data)) != (file.sha256, file.size):
            what = f"was changed: {name} is not the member that was signed"
            raise BundleRefused(what, key="changed", value=name, bound=file.sha256, hint=hint)
    if missing := [name for name in manifest.REQUIRED_MEMBERS if name not in members]:
        what = f"is not a bundle: {', '.join(missing)} is missing"
        raise BundleRefused(what, key="not_a_bundle", value=missing[0], hint="build it again")


def _check_time(about: Manifest, now: datetime) -> None:
    if now > parse_utc(about.expires):
        what, hint = f"expired at {about.expires}", "install a newer one; if the time here is wrong, set the clock"
        raise BundleRefused(what, key="expired", value=format_utc(now), bound=about.expires, hint=hint)
    if now < parse_utc(about.made) - MAX_CLOCK_AHEAD:
        what, hint = f"was made at {about.made}, which is later than the time here", "set the clock"
        raise BundleRefused(what, key="not_yet", value=format_utc(now), bound=about.made, hint=hint)


def _check_serial(about: Manifest, sha256: str, lowest: int, accepted: Mapping[str, serials.AcceptedBundle]) -> None:
    before = accepted.get(serials.key_of(about.name))
    least = max(lowest, before.serial if before else 0)
    if about.serial < least:
        what, hint = f"has serial {about.serial}, older than {least}", f"install serial {least} or a newer one"
        raise BundleRefused(what, key="older_serial", value=about.serial, bound=least, hint=hint)
    if before and before.serial == about.serial and before.sha256 != sha256:
        what = f"has serial {about.serial}, the same as an earlier bundle with other content"
        hint = "give each build a new serial"
        raise BundleRefused(what, key="same_serial_other_bytes", value=sha256, bound=before.sha256, hint=hint)


def _check_pack_type(about: Manifest, pack_type: str) -> None:
    if pack_type and about.pack_type.casefold() != pack_type.casefold():
        what = f"is for packs of type {about.pack_type}" if about.pack_type else "names no type of pack"
        hint = f"install a bundle for type {pack_type}"
        raise BundleRefused(what, key="other_pack", value=about.pack_type, bound=pack_type, hint=hint)
