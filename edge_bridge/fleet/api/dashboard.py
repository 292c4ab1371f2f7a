"""The files of the dashboard at `/`, from memory: each with its ETag, and a policy that forbids foreign code."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import Response

from edge_bridge.fleet import dashboard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.resources.abc import Traversable

    from starlette.types import ASGIApp, Receive, Scope, Send

API: Final = "/api/"
INDEX: Final = "index.html"
TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",  # a browser keeps it, and asks by ETag whether it is still the same
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, plain and compressed."""

    media: str
    content: bytes
    packed: bytes
    etag: str


class DashboardFiles:
    """ASGI middleware: it answers for the files of the dashboard, and hands on everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._files = app, dict(_read_files())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope)
        await (self._app if found is None else _make_response(found, scope))(scope, receive, send)

    def _find(self, scope: Scope) -> StaticFile | None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or scope["path"].startswith(API):
            return None
        return self._files.get(scope["path"].removeprefix("/") or INDEX)


def _make_response(file: StaticFile, scope: Scope) -> Response:
    asked = Headers(scope=scope)
    headers = HEADERS | {"ETag": file.etag}
    if file.etag in asked.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in asked.get("accept-encoding", ""):
        return Response(file.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media)
    return Response(file.content, headers=headers, media_type=file.media)


def _read_files() -> Iterator[tuple[str, StaticFile]]:
    for path, file in _walk(files(dashboard), ""):
        media = TYPES.get(path.rpartition(".")[2])
        if media is not None:
            content = file.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            yield path, StaticFile(media, content, gzip.compress(content, 9, mtime=0), etag)


def _walk(folder: Traversable, prefix: str) -> Iterable[tuple[str, Traversable]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _walk(one, f"{prefix}{one.name}/")
        else:
            yield prefix + one.name, one
