"""The file form: one spelling, no surprises."""

from __future__ import annotations

import io
import zipfile

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle.archive import MAX_BYTES, MAX_MEMBERS, pack, unpack
from tests.edge_bridge.bundle.small import forged

TWO = {"b/two.json": b"{}", "a.toml": b"x = 1\n"}


def key_of(data: bytes) -> str:
    with pytest.raises(BundleRefused) as caught:
        unpack(data)
    assert caught.value.hint
    return str(caught.value.key)


def test_what_is_packed_comes_back() -> None:
    assert unpack(pack(TWO)) == TWO


def test_order_of_the_members_makes_no_difference() -> None:
    assert pack(TWO) == pack(dict(reversed(TWO.items())))


def test_another_writer_of_the_same_form_writes_the_same_octets() -> None:
    assert pack(TWO) == forged(sorted(TWO.items()))


def test_any_zip_reader_finds_the_members() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(TWO))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == TWO


def test_every_truncation_is_refused() -> None:
    data = pack(TWO)
    assert {key_of(data[:length]) for length in range(len(data))} == {"not_a_bundle", "changed"}


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "not_a_bundle"),
        (b"hello", "not_a_bundle"),
        (forged([]), "not_a_bundle"),
        (pack(TWO) + b"\0", "changed"),
        (forged(sorted(TWO.items()), comment=b"x"), "changed"),
        (forged(sorted(TWO.items()), extra=b"\x01\x02\x00\x00"), "changed"),
        (forged(sorted(TWO.items()), method=8), "changed"),
        (forged(sorted(TWO.items(), reverse=True)), "changed"),
        (forged([("a", b"1"), ("a", b"2")]), "changed"),
        (forged([("a", b"1")], size=0xFFFFFFFF), "changed"),
        (forged([("a", b"1")], size=0), "changed"),
        (b"PK\x03\x04" + bytes(MAX_BYTES), "too_large"),
        (forged([(f"m{n:03d}", b"") for n in range(MAX_MEMBERS + 1)]), "too_large"),
    ],
)
def test_what_no_bundle_is_like_is_refused(data: bytes, key: str) -> None:
    assert key_of(data) == key


@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "a/../b",
        "/etc/passwd",
        "a//b",
        "a\\b",
        ".hidden",
        "a/",
        "",
        "C:a",
        "é",
        "a\nb",
        "a" * 90,
        "a/b/c/d/e",
    ],
)
def test_a_name_that_could_leave_a_folder_is_refused(name: str) -> None:
    assert key_of(forged([(name, b"x")])) == "not_a_bundle"
    with pytest.raises(BundleRefused):
        pack({name: b"x"})


@pytest.mark.parametrize("pair", [("a", "A"), ("a", "a/b"), ("A/c", "a")])
def test_names_that_would_be_one_file_are_refused(pair: tuple[str, str]) -> None:
    assert key_of(forged(sorted((name, b"") for name in pair))) == "not_a_bundle"


def test_more_than_fits_is_not_packed() -> None:
    with pytest.raises(BundleRefused) as caught:
        pack({"a": bytes(MAX_BYTES)})
    assert caught.value.key == "too_large"
