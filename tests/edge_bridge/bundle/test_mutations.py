"""Two hundred bad bundles: none is believed, none ends in anything but a refusal that is named and counted."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle import canonical_json, envelope
from edge_bridge.bundle.archive import unpack
from edge_bridge.bundle.verify import verify_signed
from tests.edge_bridge.bundle.conftest import signer_in
from tests.edge_bridge.bundle.small import NOW, forged, signed, small, with_envelope, with_manifest
from workbench.bundling.summary import read_untrusted, summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.edge_bridge.bundle.conftest import Signer

COUNT = 200
ODD: tuple[Any, ...] = (None, True, -1, 2**64, 1.5, "", "x" * 10_000, [], [[]], {}, {"a": {}}, "\ud800")
FIELDS = ("name", "serial", "made", "expires", "evidence", "run", "lanes", "versions", "files", "schema")


class Mutations:
    """Bad bundles from one good one, each kind a method."""

    def __init__(self, data: bytes, signer: Signer, foreign: Signer) -> None:
        self.good, self.signer, self.foreign = data, signer, foreign
        self.draw = random.Random(20260301)
        self.entries = sorted(unpack(data).items())
        self.payload = envelope.decode_envelope(dict(self.entries)[envelope.ENVELOPE]).payload

    def kinds(self) -> list[Callable[[], bytes]]:
        return [
            self.flipped,
            self.flipped_in_envelope,
            self.cut,
            self.doubled,
            self.swapped,
            self.huge,
            self.wrong_type,
            self.deep,
            self.foreign_key,
            self.other_payload_type,
            self.signed_twice,
            self.unsigned,
            self.grown,
            self.noise,
            self.climbing,
            self.fat,
        ]

    def flipped(self) -> bytes:
        data = bytearray(self.good)
        for _ in range(self.draw.randint(1, 4)):
            data[self.draw.randrange(len(data))] ^= self.draw.randint(1, 255)
        return bytes(data)

    def flipped_in_envelope(self) -> bytes:
        octets = bytearray(dict(self.entries)[envelope.ENVELOPE])
        octets[self.draw.randrange(len(octets))] ^= self.draw.choice((1, 2, 4))
        return with_envelope(self.good, bytes(octets))

    def cut(self) -> bytes:
        return self.good[: self.draw.randrange(len(self.good))]

    def doubled(self) -> bytes:
        entries = [*self.entries, self.draw.choice(self.entries)]
        self.draw.shuffle(entries)
        return forged(entries)

    def swapped(self) -> bytes:
        (a, x), (b, y) = self.draw.sample(self.entries, 2)
        return forged(sorted((dict(self.entries) | {a: y, b: x}).items()))

    def huge(self) -> bytes:
        return forged(self.entries, size=self.draw.choice((2**31, 2**32 - 1, 10**9, 2**24)))

    def wrong_type(self) -> bytes:
        field, odd = self.draw.choice(FIELDS), self.draw.choice(ODD)
        if isinstance(odd, str if field == "run" else dict) and field in {"run", "lanes", "versions"}:
            odd = 7  # what it had been is allowed there
        return with_manifest(self.good, self.signer.private, {field: odd})

    def deep(self) -> bytes:
        depth = self.draw.randint(2_000, 50_000)
        nested = self.draw.choice((b"[", b'{"a":', b"[[{")) * depth
        if self.draw.random() < 0.5:
            return with_envelope(self.good, nested)
        return with_envelope(self.good, canonical_json.dump_json(signed(self.signer.private, nested)))

    def foreign_key(self) -> bytes:
        return with_envelope(self.good, canonical_json.dump_json(signed(self.foreign.private, self.payload)))

    def other_payload_type(self) -> bytes:
        kind = self.draw.choice(("text/plain", "application/vnd.in-toto+json", "", "\N{SNOWMAN}"))
        return with_envelope(self.good, canonical_json.dump_json(signed(self.signer.private, self.payload, kind)))

    def signed_twice(self) -> bytes:
        said = signed(self.signer.private, self.payload)
        said["signatures"] += signed(self.foreign.private, self.payload)["signatures"]
        self.draw.shuffle(said["signatures"])
        return with_envelope(self.good, canonical_json.dump_json(said))

    def unsigned(self) -> bytes:
        if self.draw.random() < 0.5:
            return forged([entry for entry in self.entries if entry[0] != envelope.ENVELOPE])
        return with_envelope(
            self.good, canonical_json.dump_json(signed(self.signer.private, self.payload) | {"signatures": []})
        )

    def grown(self) -> bytes:
        at = self.draw.choice((0, len(self.good), self.draw.randrange(len(self.good))))
        return self.good[:at] + self.draw.randbytes(self.draw.randint(1, 64)) + self.good[at:]

    def noise(self) -> bytes:
        return self.draw.choice((b"", b"PK\x03\x04")) + self.draw.randbytes(self.draw.randint(0, 4096))

    def climbing(self) -> bytes:
        name = self.draw.choice(("../x", "/x", "a/../../x", "a\\x", "nul\0", "x" * 300))
        return forged(sorted([*self.entries, (name, b"x")]))

    def fat(self) -> bytes:
        if self.draw.random() < 0.5:
            return self.good + bytes(9 * 2**20)
        return forged([(f"m{n}", b"") for n in range(self.draw.randint(65, 300))])


@pytest.fixture
def mutated(signer: Signer, bundle: bytes, tmp_path: Path) -> Iterator[tuple[str, bytes]]:
    """Bad bundles with the name of their kind, kind after kind."""
    made = Mutations(bundle, signer, signer_in(tmp_path / "foreign"))
    kinds = made.kinds()
    return ((kinds[n % len(kinds)].__name__, kinds[n % len(kinds)]()) for n in range(COUNT))


def test_two_hundred_bad_bundles_are_refused_each_with_its_key(
    signer: Signer, mutated: Iterator[tuple[str, bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    tally: Counter[str] = Counter()
    for kind, data in mutated:
        with pytest.raises(BundleRefused) as caught:
            verify_signed(data, signer.trust, now=NOW)
        str(caught.value).encode()
        assert caught.value.hint, kind
        tally[f"{caught.value.key}"] += 1
    with capsys.disabled():
        print(f"\n{COUNT} bad bundles: {', '.join(f'{key} {count}' for key, count in tally.most_common())}")  # noqa: T201  # the tally is for who runs it
    assert tally.total() == COUNT
    named = {"changed", "not_a_bundle", "bad_signature", "unknown_signer", "unsigned", "too_large"}
    assert tally.keys() == named


def test_showing_two_hundred_bad_bundles_shows_a_page_or_a_refusal(mutated: Iterator[tuple[str, bytes]]) -> None:
    shown: Counter[str] = Counter()
    for _, data in mutated:
        try:
            facts = summarize(*read_untrusted(data))
        except BundleRefused as error:
            shown[str(error.key)] += 1
        else:
            words = [word for fact in facts for word in (fact.head, fact.name, fact.text)]
            assert all(word.isascii() and word.isprintable() for word in words)
            shown["page"] += 1
    assert shown.total() == COUNT
    assert shown["page"]  # a foreign signature is shown, and not believed


def test_the_good_one_is_believed(signer: Signer) -> None:
    verify_signed(small(signer.private), signer.trust, now=NOW)
