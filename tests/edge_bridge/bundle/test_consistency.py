"""A signed bundle whose members do not agree with each other is refused: each by the member that is wrong."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import BundleRefused
from edge_bridge.bundle import canonical_json, golden_estimator, keys, manifest, vectors
from edge_bridge.bundle.consistency import check_consistency
from edge_bridge.bundle.manifest import (
    BENCH,
    CERTIFICATE,
    EVIDENCE,
    GOLDEN,
    GOLDEN_ESTIMATOR,
    LANES,
    LIMITS,
    Bundle,
    FileHash,
)
from edge_bridge.bundle.verify import verify
from edge_bridge.bundle.write import make_signed_bundle
from tests.edge_bridge.bundle.proof import certificate
from tests.edge_bridge.bundle.small import NOW
from workbench.bundling.build import BundleOrder, build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drivers.benchfile import Bench

Json = dict[str, Any]


@pytest.fixture(scope="session")
def whole(order: BundleOrder, bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with a certificate, in order."""
    folder = certificate(tmp_path_factory.mktemp("proof") / "bms", bench)
    return build(replace(order, certificate=folder)).verified.bundle


def refusal(bundle: Bundle) -> str:
    """The member that is refused."""
    with pytest.raises(BundleRefused) as caught:
        check_consistency(bundle)
    assert caught.value.key == "inconsistent"
    return str(caught.value.value)


def changed(bundle: Bundle, member: str, change: Callable[[Json], None]) -> Bundle:
    """The bundle with another JSON member, and the hash of that in its manifest, as a forger would sign it."""
    said = bundle.json(member)
    change(said)
    return with_member(bundle, member, canonical_json.dump_json(said))


def with_member(bundle: Bundle, member: str, data: bytes) -> Bundle:
    hashes = bundle.manifest.files | {member: FileHash(hashlib.sha256(data).hexdigest(), len(data))}
    return Bundle(replace(bundle.manifest, files=hashes), bundle.files | {member: data})


def with_manifest(bundle: Bundle, **changes: Any) -> Bundle:
    return replace(bundle, manifest=replace(bundle.manifest, **changes))


def set_key(*path: str | int, to: Any) -> Callable[[Json], None]:
    """What sets one value in a JSON object."""

    def change(said: Any) -> None:
        *parents, key = path
        for name in parents:
            said = said[name]
        said[key] = to

    return change


def test_a_built_bundle_agrees_with_itself(whole: Bundle) -> None:
    check_consistency(whole)


@pytest.mark.parametrize(
    "changes",
    [{"evidence": "HIL"}, {"evidence": "PACK"}, {"run": "another"}],
)
def test_the_manifest_claims_what_the_evidence_does_not(whole: Bundle, changes: Json) -> None:
    assert refusal(with_manifest(whole, **changes)) == EVIDENCE


def test_the_manifest_names_other_lanes(whole: Bundle) -> None:
    assert refusal(with_manifest(whole, lanes=whole.manifest.lanes | {"estimator": "Other"})) == LANES


@pytest.mark.parametrize(
    ("member", "change"),
    [
        (EVIDENCE, set_key("class", to="HIL")),
        (EVIDENCE, set_key("links", to=[])),
        (EVIDENCE, set_key("links", 0, "class", to="REAL")),
        (EVIDENCE, set_key("files", "duty.csv", to="0" * 64)),
        (EVIDENCE, set_key("accepted", to=[{"kind": "only"}])),
        (LANES, set_key("parameters", to="../ekf.toml")),
        (LANES, set_key("lanes", 0, "module", to="twin.other")),
        (LIMITS, set_key("channels", 0, "bench", "high", to=9.0)),
        (CERTIFICATE, set_key("suite", to="other")),
        (CERTIFICATE, set_key("class", to="PACK")),
        (CERTIFICATE, set_key("passed", to=False)),
        (CERTIFICATE, set_key("cases", 0, "verdict", to="FAIL")),
        (CERTIFICATE, set_key("bench", "sha256", to="0" * 64)),
        (CERTIFICATE, set_key("bench", "files", to={})),
        (CERTIFICATE, set_key("only", to=["OV-01/3"])),
        (CERTIFICATE, set_key("cases", to=7)),
        (GOLDEN, set_key("ticks", to=[0, 1])),
        (GOLDEN, set_key("gate", to=[])),
        (GOLDEN, set_key("pack_gate", to=[])),
    ],
)
def test_a_member_that_contradicts_the_others_is_named(
    whole: Bundle, member: str, change: Callable[[Json], None]
) -> None:
    assert refusal(changed(whole, member, change)) == member


def test_a_certificate_that_passed_nothing_is_refused(whole: Bundle) -> None:
    def judge_nothing(said: Json) -> None:
        for row in (*said["cases"], *said["runs"]):
            row["verdict"] = "N/A"

    assert refusal(changed(whole, CERTIFICATE, judge_nothing)) == CERTIFICATE


def test_a_certificate_that_went_missing_is_refused(whole: Bundle) -> None:
    files = {name: data for name, data in whole.files.items() if name != CERTIFICATE}
    assert refusal(replace(whole, files=files)) == CERTIFICATE


def test_emulated_parts_give_no_evidence_of_a_bench(whole: Bundle) -> None:
    def claim(said: Json) -> None:
        said["class"] = "HIL"
        said["links"] = [link | {"class": "HIL"} for link in said["links"]]

    assert refusal(with_manifest(changed(whole, EVIDENCE, claim), evidence="HIL")) == EVIDENCE


@pytest.mark.parametrize("ticks", [1, 99])
def test_golden_vectors_of_a_few_ticks_prove_nothing(whole: Bundle, ticks: int) -> None:
    columns = golden_estimator.inputs_width(24) + whole.json(GOLDEN)["estimator"]["answers"]
    table = vectors.decode_table(whole.files[GOLDEN_ESTIMATOR], columns)[:ticks]
    short = with_member(whole, GOLDEN_ESTIMATOR, vectors.encode_table(table))
    assert refusal(changed(short, GOLDEN, set_key("ticks", to=[0, ticks]))) == GOLDEN


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"duty.csv"', '"../duty.csv"'),
        ('"duty.csv"', '"/etc/hostname"'),
        ('"duty.csv"', '"elsewhere/duty.csv"'),
        ('"pulse24.dut.toml"', '"../pulse24.dut.toml"'),
        ("device = [-1.0, 1.0]", "device = [-1.0, 1.5]"),
    ],
)
def test_a_bench_file_that_names_a_path_outside_or_wider_limits_is_refused(whole: Bundle, old: str, new: str) -> None:
    assert old in whole.bench_text
    text = whole.bench_text.replace(old, new)
    assert refusal(with_member(whole, BENCH, text.encode())) in {BENCH, LIMITS}


def test_a_device_map_that_names_a_path_outside_is_refused(whole: Bundle) -> None:
    text = whole.files["pulse24.dut.toml"].decode().replace('"pulse24.dbc"', '"../pulse24.dbc"')
    assert refusal(with_member(whole, "pulse24.dut.toml", text.encode())) == BENCH


def test_wider_limits_in_bench_file_and_sheet_are_not_the_certified_ones(whole: Bundle) -> None:
    """Whoever widens both still has the certificate of the narrow ones."""

    def widen(said: Json) -> None:
        for row in said["channels"]:
            if row.get("device", {}).get("high") == 1.0:
                row["device"]["high"] = 1.5

    wider = with_member(whole, BENCH, whole.bench_text.replace("device = [-1.0, 1.0]", "device = [-1.0, 1.5]").encode())
    assert refusal(changed(wider, LIMITS, widen)) == CERTIFICATE


def test_verify_refuses_it_although_the_signature_holds(whole: Bundle, order: BundleOrder, tmp_path: Path) -> None:
    forged = with_manifest(whole, run="another")
    data, signer = make_signed_bundle(forged.manifest, forged.files, order.private)
    (tmp_path / "signer.pem").write_bytes(keys.public_pem(signer))
    with pytest.raises(BundleRefused) as caught:
        verify(data, tmp_path, now=NOW)
    assert caught.value.key == "inconsistent"


def test_a_manifest_of_the_version_before_is_read(whole: Bundle) -> None:
    said = json.loads(manifest.encode_manifest(whole.manifest))
    del said["pack_type"]
    old = manifest.decode_manifest(canonical_json.dump_json(said | {"schema": "pulsebms.bundle/1"}))
    assert old == replace(whole.manifest, pack_type="")
    check_consistency(replace(whole, manifest=old))


@pytest.mark.parametrize("pack_type", ["", "../x", 7, None])
def test_a_manifest_names_a_pack_type(whole: Bundle, pack_type: Any) -> None:
    said = json.loads(manifest.encode_manifest(whole.manifest)) | {"pack_type": pack_type}
    with pytest.raises(ValueError, match="pack_type"):
        manifest.decode_manifest(canonical_json.dump_json(said))
