"""Each reason for which a bundle is refused, and that nothing else stops it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle import canonical_json, envelope, keys, serials
from edge_bridge.bundle.archive import pack, unpack
from edge_bridge.bundle.verify import Acceptance, verify_signed
from edge_bridge.bundle.write import make_signed_bundle
from tests.edge_bridge.bundle.conftest import signer_in
from tests.edge_bridge.bundle.small import (
    EXPIRES,
    MADE,
    NOW,
    about,
    forged,
    members,
    signed,
    small,
    with_envelope,
    with_manifest,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.bundle.conftest import Signer


def refusal(data: bytes, trust: Path, now: datetime = NOW, **accept: Any) -> str:
    with pytest.raises(BundleRefused) as caught:
        verify_signed(data, trust, now=now, accept=Acceptance(**accept))
    assert caught.value.hint
    return str(caught.value.key)


def test_a_bundle_in_order_is_believed(signer: Signer, bundle: bytes) -> None:
    found = verify_signed(bundle, signer.trust, now=NOW)
    assert found.sha256 == hashlib.sha256(bundle).hexdigest()
    assert found.signer == f"{keys.read_public(signer.public).id} (release.pem)"
    assert found.bundle.files == members()
    assert (found.bundle.manifest.name, found.bundle.manifest.serial) == ("pack", 5)


def test_the_private_key_is_not_in_it(signer: Signer, bundle: bytes) -> None:
    pem = signer.private.read_bytes()
    assert b"PRIVATE" not in bundle
    assert pem.splitlines()[1] not in bundle


def test_any_flipped_bit_is_refused(signer: Signer, bundle: bytes) -> None:
    tally: dict[str, int] = {}
    for at in range(len(bundle)):
        data = bytearray(bundle)
        data[at] ^= 1 << at % 8
        key = refusal(bytes(data), signer.trust)
        tally[key] = tally.get(key, 0) + 1
    assert sum(tally.values()) == len(bundle)
    assert tally.keys() <= {"changed", "not_a_bundle", "bad_signature", "unknown_signer", "too_large", "unsigned"}


def test_a_member_that_was_exchanged_in_an_archive_in_order_is_refused(signer: Signer, bundle: bytes) -> None:
    exchanged = unpack(bundle) | {"limits.json": b"wider"}
    assert refusal(pack(exchanged), signer.trust) == "changed"


def test_two_members_that_were_swapped_are_refused(signer: Signer, bundle: bytes) -> None:
    found = unpack(bundle)
    found["limits.json"], found["lanes.json"] = found["lanes.json"], found["limits.json"]
    assert refusal(pack(found), signer.trust) == "changed"


def test_a_member_more_or_less_is_refused(signer: Signer, bundle: bytes) -> None:
    found = unpack(bundle)
    assert refusal(pack(found | {"more.json": b"{}"}), signer.trust) == "changed"
    del found["limits.json"]
    assert refusal(pack(found), signer.trust) == "changed"


def test_a_bundle_without_an_envelope_is_unsigned(signer: Signer) -> None:
    assert refusal(pack(members()), signer.trust) == "unsigned"


def test_a_signer_who_is_not_trusted_is_refused_by_name(signer: Signer, tmp_path: Path) -> None:
    foreign = signer_in(tmp_path / "foreign", "release")  # the name of a file proves nothing
    assert refusal(small(foreign.private), signer.trust) == "unknown_signer"


def test_a_foreign_signature_under_a_trusted_key_id_is_refused(signer: Signer, bundle: bytes, tmp_path: Path) -> None:
    foreign = signer_in(tmp_path / "foreign")
    said = signed(foreign.private, envelope.decode_envelope(unpack(bundle)[envelope.ENVELOPE]).payload)
    said["signatures"][0]["keyid"] = keys.read_public(signer.public).id
    assert refusal(with_envelope(bundle, canonical_json.dump_json(said)), signer.trust) == "bad_signature"


def test_a_signature_over_another_kind_of_payload_is_refused(signer: Signer, bundle: bytes) -> None:
    payload = envelope.decode_envelope(unpack(bundle)[envelope.ENVELOPE]).payload
    said = signed(signer.private, payload, kind="text/plain") | {"payloadType": envelope.PAYLOAD_TYPE}
    assert refusal(with_envelope(bundle, canonical_json.dump_json(said)), signer.trust) == "bad_signature"


def test_time_is_judged_to_the_second(signer: Signer, bundle: bytes) -> None:
    second = timedelta(seconds=1)
    verify_signed(bundle, signer.trust, now=EXPIRES)
    assert refusal(bundle, signer.trust, now=EXPIRES + second) == "expired"
    verify_signed(bundle, signer.trust, now=MADE - timedelta(minutes=5))
    assert refusal(bundle, signer.trust, now=MADE - timedelta(minutes=5) - second) == "not_yet"


def test_an_older_serial_is_refused(signer: Signer, bundle: bytes, tmp_path: Path) -> None:
    verify_signed(bundle, signer.trust, now=NOW, accept=Acceptance(lowest_serial=5))
    assert refusal(bundle, signer.trust, lowest_serial=6) == "older_serial"
    serials.remember(tmp_path, "pack", 6, "0" * 64)
    assert refusal(bundle, signer.trust, state=tmp_path) == "older_serial"


def test_names_differ_in_more_than_their_case(signer: Signer, tmp_path: Path) -> None:
    serials.remember(tmp_path, "Pack", 6, "0" * 64)
    assert refusal(small(signer.private, name="PACK"), signer.trust, state=tmp_path) == "older_serial"


def test_a_bundle_for_another_type_of_pack_is_refused(signer: Signer, bundle: bytes) -> None:
    verify_signed(bundle, signer.trust, now=NOW, accept=Acceptance(pack_type="24S12P"))
    assert refusal(bundle, signer.trust, pack_type="16s12p") == "other_pack"
    untyped = with_manifest(bundle, signer.private, {"schema": "pulsebms.bundle/1"}, without=("pack_type",))
    verify_signed(untyped, signer.trust, now=NOW)
    assert refusal(untyped, signer.trust, pack_type="24s12p") == "other_pack"


def test_the_serial_of_another_name_means_nothing(signer: Signer, bundle: bytes, tmp_path: Path) -> None:
    serials.remember(tmp_path, "other", 6, "0" * 64)
    verify_signed(bundle, signer.trust, now=NOW, accept=Acceptance(state=tmp_path))


def test_the_same_serial_with_other_content_is_refused(signer: Signer, bundle: bytes, tmp_path: Path) -> None:
    found = verify_signed(bundle, signer.trust, now=NOW, accept=Acceptance(state=tmp_path))
    serials.remember(tmp_path, "pack", 5, found.sha256)
    verify_signed(bundle, signer.trust, now=NOW, accept=Acceptance(state=tmp_path))
    other = make_signed_bundle(about(), members() | {"limits.json": b"wider"}, signer.private)[0]
    assert refusal(other, signer.trust, state=tmp_path) == "same_serial_other_bytes"


def test_a_later_serial_takes_over(signer: Signer, bundle: bytes, tmp_path: Path) -> None:
    serials.remember(tmp_path, "pack", 5, hashlib.sha256(bundle).hexdigest())
    verify_signed(small(signer.private, serial=6), signer.trust, now=NOW, accept=Acceptance(state=tmp_path))


def test_simulation_alone_is_refused_where_it_is_not_allowed(signer: Signer) -> None:
    simulated = small(signer.private, evidence="SIM")
    verify_signed(simulated, signer.trust, now=NOW)
    assert refusal(simulated, signer.trust, allow_sim=False) == "simulated"
    verify_signed(small(signer.private, evidence="HIL"), signer.trust, now=NOW, accept=Acceptance(allow_sim=False))


def test_a_trust_folder_without_a_key_refuses_everything(bundle: bytes, tmp_path: Path) -> None:
    assert refusal(bundle, tmp_path / "none") == "untrusted_folder"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "[]",
        '{"pack": 5}',
        '{"pack": {"serial": "5", "sha256": ""}}',
        '{"pack": {"serial": true, "sha256": ""}}',
    ],
)
def test_serials_that_cannot_be_read_refuse_everything(
    signer: Signer, bundle: bytes, tmp_path: Path, text: str
) -> None:
    (tmp_path / serials.SERIALS).write_text(text)
    assert refusal(bundle, signer.trust, state=tmp_path) == "damaged_state"


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "pulsebms.bundle/3"},
        {"schema": None},
        {"serial": "5"},
        {"serial": True},
        {"serial": -1},
        {"serial": 2**70},
        {"serial": 5.0},
        {"name": ""},
        {"name": "../pack"},
        {"name": 7},
        {"evidence": "REAL"},
        {"evidence": ["PACK"]},
        {"expires": "tomorrow"},
        {"expires": "2020-01-01T00:00:00Z"},
        {"made": "2026-03-01T12:00:00+00:00"},
        {"made": None},
        {"lanes": []},
        {"lanes": {"twin": 1}},
        {"versions": {"numpy": None}},
        {"run": 1},
        {"files": []},
        {"files": {"bench.toml": "x"}},
        {"files": {"bench.toml": {"sha256": "x", "size": 1}}},
        {"files": {"bench.toml": {"sha256": "0" * 64, "size": -1}}},
        {"files": {"bench.toml": {"sha256": "0" * 64, "size": True}}},
        {"files": {"../x": {"sha256": "0" * 64, "size": 1}}},
        {"more": 1},
    ],
)
def test_a_signed_manifest_of_another_form_is_refused(signer: Signer, bundle: bytes, changes: dict[str, Any]) -> None:
    assert refusal(with_manifest(bundle, signer.private, changes), signer.trust) == "not_a_bundle"


@pytest.mark.parametrize("payload", [b"", b"{}", b"[" * 5_000, b'{"a":' * 5_000, b"null", b'{"schema":1e999}'])
def test_a_signed_payload_that_is_no_manifest_is_refused(signer: Signer, bundle: bytes, payload: bytes) -> None:
    data = with_envelope(bundle, canonical_json.dump_json(signed(signer.private, payload)))
    assert refusal(data, signer.trust) == "not_a_bundle"


def test_a_manifest_that_is_not_spelled_canonically_is_refused(signer: Signer, bundle: bytes) -> None:
    payload = envelope.decode_envelope(unpack(bundle)[envelope.ENVELOPE]).payload
    spaced = json.dumps(json.loads(payload), indent=1).encode()
    data = with_envelope(bundle, canonical_json.dump_json(signed(signer.private, spaced)))
    assert refusal(data, signer.trust) == "not_a_bundle"


def test_a_signed_bundle_that_lacks_a_part_is_refused(signer: Signer) -> None:
    less = members()
    del less["golden.json"]
    assert refusal(make_signed_bundle(about(), less, signer.private)[0], signer.trust) == "not_a_bundle"


def test_what_nobody_would_accept_is_not_signed(signer: Signer) -> None:
    with pytest.raises(ValueError, match="serial"):
        make_signed_bundle(about(serial=-1), members(), signer.private)


def test_the_forger_of_these_tests_writes_what_the_product_writes(bundle: bytes) -> None:
    assert forged(sorted(unpack(bundle).items())) == bundle
