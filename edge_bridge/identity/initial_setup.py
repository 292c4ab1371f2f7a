"""The secure set-up of a fleet in one folder: authority, broker, host, API, and the claim of the first administrator.

::

    DIR/authority/            the key of the authority and its register; keep it, and a copy, on one machine
    DIR/broker/               all that mosquitto needs; may be moved to the machine of the broker
    DIR/host/  DIR/api/       identities of the host and of its HTTPS server
    DIR/control/              the identity that cuts the connection of a revoked device
    DIR/administrator.token   makes the first administrator of the API, once
    DIR/fleet.json            addresses
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import Refused, Usage
from drivers.private_files import make_private_folder
from drivers.state_file import DamagedFile, MissingFile, read_state, write_bytes, write_state
from edge_bridge.identity import authority as authority_module
from edge_bridge.identity import broker_files, x509
from edge_bridge.identity.authority import Authority, read_utc
from edge_bridge.identity.identity_folder import AUTHORITY, HOST_FOLDER, open_identity
from edge_bridge.identity.x509 import CertificateKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

VERSION: Final = 1
SETTINGS: Final = "fleet.json"
ADMINISTRATOR: Final = "administrator.token"
HOST: Final = "fleet"
CONTROL: Final = "control"
API: Final = "api"
BROKER_USER: Final = "mosquitto"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class FleetFolder:
    """What `fleet.json` says."""

    path: Path
    names: tuple[str, ...]
    port: int

    @property
    def broker_url(self) -> str:
        return f"mqtts://{self.names[0]}:{self.port}"

    @property
    def broker(self) -> Path:
        return self.path / broker_files.FOLDER

    @property
    def control(self) -> Path:
        return self.path / CONTROL


def set_up(
    path: Path,
    names: Sequence[str] = (),
    port: int = broker_files.PORT,
    *,
    address: str = "",
    now: Callable[[], datetime] = read_utc,
) -> tuple[FleetFolder, bool]:
    """Make the folder of a fleet; return it, and False if it was there: then nothing is changed.

    `names` are names and addresses of the broker; the first one is that which the packs use. Raise `Refused` for a
    folder of something else.
    """
    path = path.resolve()
    if (path / SETTINGS).exists():
        return read_fleet_folder(path), False
    _refuse_foreign(path)
    user = _choose_user(path)
    given = [*(names or [socket.gethostname()]), *LOOPBACK]
    places = tuple(dict.fromkeys(given))
    is_new = not path.exists()
    make_private_folder(path)
    made = FleetFolder(path, places, port)
    _claim(path / authority_module.FOLDER)
    try:
        _fill(made, user, address, now)
    except BaseException:  # a full disk, a Ctrl-C
        _undo(path, is_new=is_new)
        raise
    return made, True


def _fill(made: FleetFolder, user: str, address: str, now: Callable[[], datetime]) -> None:
    path = made.path
    _write_authority(path / authority_module.FOLDER, now())
    authority = Authority(path, now)
    _make_identities(authority, made.names)
    _make_broker(authority, made, user, address)
    write_bytes(path / ADMINISTRATOR, f"{secrets.token_urlsafe(32)}\n".encode(), private=True)
    settings = {"version": VERSION, "names": list(made.names), "port": made.port}
    write_state(path / SETTINGS, settings)  # last: without it the folder is not complete


def renew(path: Path, now: Callable[[], datetime] = read_utc) -> FleetFolder:
    """Make new keys and certificates for broker, hosts, API and control; the authority stays."""
    made = read_fleet_folder(path.resolve())
    authority = Authority(made.path, now)
    _make_identities(authority, made.names)
    _give_broker_files(made.broker)
    write_revocation_list(authority, made)
    return made


def add_host(authority: Authority, fleet: FleetFolder, name: str, path: Path) -> None:
    """Make the identity of one more host in `path`, and give it the rights of a host."""
    authority.make_identity(path, name, CertificateKind.HOST)
    hosts = sorted({one.name for one in authority.list_certificates() if one.kind == CertificateKind.HOST})
    broker_files.write_for_broker(fleet.broker, broker_files.RIGHTS, broker_files.make_rights(hosts).encode())


def write_revocation_list(authority: Authority, fleet: FleetFolder) -> None:
    """Write the list that the broker reads at its start and on SIGHUP."""
    authority.publish_revocations(lambda data: broker_files.write_for_broker(fleet.broker, broker_files.REVOKED, data))


def read_fleet_folder(path: Path) -> FleetFolder:
    """Read the folder of `fleet init`; raise `Usage` for another."""
    path = path.resolve()

    def parse(fields: dict[str, Any]) -> FleetFolder:
        if fields["version"] != VERSION:
            raise ValueError(f"version {fields['version']}, not {VERSION}")
        return FleetFolder(path, tuple(str(name) for name in fields["names"]), int(fields["port"]))

    found = read_state(path / SETTINGS, parse)
    if isinstance(found, MissingFile):
        raise Usage("is not the folder of a fleet", where=str(path), key="dir", hint=f"make it: fleet init {path}")
    if isinstance(found, DamagedFile):
        raise Usage(found.sentence, where=str(path), key="dir", hint="restore it from a copy")
    return found


def _refuse_foreign(path: Path) -> None:
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        hint = "name a new folder; one that an interrupted `fleet init` left may be removed"
        raise Refused("exists and is not empty", where=str(path), key="dir", hint=hint)


def _claim(folder: Path) -> None:
    try:
        make_private_folder(folder, exist_ok=False)
    except FileExistsError as error:
        raise Refused("another `fleet init` is at work there", where=str(folder), hint="wait for it") from error


def _undo(path: Path, *, is_new: bool) -> None:
    """Delete what this set-up made in a folder that was empty: nobody has got any of it."""
    for one in path.iterdir():
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)
    if is_new:
        path.rmdir()


def _write_authority(folder: Path, now: datetime) -> None:
    key = x509.make_private_key()
    write_bytes(folder / authority_module.KEY, key, private=True)
    name = f"PulseBMS fleet {secrets.token_hex(4)}"
    write_bytes(folder / AUTHORITY, x509.make_authority(key, name, now), private=True)


def _make_identities(authority: Authority, places: Sequence[str]) -> None:
    path = authority.folder
    authority.make_identity(path / broker_files.FOLDER, "broker", CertificateKind.SERVER, places=places)
    authority.make_identity(path / API, API, CertificateKind.SERVER, places=places)
    authority.make_identity(path / HOST_FOLDER, HOST, CertificateKind.HOST)
    authority.make_identity(path / CONTROL, CONTROL, CertificateKind.CONTROL)
    open_identity(path / HOST_FOLDER)


def _make_broker(authority: Authority, fleet: FleetFolder, user: str, address: str) -> None:
    folder = fleet.broker
    configuration = broker_files.make_configuration(folder, user, fleet.port, address)
    for name, text in (
        (broker_files.CONFIGURATION, configuration),
        (broker_files.RIGHTS, broker_files.make_rights([HOST])),
        (broker_files.CONTROL, broker_files.make_control(CONTROL)),
    ):
        write_bytes(folder / name, text.encode(), private=True)
    if user == BROKER_USER:
        _open_to_broker(fleet.path, folder)
    _give_broker_files(folder)
    write_revocation_list(authority, fleet)


def _choose_user(path: Path) -> str:
    """Return the user of the broker's process: Debian's own where root sets up, else who sets up. Raise `Refused`."""
    if os.name != "posix":
        return BROKER_USER
    import pwd  # noqa: PLC0415  # not on Windows

    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    try:
        user = pwd.getpwnam(BROKER_USER).pw_name
    except KeyError:
        return "root"
    for parent in path.parents:
        if parent.is_dir() and not parent.stat().st_mode & stat.S_IXOTH:
            what = f"cannot be reached by the user {BROKER_USER}, who runs the broker: {parent} is closed to it"
            raise Refused(what, where=str(path), key="dir", hint="name another folder, for instance /srv/fleet")
    return user


def _open_to_broker(path: Path, folder: Path) -> None:
    """Let the broker's user reach its own folder, and no other one."""
    path.chmod(0o711)
    shutil.chown(folder, BROKER_USER, BROKER_USER)


def _give_broker_files(folder: Path) -> None:
    for file in folder.iterdir():
        broker_files.give_to_owner(folder, file.name)
