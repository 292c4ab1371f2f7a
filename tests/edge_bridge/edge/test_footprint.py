"""An edge runs where nothing is installed but the base and the extra `edge`: no Qt, no PyBaMM, no Arrow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fixtures.broker import find_port
from tests.edge_bridge.edge.field import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge_bridge.edge.conftest import Shelf

KEPT_OUT = ("PySide6", "pybamm", "casadi", "pyarrow", "asammdf", "pyqtgraph", "scipy")
BLOCKER = """
import json, os, sys
KEPT_OUT = frozenset(json.loads(os.environ["KEPT_OUT"]))
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in KEPT_OUT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
RUN = """
import json, sys
before = set(sys.modules)  # what the installation itself loads at every start
sys.path.insert(0, sys.argv.pop(1))
from workbench.cli import main
status = main()
print(json.dumps({"status": status, "modules": sorted({name.partition(".")[0] for name in set(sys.modules) - before})}))
"""


def listed() -> dict[str, Requirement]:
    """What `pip install pulsebms[edge]` asks for, by name."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["edge"]]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def closure(names: set[str]) -> set[str]:
    """With all that these need in turn, on this machine."""
    found, todo = set[str](), list(names)
    while todo:
        name = canonicalize_name(todo.pop())
        if name in found:
            continue
        found.add(name)
        needed = [Requirement(text) for text in metadata.requires(name) or []]
        todo += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def owners() -> dict[str, set[str]]:
    """Top-level module to the distributions that bring it."""
    return {
        module: {canonicalize_name(name) for name in names}
        for module, names in metadata.packages_distributions().items()
    }


def test_what_is_listed_is_installed_here_in_a_fitting_version() -> None:
    for name, requirement in listed().items():
        assert requirement.specifier.contains(metadata.version(name)), name


@pytest.mark.live
def test_an_edge_runs_with_its_extra_alone_and_needs_all_of_it(tmp_path: Path, trust: Path, shelf: Shelf) -> None:
    allowed, all_of = closure(set(listed())), owners()
    kept_out = {module for module, brings in all_of.items() if not brings & allowed}
    assert kept_out >= set(KEPT_OUT)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    paths = [str(tmp_path / "site"), str(ROOT)]
    options = ["--bundle", str(shelf.first), "--trust", str(trust), "--broker", "mqtt://127.0.0.1:9"]
    options += ["--dir", str(tmp_path / "state"), "--allow-sim", "--duration", "2"]
    options += ["--metrics", str(find_port())]
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(ROOT), "edge", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "KEPT_OUT": json.dumps(sorted(kept_out))},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stdout, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == 0, done.stderr
    assert "runs from slot a" in done.stdout
    used = {name for module in told["modules"] for name in all_of.get(module, ())}
    assert used <= allowed
    assert set(listed()) <= used
