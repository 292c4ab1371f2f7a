"""When the certificate of a host expires, for Prometheus; read anew at each scrape, because a renewal replaces it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from drivers.errors import PulseError
from edge_bridge.identity.identity_folder import open_identity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from prometheus_client import Metric

_NAME = "pulsebms_certificate_expires_timestamp_seconds"


class CertificateCollector(Collector):
    """The certificate in one identity folder; no sample while it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(_NAME, "Time at which a certificate expires.", labels=["name"])
        try:
            certificate = open_identity(self._folder).certificate
        except (PulseError, OSError):
            return
        family.add_metric([certificate.name], certificate.not_after.timestamp())
        yield family
