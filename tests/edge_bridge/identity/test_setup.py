"""The folder of `fleet init`: made once, closed to others, and what is wrong with a folder is said."""

from __future__ import annotations

import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import load_pem_x509_crl

from drivers.errors import PulseError, Refused, StoreFailed, Usage
from edge_bridge.identity import initial_setup, x509
from edge_bridge.identity.authority import Authority
from edge_bridge.identity.claim_token import make_token
from edge_bridge.identity.identity_folder import find_trouble, open_identity, read_private
from edge_bridge.identity.register import Register
from edge_bridge.identity.x509 import CertificateKind
from tests.full_disk import at_most_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ["broker.example", "10.0.0.5"]


def choose_somebody(_path: Path) -> str:
    """The user of a broker that is not started here."""
    return "somebody"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that tests only read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(initial_setup, "_choose_user", choose_somebody)
        return initial_setup.set_up(tmp_path_factory.mktemp("fleet") / "dir", NAMES)[0].path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "dir"))


def read_all(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_for_its_owner_alone(made: Path) -> None:
    files = [path for path in (made, *made.rglob("*")) if os.name == "posix"]
    assert len(files) > 15
    assert {path: oct(path.stat().st_mode) for path in files if path.stat().st_mode & 0o077} == {}


def test_a_second_run_changes_nothing_and_says_so(folder: Path) -> None:
    before = read_all(folder)
    found, is_new = initial_setup.set_up(folder, ["other.example"], 1234)
    assert not is_new
    assert (found.names[:2], found.port) == (tuple(NAMES), 8883)
    assert read_all(folder) == before


def test_a_folder_of_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "thesis.txt").write_text("mine")
    with pytest.raises(Refused, match="exists and is not empty; name a new folder"):
        initial_setup.set_up(tmp_path / "dir", NAMES)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Refused, match="exists and is not empty"):
        initial_setup.set_up(tmp_path / "file", NAMES)


def test_an_interrupted_set_up_is_not_taken_for_a_fleet(folder: Path) -> None:
    (folder / "fleet.json").unlink()
    with pytest.raises(Refused, match="one that an interrupted `fleet init` left may be removed"):
        initial_setup.set_up(folder, NAMES)
    with pytest.raises(Usage, match="is not the folder of a fleet; make it: fleet init"):
        initial_setup.read_fleet_folder(folder)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_set_up_that_fails_leaves_nothing_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_new: bool
) -> None:
    monkeypatch.setattr(initial_setup, "_choose_user", choose_somebody)
    folder = tmp_path / "dir"
    if not is_new:
        folder.mkdir()

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(initial_setup, "write_state", fail)
        with pytest.raises(OSError, match="No space left"):
            initial_setup.set_up(folder, NAMES)
    assert folder.exists() is not is_new
    assert is_new or not list(folder.iterdir())
    assert initial_setup.set_up(folder, NAMES)[1]


def test_a_set_up_beside_another_one_deletes_nothing_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initial_setup, "_choose_user", choose_somebody)
    key = tmp_path / "dir" / "authority" / "ca.key"

    def begin_another(_path: Path) -> None:
        key.parent.mkdir(parents=True)
        key.write_text("of the other")

    monkeypatch.setattr(initial_setup, "_refuse_foreign", begin_another)
    with pytest.raises(Refused, match="another `fleet init` is at work there; wait for it"):
        initial_setup.set_up(tmp_path / "dir", NAMES)
    assert key.read_text() == "of the other"


def fill(register: Register) -> None:
    for number in range(1_000):
        register.add_token(make_token(f"pack-{number}", "0" * 64), 2e9, 0.0)


def test_a_register_on_a_full_disk_says_so_and_stays_whole(folder: Path) -> None:
    authority, file = Authority(folder), folder / "authority" / "register.sqlite"
    before = authority.list_certificates()
    with (
        closing(Register(file)) as register,
        at_most_bytes(file.stat().st_size),
        pytest.raises(StoreFailed, match=r"cannot be written: .*; free space there"),
    ):
        fill(register)
    assert authority.list_certificates() == before


def test_a_damaged_fleet_folder_is_told(folder: Path) -> None:
    (folder / "fleet.json").write_text('{"version": 2, "names": [], "port": 1}')
    with pytest.raises(Usage, match="version 2, not 1"):
        initial_setup.read_fleet_folder(folder)


def test_two_revocations_at_once_are_both_in_the_list(folder: Path) -> None:
    authority, fleet = Authority(folder), initial_setup.read_fleet_folder(folder)
    names = [f"lost-{number}" for number in range(6)]
    serials = {authority.make_identity(folder / name, name, CertificateKind.DEVICE).serial for name in names}

    def revoke(name: str) -> None:
        authority.revoke(name)
        initial_setup.write_revocation_list(authority, fleet)

    with ThreadPoolExecutor() as pool:
        list(pool.map(revoke, names))
    found = load_pem_x509_crl((fleet.broker / "revoked.crl").read_bytes())
    assert {entry.serial_number for entry in found} == serials


def test_of_two_set_ups_at_once_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initial_setup, "_choose_user", choose_somebody)  # type: ignore[misc]  # no broker here

    def set_up(_number: int) -> str:
        try:
            initial_setup.set_up(tmp_path / "dir", NAMES)
        except Refused:
            return "refused"
        return "made"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(set_up, range(4))).count("made") >= 1
    authority = Authority(tmp_path / "dir")
    assert open_identity(tmp_path / "dir").certificate.serial in {one.serial for one in authority.list_certificates()}
    assert len(authority.list_certificates()) == 4


def test_a_renewal_keeps_the_authority_and_the_revocations(folder: Path) -> None:
    authority = Authority(folder)
    authority.make_identity(folder / "lost", "lost", CertificateKind.DEVICE)
    authority.revoke("lost", "stolen")
    before = {name: open_identity(folder / name).certificate.serial for name in ("broker", "host", "control", "api")}
    fingerprint = authority.fingerprint
    initial_setup.renew(folder)
    after = {name: open_identity(folder / name).certificate.serial for name in before}
    assert not set(before.values()) & set(after.values())
    assert authority.fingerprint == fingerprint
    assert authority.list_certificates("lost")[0].reason == "stolen"


def test_the_first_administrator_has_a_token_of_256_bits(made: Path) -> None:
    assert len((made / "administrator.token").read_text().strip()) == 43


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root sets up for another user")
def test_root_is_told_of_a_folder_that_the_broker_cannot_reach(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Refused, match="cannot be reached by the user mosquitto"):
        initial_setup.set_up(closed / "dir", NAMES)
    assert not list(closed.iterdir())


def _open_key(folder: Path) -> None:
    (folder / "host" / "identity.pem").chmod(0o640)


def _take_other_key(folder: Path) -> None:
    key, certificate = (folder / name / "identity.pem" for name in ("api", "host"))
    certificate.write_bytes(key.read_bytes().partition(b"-----BEGIN CERT")[0] + open_identity(folder).certificate.pem)


def _take_other_authority(folder: Path) -> None:
    other = x509.make_authority(x509.make_private_key(), "another", datetime.now(UTC))
    (folder / "host" / "ca.pem").write_bytes(other)


def _cut(folder: Path) -> None:
    path = folder / "host" / "identity.pem"
    path.write_bytes(path.read_bytes()[:-100])


def _cut_key(folder: Path) -> None:
    path = folder / "host" / "identity.pem"
    path.write_bytes(path.read_bytes()[100:])


def _remove(folder: Path) -> None:
    (folder / "host" / "identity.pem").unlink()


def _fill(folder: Path) -> None:
    (folder / "host" / "identity.pem").write_bytes(b"\0" * 100_000)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_open_key, "is a private key that others may read; run: chmod 600"),
        (_take_other_key, "holds a certificate for another key"),
        (_take_other_authority, "is not signed by the authority in ca.pem"),
        (_cut, "is not a certificate in PEM form"),
        (_cut_key, "is not a private key without a password"),
        (_remove, "No such file or directory"),
        (_fill, "it has more than 16384 bytes"),
    ],
)
def test_what_is_wrong_with_an_identity_is_said(folder: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(folder)
    with pytest.raises(PulseError, match=said):
        open_identity(folder / "host")


def test_a_clock_that_is_wrong_is_named(made: Path) -> None:
    certificate = open_identity(made).certificate
    words = find_trouble(certificate, datetime(1970, 1, 1, 0, 3, tzinfo=UTC))
    assert words.endswith("but the clock of this machine says 1970-01-01 00:03 UTC; set the clock")
    assert not find_trouble(certificate)


def test_a_lost_key_of_the_authority_is_told(folder: Path) -> None:
    (folder / "authority" / "ca.key").unlink()
    with pytest.raises(Usage, match="holds no authority; make one"):
        Authority(folder)


def test_another_programs_database_is_no_register(folder: Path, tmp_path: Path) -> None:
    import sqlite3  # noqa: PLC0415  # this test alone

    path = tmp_path / "other.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE other (x)")
    db.close()
    with pytest.raises(Refused, match="is not the register of an authority in version 1"):
        Register(path)
    (tmp_path / "noise").write_bytes(b"noise" * 1000)
    with pytest.raises(PulseError, match="cannot be used: file is not a database"):
        Register(tmp_path / "noise")


def test_a_request_gets_nothing_but_its_name_and_key(made: Path) -> None:
    request = x509.make_request(x509.make_private_key(), "+/#")
    with pytest.raises(Usage, match="is not a valid node name"):
        Authority(made).certify(request, CertificateKind.DEVICE)


def test_a_key_of_the_authority_that_others_may_read_is_refused(folder: Path) -> None:
    (folder / "authority" / "ca.key").chmod(0o644)
    with pytest.raises(Refused, match="others may read"):
        Authority(folder)
    assert read_private(folder / "broker" / "identity.pem")
