"""The content of a bundle, read without trust: form and hashes are checked, the signature is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import BundleRefused, describe_error
from edge_bridge.bundle import envelope, manifest
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.consistency import list_accepted
from edge_bridge.bundle.dfn_difference import NOT_RECORDED, read_dfn_differences
from edge_bridge.bundle.manifest import GOLDEN, Bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

HASH_SHOWN: Final = 16  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class BundleFact:
    """One statement of a bundle: `head` groups facts, `name` is empty where the head is enough.

    All three are printable ASCII, without control sequences for a terminal.
    """

    head: str
    name: str
    text: str


def read_untrusted(bundle_file: bytes) -> tuple[Bundle, str]:
    """Return the bundle in `data`, and the id of the key that it claims as signer; raise `BundleRefused`."""
    members = unpack(bundle_file)
    data = members.pop(envelope.ENVELOPE, None)
    if data is None:
        raise BundleRefused("is not signed: it has no envelope", key="unsigned", hint="build it with a key")
    signed = envelope.decode_envelope(data)
    try:
        return Bundle(manifest.decode_manifest(signed.payload), members), signed.keyid
    except ValueError as error:
        hint = "open it with the version that built it"
        raise BundleRefused(f"is not a bundle: manifest: {error}", key="not_a_bundle", hint=hint) from error


def strip_control_characters(value: Any) -> str:
    """Return the value as text without control characters for a terminal."""
    return ascii(str(value))[1:-1]


def summarize(bundle: Bundle, keyid: str) -> tuple[BundleFact, ...]:
    """Return all facts in reading order; a part that cannot be read gives one fact that says so."""
    return (*_summarize_manifest(bundle, keyid), *_summarize_members(bundle))


def _summarize_manifest(bundle: Bundle, keyid: str) -> Iterator[BundleFact]:
    about = bundle.manifest
    yield BundleFact(
        "bundle", "", f"{strip_control_characters(about.name)} serial {about.serial}, class {about.evidence}"
    )
    if about.pack_type:
        yield BundleFact("pack", "", strip_control_characters(about.pack_type))
    yield BundleFact("time", "", f"made {about.made}, expires {about.expires}")
    yield BundleFact("key id", "", keyid)
    yield BundleFact("run", "", strip_control_characters(about.run))
    yield from (
        BundleFact("lane", strip_control_characters(role), strip_control_characters(name))
        for role, name in sorted(about.lanes.items())
    )
    yield from (
        BundleFact("version", strip_control_characters(name), strip_control_characters(text))
        for name, text in sorted(about.versions.items())
    )


def _summarize_members(bundle: Bundle) -> Iterator[BundleFact]:
    for part in (_summarize_evidence, _summarize_golden, _summarize_limits):
        try:
            yield from [*part(bundle)]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield BundleFact(
                part.__name__.strip("_"),
                "",
                f"cannot be read: {strip_control_characters(describe_error(error))}",
            )
    for name, file in sorted(bundle.manifest.files.items()):
        yield BundleFact("member", name, f"{file.size} bytes  {file.sha256[:HASH_SHOWN]}")


def _summarize_evidence(bundle: Bundle) -> Iterator[BundleFact]:
    evidence = bundle.evidence
    yield from (
        BundleFact("link", "", f"{strip_control_characters(link['class'])} {strip_control_characters(link['link'])}")
        for link in evidence["links"]
    )
    yield from (BundleFact("note", "", strip_control_characters(note)) for note in evidence["run"]["notes"])
    for row in list_accepted(bundle):
        text = f"{strip_control_characters(row['what'])}: {strip_control_characters(row['reason'])}"
        yield BundleFact("accepted", "", text)
    rows = read_dfn_differences(bundle)
    sentences = [NOT_RECORDED] if rows is None else [row.sentence for row in rows]
    yield from (BundleFact("dfn", "", strip_control_characters(sentence)) for sentence in sentences)
    if (proof := evidence["certificate"]) is not None:
        left_open = (
            f", {strip_control_characters(proof['not_judged'])} checks not judged" if proof.get("not_judged") else ""
        )
        suite, made = strip_control_characters(proof["suite"]), strip_control_characters(proof["made"])
        about = f"{suite} of {made}, {_format_counts(proof['counts'])}"
        yield BundleFact("cert", "", f"{about}{left_open}")


def _format_counts(counts: Any) -> str:
    """Return the verdicts with a non-zero count as text."""
    return ", ".join(
        f"{strip_control_characters(count)} {strip_control_characters(word)}" for word, count in counts.items() if count
    )


def _summarize_golden(bundle: Bundle) -> Iterator[BundleFact]:
    golden = bundle.json(GOLDEN)
    first, last = golden["ticks"]
    lane = strip_control_characters(golden["estimator"]["lane"])
    commands, beside = len(golden["gate"]), len(golden["pack_gate"])
    yield BundleFact(
        "golden",
        "",
        f"ticks {strip_control_characters(first)} to {strip_control_characters(last)} of the run, estimator {lane}",
    )
    yield BundleFact("golden", "", f"{commands} commands for the bench's gate, {beside} for the edge's")


def _summarize_limits(bundle: Bundle) -> Iterator[BundleFact]:
    """Yield one fact for consecutive channels that have the same limits."""
    before: Any = None
    for row in bundle.limits["channels"]:
        name, unit = str(row["channel"][0]), str(row["channel"][1])
        sides = {side: row[side] for side in ("bench", "device") if side in row}
        if sides and sides != before:
            text = ", ".join(
                f"{side} {one['low']:g} to {one['high']:g} {strip_control_characters(unit)}"
                for side, one in sides.items()
            )
            yield BundleFact("limit", "", f"from {strip_control_characters(name)}: {text}")
        before = sides
