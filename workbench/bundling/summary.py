"""What a bundle says of itself, read without trust: form and hashes are checked, the signature is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import BundleRefused
from edge_bridge.bundle import envelope, manifest
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.manifest import GOLDEN, Bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

HASH_SHOWN: Final = 16  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement of a bundle: `head` groups facts, `name` is empty where the head says it all.

    All three are printable ASCII: nothing that a terminal would obey.
    """

    head: str
    name: str
    text: str


def read_untrusted(data: bytes) -> tuple[Bundle, str]:
    """What `data` claims, and the id of the key that it claims to be signed with; raises `BundleRefused`."""
    members = unpack(data)
    octets = members.pop(envelope.ENVELOPE, None)
    if octets is None:
        raise BundleRefused("is not signed: it has no envelope", key="unsigned", hint="build it with a key")
    signed = envelope.decode_envelope(octets)
    try:
        return Bundle(manifest.decode_manifest(signed.payload), members), signed.keyid
    except ValueError as error:
        hint = "open it with the version that built it"
        raise BundleRefused(f"is no bundle: manifest: {error}", key="not_a_bundle", hint=hint) from error


def plain(value: Any) -> str:
    """Text without anything that a terminal would obey."""
    return ascii(str(value))[1:-1]


def summarize(bundle: Bundle, keyid: str) -> tuple[Fact, ...]:
    """All facts in the order in which people read them; a part that cannot be read is one fact that says so."""
    return (*_manifest(bundle, keyid), *_members(bundle))


def _manifest(bundle: Bundle, keyid: str) -> Iterator[Fact]:
    about = bundle.manifest
    yield Fact("bundle", "", f"{plain(about.name)} serial {about.serial}, class {about.evidence}")
    yield Fact("time", "", f"made {about.made}, expires {about.expires}")
    yield Fact("key id", "", keyid)
    yield Fact("run", "", plain(about.run))
    yield from (Fact("lane", plain(role), plain(name)) for role, name in sorted(about.lanes.items()))
    yield from (Fact("version", plain(name), plain(text)) for name, text in sorted(about.versions.items()))


def _members(bundle: Bundle) -> Iterator[Fact]:
    for part in (_evidence, _golden, _limits):
        try:
            yield from [*part(bundle)]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield Fact(part.__name__.strip("_"), "", f"cannot be read: {type(error).__name__}: {plain(error)}")
    for name, file in sorted(bundle.manifest.files.items()):
        yield Fact("member", name, f"{file.size} octets  {file.sha256[:HASH_SHOWN]}")


def _evidence(bundle: Bundle) -> Iterator[Fact]:
    said = bundle.evidence
    yield from (Fact("link", "", f"{plain(link['class'])} {plain(link['link'])}") for link in said["links"])
    yield from (Fact("note", "", plain(note)) for note in said["run"]["notes"])
    if (proof := said["certificate"]) is not None:
        left_open = f", {plain(proof['not_judged'])} checks not judged" if proof.get("not_judged") else ""
        about = f"{plain(proof['suite'])} of {plain(proof['made'])}, {_counted(proof['counts'])}"
        yield Fact("cert", "", f"{about}{left_open}")


def _counted(counts: Any) -> str:
    """Verdicts that there are, as people count them."""
    return ", ".join(f"{plain(count)} {plain(word)}" for word, count in counts.items() if count)


def _golden(bundle: Bundle) -> Iterator[Fact]:
    said = bundle.json(GOLDEN)
    first, last = said["ticks"]
    lane = plain(said["estimator"]["lane"])
    commands, beside = len(said["gate"]), len(said["pack_gate"])
    yield Fact("golden", "", f"ticks {plain(first)} to {plain(last)} of the run, estimator {lane}")
    yield Fact("golden", "", f"{commands} commands for the bench's gate, {beside} for the edge's")


def _limits(bundle: Bundle) -> Iterator[Fact]:
    """One fact for channels in a row that have the same limits."""
    before: Any = None
    for row in bundle.limits["channels"]:
        name, unit = str(row["channel"][0]), str(row["channel"][1])
        sides = {side: row[side] for side in ("bench", "device") if side in row}
        if sides and sides != before:
            said = ", ".join(f"{side} {one['low']:g} to {one['high']:g} {plain(unit)}" for side, one in sides.items())
            yield Fact("limit", "", f"from {plain(name)}: {said}")
        before = sides
