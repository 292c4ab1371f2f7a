"""Requests to the API of a fleet; its problems become errors of this program."""

from __future__ import annotations

import http.client
import json
import os
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode, urlsplit

from drivers.errors import ApiMissing, Refused, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "/api/v1"
TIMEOUT_S: Final = 10.0
MAX_ANSWER: Final = 64 << 20  # bytes
TOKEN: Final = "PULSEBMS_FLEET_TOKEN"  # noqa: S105  # the variable with the API token of this person
_HINT: Final = "write http://HOST:PORT, for instance http://127.0.0.1:8080"
_PORTS: Final = {"http": 80, "https": 443}
_CLIENT_ERROR, _SERVER_ERROR = 400, 500


@dataclass(frozen=True, slots=True)
class ApiAddress:
    """Where an API listens."""

    scheme: str
    host: str
    port: int

    @property
    def _shown(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self._shown}"

    @property
    def live_url(self) -> str:
        return f"{'wss' if self.scheme == 'https' else 'ws'}://{self._shown}{PREFIX}/live"


def parse_api_address(text: str) -> ApiAddress:
    """Parse http://HOST[:PORT]; raise `Usage` for any other text."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        parts = port = None
    if parts is None or parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise Usage(f"{text!r} is not the address of a fleet's API", key="address", value=text, hint=_HINT)
    return ApiAddress(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])


class FleetRest:
    """The REST part; one connection per request, so any thread may use it."""

    def __init__(self, address: ApiAddress, *, timeout_s: float = TIMEOUT_S) -> None:
        self.address, self._timeout_s = address, timeout_s

    def read(self, path: str, **query: Any) -> Any:
        """GET a path below /api/v1; raise `ApiMissing`, or `Refused` with the words of the API."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._request("GET", f"{path}?{urlencode(given)}" if given else path)

    def list_devices(self, **query: Any) -> list[dict[str, Any]]:
        """Return all devices that match, page by page."""
        found, cursor = list[dict[str, Any]](), None
        while True:
            page = self.read("/devices", **query, cursor=cursor)
            found += page["devices"]
            cursor = page["next"]
            if cursor is None:
                return found

    def send_bundle(self, data: bytes, node: str) -> dict[str, Any]:
        """Send a bundle to a device; return its name and size."""
        path = f"/devices/{quote(node, safe='')}/bundles"
        return self._request("POST", path, data, {"Content-Type": "application/octet-stream"})

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        kind = http.client.HTTPSConnection if self.address.scheme == "https" else http.client.HTTPConnection
        try:
            with closing(kind(self.address.host, self.address.port, timeout=self._timeout_s)) as connection:
                connection.request(method, PREFIX + path, body, {**make_headers(), **(headers or {})})
                answer = connection.getresponse()
                status, data = answer.status, answer.read(MAX_ANSWER)
        except (OSError, http.client.HTTPException) as error:
            raise make_missing(self.address, error) from error
        return _read_answer(self.address, status, data)


def make_headers() -> dict[str, str]:
    """Return the headers that say who asks: nothing where no token is given."""
    token = os.environ.get(TOKEN, "").strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def make_missing(address: ApiAddress, error: BaseException | str) -> ApiMissing:
    """Make the error for an API that does not answer."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    what = f"no API of a fleet answers at {address.url}: {why}"
    hint = "start one with `fleet --api PORT`, or one on this machine"
    return ApiMissing(what, key="address", value=address.url, hint=hint)


def _read_answer(address: ApiAddress, status: int, data: bytes) -> Any:
    try:
        found: Any = json.loads(data)
    except ValueError as error:
        raise make_missing(address, f"something else answers there (status {status})") from error
    if status < _CLIENT_ERROR:
        return found
    problem = cast("dict[str, Any]", found) if isinstance(found, dict) else dict[str, Any]()
    what = str(problem.get("detail") or problem.get("title") or f"status {status}")
    errors: list[dict[str, Any]] = problem.get("errors", [])
    fields = [f"{one.get('where')}: {one.get('detail')}" for one in errors]
    text = "; ".join([what, *fields])
    if status >= _SERVER_ERROR:
        raise ApiMissing(text, key="status", value=status, hint=str(problem.get("hint") or "try again later"))
    raise Refused(text, key="status", value=status, hint=str(problem.get("hint") or "see the schema of the API"))
