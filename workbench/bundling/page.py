"""A bundle as a page for people, read without trust: form and hashes are checked, the signature is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drivers.errors import BundleRefused
from edge_bridge.bundle import envelope, manifest
from edge_bridge.bundle.archive import unpacked
from edge_bridge.bundle.manifest import GOLDEN, Bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

HASH_SHOWN: Final = 16  # hexadecimal digits


def read_untrusted(data: bytes) -> tuple[Bundle, str]:
    """What `data` claims, and the id of the key that it claims to be signed with; raises `BundleRefused`."""
    members = unpacked(data)
    octets = members.pop(envelope.ENVELOPE, None)
    if octets is None:
        raise BundleRefused("is not signed: it has no envelope", key="unsigned", hint="build it with a key")
    signed = envelope.decoded(octets)
    try:
        return Bundle(manifest.decoded(signed.payload), members), signed.keyid
    except ValueError as error:
        hint = "open it with the version that built it"
        raise BundleRefused(f"is no bundle: manifest: {error}", key="not_a_bundle", hint=hint) from error


def plain(value: Any) -> str:
    """Text without anything that a terminal would obey."""
    return ascii(str(value))[1:-1]


def page(bundle: Bundle, keyid: str) -> Iterator[str]:
    """The lines; what a member says in a way that cannot be read is left out, in words."""
    told = bundle.manifest
    yield "NOT VERIFIED: this is what the file says of itself; bundle verify judges it by keys that you trust."
    yield f"bundle   {plain(told.name)} serial {told.serial}, class {told.evidence}"
    yield f"time     made {told.made}, expires {told.expires}"
    yield f"key id   {keyid}"
    yield f"run      {plain(told.run)}"
    yield from (f"lane     {plain(role):<11}{plain(name)}" for role, name in sorted(told.lanes.items()))
    yield from (f"version  {plain(name):<11}{plain(said)}" for name, said in sorted(told.versions.items()))
    for part in (_evidence, _golden, _limits):
        try:
            yield from [*part(bundle)]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield f"{part.__name__.strip('_'):<9}cannot be read: {type(error).__name__}: {plain(error)}"
    for name, file in sorted(told.files.items()):
        yield f"member   {name:<24}{file.size:>8} octets  {file.sha256[:HASH_SHOWN]}"


def _evidence(bundle: Bundle) -> Iterator[str]:
    said = bundle.evidence
    yield from (f"link     {plain(link['class'])} {plain(link['link'])}" for link in said["links"])
    yield from (f"note     {plain(note)}" for note in said["run"]["notes"])
    if (proof := said["certificate"]) is not None:
        left_open = f", {plain(proof['not_judged'])} checks not judged" if proof.get("not_judged") else ""
        yield f"cert     {plain(proof['suite'])} of {plain(proof['made'])}, {_counted(proof['counts'])}{left_open}"


def _counted(counts: Any) -> str:
    """Verdicts that there are, as people count them."""
    return ", ".join(f"{plain(count)} {plain(word)}" for word, count in counts.items() if count)


def _golden(bundle: Bundle) -> Iterator[str]:
    said = bundle.json(GOLDEN)
    first, last = said["ticks"]
    yield f"golden   ticks {plain(first)} to {plain(last)} of the run, estimator {plain(said['estimator']['lane'])}"
    yield f"golden   {len(said['gate'])} commands for the bench's gate, {len(said['pack_gate'])} for the edge's"


def _limits(bundle: Bundle) -> Iterator[str]:
    """One line for channels in a row that have the same limits."""
    before: Any = None
    for row in bundle.limits["channels"]:
        name, unit = str(row["channel"][0]), str(row["channel"][1])
        sides = {side: row[side] for side in ("bench", "device") if side in row}
        if sides and sides != before:
            said = ", ".join(f"{side} {one['low']:g} to {one['high']:g} {plain(unit)}" for side, one in sides.items())
            yield f"limit    from {plain(name)}: {said}"
        before = sides
