"""Without TLS only on this machine, and TLS only with a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.errors import Usage
from edge_bridge.broker_address import check_protection, is_loopback, parse_address

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "url",
    ["mqtt://broker.example", "mqtt://10.0.0.5:1883", "mqtt://0.0.0.0", "mqtt://[::]", "mqtt://localhost.example"],
)
def test_an_address_outside_this_machine_needs_tls(url: str) -> None:
    with pytest.raises(Usage, match="would send everything unprotected over the network; use mqtts:// and --tls DIR"):
        parse_address(url)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_these_are_this_machine(host: str) -> None:
    assert is_loopback(host)


def test_tls_needs_a_certificate_and_a_certificate_needs_tls(tmp_path: Path) -> None:
    check_protection("mqtt://localhost", None)
    with pytest.raises(Usage, match="needs the certificate of this machine; add --tls DIR"):
        check_protection("mqtts://broker.example", None)
    with pytest.raises(Usage, match="does not use the certificate of --tls; write mqtts://"):
        check_protection("mqtt://localhost", tmp_path)
    with pytest.raises(Usage, match="cannot be read"):
        check_protection("mqtts://broker.example", tmp_path)
