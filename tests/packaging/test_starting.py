"""`pulsebms` starts in a checkout, from an editable install and from a wheel; the version has one place."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from drivers.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def pip(*words: str | Path) -> None:
    """Without network: what builds the wheel is in the extra `dev`."""
    command = [*PIP, *map(str, words), "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100.0)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "-w", folder, ROOT)
    return next(folder.glob("*.whl"))


def environment_for(folder: Path) -> Path:
    """An environment of its own whose others' packages are this one's; its folder of programs."""
    venv.create(folder, with_pip=False)
    names = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", vars=names))
    (site / "zz_others.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return Path(sysconfig.get_path("scripts", vars=names))


def start(command: list[str | Path], folder: Path) -> None:
    """The version, then a verb that reads a bench file and one that writes."""
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    words = [str(word) for word in command]
    for more in (["--version"], ["bundle", "key", "me", "--out", "keys", "--json"]):
        done = subprocess.run(
            [*words, *more], cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=60.0
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == VERSION or json.loads(done.stdout)["ok"]
    assert (folder / "keys" / "me.pem").is_file()


def test_it_starts_in_a_checkout(tmp_path: Path) -> None:
    start([sys.executable, ROOT / "main.py"], tmp_path)


@pytest.mark.long
def test_it_starts_from_an_editable_install(tmp_path: Path) -> None:
    programs = environment_for(tmp_path / "env")
    pip("--python", programs / "python", "install", "-e", ROOT)
    start([programs / "pulsebms"], tmp_path)


def test_it_starts_from_a_wheel(wheel: Path, tmp_path: Path) -> None:
    programs = environment_for(tmp_path / "env")
    pip("--python", programs / "python", "install", wheel)
    start([programs / "pulsebms"], tmp_path)
    start([programs / "python", "-m", "pulsebms"], tmp_path / "env")


def test_the_wheel_says_who_made_it_under_which_licence_and_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        said = HeaderParser().parsestr(archive.read(name).decode())
        licences = [name for name in archive.namelist() if ".dist-info/licenses/" in name]
    assert said["Version"] == VERSION
    assert said["License-Expression"] == "Apache-2.0"
    assert [Path(name).name for name in licences] == ["LICENSE"]
    assert said["Author"]
    assert said["Summary"]
    assert said["Description-Content-Type"] == "text/markdown"
    assert said.get_all("Classifier")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(said.get_all("Provides-Extra") or []) == set(declared)


def test_the_version_stands_in_one_place_and_what_repeats_it_agrees() -> None:
    assert importlib.metadata.version("pulsebms") == VERSION
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == VERSION  # type: ignore[index]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] in {VERSION, "Unreleased"}
