"""A real Prometheus for tests: its own folder, a port of 127.0.0.1 below those of outgoing connections."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

HOST: Final = "127.0.0.1"
PORTS: Final = range(9_100, 9_900)
_CONFIGURATION: Final = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
scrape_configs:
"""
_JOB: Final = "  - {{job_name: {name}, static_configs: [{{targets: ['{target}']}}]}}\n"


def find_free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@dataclass(frozen=True)
class PrometheusServer:
    """A server that scrapes and evaluates once a second."""

    url: str

    def ask(self, path: str, **query: str) -> Any:
        """Return the data of an answer; an error of the server is an error here."""
        words = f"?{urlencode(query)}" if query else ""
        with urlopen(f"{self.url}/api/v1/{path}{words}") as answer:  # noqa: S310  # the server of this test
            body = json.loads(answer.read())
        assert body["status"] == "success", body
        return body["data"]

    def query(self, expression: str) -> list[float]:
        return [float(one["value"][1]) for one in self.ask("query", query=expression)["result"]]

    def list_firing(self) -> set[str]:
        return {one["labels"]["alertname"] for one in self.ask("alerts")["alerts"] if one["state"] == "firing"}

    def is_ready(self) -> bool:
        try:
            with urlopen(f"{self.url}/-/ready") as answer:  # noqa: S310  # as above
                return answer.status == 200
        except (URLError, ConnectionError):
            return False


@contextmanager
def serve_prometheus(folder: Path, rules: Path, jobs: Mapping[str, str]) -> Generator[PrometheusServer]:
    """Serve until the block ends; `jobs` are targets by name. Skip the test where no Prometheus is installed."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no Prometheus is installed (Debian: apt install prometheus)")
    configuration, port = folder / "prometheus.yml", find_free_port()
    configuration.write_text(
        _CONFIGURATION.format(rules=rules) + "".join(_JOB.format(name=name, target=one) for name, one in jobs.items())
    )
    words = [f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}"]
    words += [f"--web.listen-address={HOST}:{port}", "--log.level=error"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program, *words], stdout=log, stderr=log, cwd=folder)
        server = PrometheusServer(f"http://{HOST}:{port}")
        try:
            wait_until(lambda: server.is_ready() or process.poll() is not None, 60.0, "Prometheus", every_s=0.05)
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30.0)
