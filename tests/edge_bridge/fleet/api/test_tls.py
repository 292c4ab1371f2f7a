"""The API over TLS with the certificate of `fleet init`: a device enrols there, and plain text gets nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from drivers.errors import Refused, Usage
from edge_bridge.fleet.api.enrolment import make_enrolment_router
from edge_bridge.fleet.api.server import serve_api
from edge_bridge.fleet.api.settings import parse_listen
from edge_bridge.identity import enrolment, initial_setup, tls
from edge_bridge.identity.authority import Authority
from edge_bridge.identity.identity_folder import open_identity
from fixtures.broker import find_port
from tests.edge_bridge.fleet.api.people import serve_people

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fleet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(initial_setup, "_choose_user", lambda _path: "somebody")  # type: ignore[misc]  # no broker here
        made, _ = initial_setup.set_up(tmp_path_factory.mktemp("fleet") / "dir", ["127.0.0.1"])
    return made.path


def test_a_device_enrols_at_the_api_over_tls(folder: Path, tmp_path: Path) -> None:
    settings = parse_listen(f"127.0.0.1:{find_port()}", folder)
    with (
        serve_people(tmp_path, settings, [make_enrolment_router(folder)]) as api,
        serve_api(api.app, settings) as url,
    ):
        assert url.startswith("https://127.0.0.1:")
        enrolment.enrol(tmp_path / "identity", url, str(Authority(folder).offer("pack-1")))
        assert open_identity(tmp_path / "identity").certificate.name == "pack-1"
        trust = tls.make_server_trust(folder / "api" / "ca.pem")
        assert httpx.get(f"{url}/api/v1/health/live", verify=trust).json() == {"status": "live"}
        assert httpx.get(f"{url}/api/v1/devices", verify=trust).status_code == 200, "no account yet: local"
        with pytest.raises(httpx.ConnectError, match="certificate"):
            httpx.get(f"{url}/api/v1/health/live")
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url.replace("https", "http"))


def test_outside_loopback_there_is_tls_or_nothing(folder: Path, tmp_path: Path) -> None:
    assert parse_listen("0.0.0.0:8443", folder).identity == folder / "api" / "identity.pem"  # with TLS
    for tls_folder in (None, tmp_path, folder / "host"):
        with pytest.raises(Usage, match="has no certificate"):
            parse_listen("192.0.2.1:8443", tls_folder)
    with pytest.raises(Usage):
        parse_listen(":8443", folder)


def test_a_key_that_others_may_read_serves_nothing(folder: Path, tmp_path: Path) -> None:
    settings = parse_listen(f"127.0.0.1:{find_port()}", folder)
    assert settings.identity is not None
    settings.identity.chmod(0o644)
    try:
        with pytest.raises(Refused, match="others may read"), serve_people(tmp_path, settings) as api:
            serve_api(api.app, settings).__enter__()
    finally:
        settings.identity.chmod(0o600)
