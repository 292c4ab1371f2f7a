"""The files of the dashboard: unchanged libraries, the colours of the window, and how they are served."""

from __future__ import annotations

import ast
import asyncio
import gzip
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from edge_bridge.fleet import dashboard
from tests.edge_bridge.fleet.api.served import Served, serve_desk

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.edge_bridge.fleet.pack import Desk

FOLDER: Final = Path(str(dashboard.__file__)).parent
ROOT: Final = FOLDER.parents[2]
UPLOT: Final = {  # uPlot 1.6.32 as its package holds it
    "uPlot.esm.js": "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}
OWN: Final = sorted(
    path for path in FOLDER.rglob("*") if path.suffix in {".js", ".html"} and "vendor" not in path.parts
)


def test_the_library_is_unmodified_and_has_its_licence() -> None:
    folder = FOLDER / "vendor" / "uplot"
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in UPLOT} == UPLOT
    listed = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert listed == UPLOT
    assert "MIT" in (folder / "LICENSE").read_text()


def read_themes() -> dict[str, dict[str, str]]:
    """Read the colours of the window without loading Qt."""
    tree = ast.parse((ROOT / "workbench/window/widgets/themes.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Theme"]
    found = [{str(word.arg): str(ast.literal_eval(word.value)) for word in call.keywords} for call in calls]
    return {theme.pop("name"): theme for theme in found}


def test_the_colours_are_those_of_the_window() -> None:
    text = (FOLDER / "style" / "colours.css").read_text()
    blocks = [
        dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block)) for block in re.split(r"\n\s*color-scheme:", text)[1:]
    ]
    themes = read_themes()
    assert blocks == [themes["dark"], themes["light"], themes["light"]]


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_file_makes_markup_or_loads_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc", text)
    assert re.findall(r"(?:https?:)?//[a-z0-9]+\.[a-z]+", text.replace("http://www.w3.org/2000/svg", "")) == []
    assert not re.search(r"<style|<script(?! type=\"module\" src=)|\son[a-z]+=\"|\sstyle=\"", text)
    assert len(text.splitlines()) < 250


@pytest.fixture
def served(desk: Desk) -> Generator[Served]:
    with serve_desk(desk) as found:
        yield found


def ask(served: Served, path: str, **headers: str) -> httpx.Response:
    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(served.client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(get())


def test_a_file_is_served_with_its_policy_and_not_twice(served: Served) -> None:
    page = ask(served, "/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert ask(served, "/index.html").headers["etag"] == page.headers["etag"]
    again = ask(served, "/", **{"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == page.headers["etag"]
    assert ask(served, "/vendor/uplot/uPlot.esm.js").headers["content-type"].startswith("text/javascript")


def test_a_file_is_compressed_for_who_asks(served: Served) -> None:
    plain = ask(served, "/app.js", **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = ask(served, "/app.js", **{"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.content == packed.content == (FOLDER / "app.js").read_bytes()
    assert len(gzip.compress(plain.content)) < len(plain.content) / 2


@pytest.mark.parametrize("path", ["/__init__.py", "/../api/app.py", "/%2e%2e/api/app.py", "/pages/", "/nothing.js"])
def test_nothing_else_is_served(served: Served, path: str) -> None:
    assert ask(served, path).status_code == 404
