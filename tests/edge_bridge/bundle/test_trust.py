"""A trust folder that somebody else can change, or that holds no plain key, trusts nobody, and never waits."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from drivers.errors import BundleRefused, Usage
from edge_bridge.bundle import keys
from edge_bridge.bundle.keys import PublicKey
from workbench.bundling.bundle_file import read_file
from workbench.window.bundle_page.bundle_tasks import trust

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.bundle.conftest import Signer

P: Final = 2**255 - 19
Y8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826  # of a point of order 8
SIGN: Final = 1 << 255


def refusal(folder: Path) -> BundleRefused:
    with pytest.raises(BundleRefused) as caught:
        keys.read_trusted(folder)
    assert caught.value.key == "untrusted_folder"
    assert caught.value.hint
    return caught.value


def test_a_folder_that_everybody_can_write_trusts_nobody(signer: Signer) -> None:
    signer.trust.chmod(0o777)
    assert "chmod o-w" in refusal(signer.trust).hint
    signer.trust.chmod(0o1777)  # a sticky bit keeps files from being removed, not from being added
    refusal(signer.trust)
    signer.trust.chmod(0o775)
    assert len(keys.read_trusted(signer.trust)) == 1


def test_a_key_that_everybody_can_write_trusts_nobody(signer: Signer) -> None:
    (signer.trust / signer.public.name).chmod(0o646)
    assert signer.public.name in str(refusal(signer.trust))


def test_a_link_to_a_key_that_everybody_can_write_trusts_nobody(signer: Signer, tmp_path: Path) -> None:
    open_file = tmp_path / "open.pem"
    open_file.write_bytes(signer.public.read_bytes())
    open_file.chmod(0o666)
    (signer.trust / "linked.pem").symlink_to(open_file)
    assert "linked.pem" in str(refusal(signer.trust))


def test_two_keys_in_a_file_are_refused(signer: Signer, tmp_path: Path) -> None:
    other = keys.make_key(tmp_path / "other", "other")[1]
    (signer.trust / "both.pem").write_bytes(signer.public.read_bytes() + other.read_bytes())
    assert "more than one key" in str(refusal(signer.trust))


def test_a_file_longer_than_a_key_is_refused(signer: Signer) -> None:
    (signer.trust / "long.pem").write_bytes(signer.public.read_bytes() + b"\n" * 4096)
    assert "more than one key" in str(refusal(signer.trust))


@pytest.mark.parametrize("y", [0, 1, P - 1, Y8, P - Y8, P, P + 1, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, SIGN])
def test_a_key_of_low_order_is_refused(signer: Signer, y: int, sign: int) -> None:
    raw = (y | sign).to_bytes(32, "little")
    pem = Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (signer.trust / "weak.pem").write_bytes(pem)
    assert "anybody can sign" in str(refusal(signer.trust))


def test_why_a_key_of_low_order_is_refused() -> None:
    """One signature fits every message: R is the key itself, S is zero, both of order 1."""
    identity = (1).to_bytes(32, "little")
    weak, signature = PublicKey("weak", b"", identity), identity + bytes(32)
    assert keys.verify_signature(weak, b"one", signature)
    assert keys.verify_signature(weak, b"another", signature)


def test_a_pipe_among_the_keys_is_refused_at_once(signer: Signer) -> None:
    os.mkfifo(signer.trust / "pipe.pem")
    refusal(signer.trust)


def test_a_folder_named_like_a_key_is_refused(signer: Signer) -> None:
    (signer.trust / "folder.pem").mkdir()
    refusal(signer.trust)


def test_a_pipe_in_place_of_a_file_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    with pytest.raises(Usage, match="regular file"):
        read_file(pipe)
    with pytest.raises(Usage, match="regular file"):
        keys.sign(pipe, b"x")


def test_a_key_that_the_window_trusts_belongs_to_its_owner_whatever_the_umask(signer: Signer, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        copy = trust(signer.public, tmp_path / "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o644
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o755
    assert len(keys.read_trusted(copy.parent)) == 1
    assert trust(signer.public, tmp_path / "new") == copy  # once more changes nothing
