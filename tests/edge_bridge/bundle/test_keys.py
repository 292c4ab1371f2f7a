"""Keys: made once, kept to their owner, trusted by their file."""

from __future__ import annotations

import hashlib
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BundleRefused, Refused, Usage
from edge_bridge.bundle import keys
from edge_bridge.bundle.keys import PublicKey

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.bundle.conftest import Signer

OPENSSL = shutil.which("openssl")
RSA = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
"""


def test_signatures_are_those_of_rfc_8032() -> None:
    # RFC 8032, 7.1, test 2
    raw = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    key = PublicKey("rfc", b"", raw)
    assert keys.verify_signature(key, b"\x72", signature)
    assert not keys.verify_signature(key, b"\x73", signature)


def test_a_private_key_is_its_owners_alone(signer: Signer) -> None:
    assert stat.S_IMODE(signer.private.stat().st_mode) == 0o600
    assert b"PRIVATE" not in signer.public.read_bytes()


def test_a_private_key_that_others_may_read_does_not_sign(signer: Signer) -> None:
    signer.private.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        keys.sign(signer.private, b"x")


def test_a_key_is_never_replaced(signer: Signer) -> None:
    before = signer.private.read_bytes()
    with pytest.raises(Refused):
        keys.make_key(signer.private.parent, "release")
    signer.private.unlink()
    with pytest.raises(Refused):  # nor its public half
        keys.make_key(signer.public.parent, "release")
    assert before
    assert not signer.private.exists()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".key", "a b", "é"])
def test_a_name_that_is_no_plain_file_makes_no_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(Usage):
        keys.make_key(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_what_was_signed_is_known_by_the_public_half(signer: Signer) -> None:
    key, signature = keys.sign(signer.private, b"message")
    (found,) = keys.read_trusted(signer.trust).values()
    assert found.id == key.id == keys.key_id(found)
    assert keys.verify_signature(found, b"message", signature)
    assert not keys.verify_signature(found, b"messagf", signature)
    assert not keys.verify_signature(found, b"message", signature[:-1])


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl here")
def test_openssl_gives_the_same_key_id(signer: Signer) -> None:
    der = subprocess.run(
        [str(OPENSSL), "pkey", "-pubin", "-in", str(signer.public), "-outform", "DER"], check=True, capture_output=True
    ).stdout
    assert hashlib.sha256(der).hexdigest() == keys.read_public(signer.public).id


@pytest.mark.parametrize("pem", [b"", b"garbage", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_trust_folder_with_something_that_is_no_key_trusts_nobody(signer: Signer, pem: bytes) -> None:
    (signer.trust / "odd.pem").write_bytes(pem)
    assert refusal(signer.trust) == "untrusted_folder"


def test_a_key_of_another_kind_is_refused(signer: Signer) -> None:
    (signer.trust / "rsa.pem").write_text(RSA)
    with pytest.raises(BundleRefused, match="Ed25519"):
        keys.read_trusted(signer.trust)


def test_a_private_key_among_the_trusted_is_refused_with_words(signer: Signer) -> None:
    (signer.trust / "mine.pem").write_bytes(signer.private.read_bytes())
    with pytest.raises(BundleRefused, match="private key"):
        keys.read_trusted(signer.trust)


def test_files_of_other_kinds_in_the_trust_folder_are_left_alone(signer: Signer) -> None:
    (signer.trust / "README.txt").write_text("keys of the validation team")
    assert len(keys.read_trusted(signer.trust)) == 1


def test_no_folder_and_an_empty_one_trust_nobody(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "untrusted_folder"
    assert refusal(tmp_path / "absent") == "untrusted_folder"


def test_a_file_that_is_no_private_key_does_not_sign(signer: Signer, tmp_path: Path) -> None:
    odd = tmp_path / "odd.key"
    odd.write_bytes(signer.public.read_bytes())
    odd.chmod(0o600)
    with pytest.raises(Refused):
        keys.sign(odd, b"x")
    with pytest.raises(Usage):
        keys.sign(tmp_path / "absent.key", b"x")


def refusal(folder: Path) -> str:
    with pytest.raises(BundleRefused) as caught:
        keys.read_trusted(folder)
    return str(caught.value.key)
