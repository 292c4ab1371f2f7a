"""An extra that is missing is named, in one sentence and as an object."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drivers.errors import BundleRefused, CheckFailed
from tests.edge_bridge.bundle.small import small
from tests.packaging.distributions import ROOT, closure, owners

if TYPE_CHECKING:
    from pathlib import Path

BLOCKER = """
import json, os, sys
KEPT_OUT = frozenset(json.loads(os.environ["KEPT_OUT"]))
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in KEPT_OUT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


def run_with(extra: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line where nothing is to be had but the base and one extra."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(BLOCKER, encoding="utf-8")
    kept_out = sorted(module for module, brings in owners().items() if not brings & closure(extra))
    environment = os.environ | {"PYTHONPATH": str(site), "KEPT_OUT": json.dumps([*kept_out, "torch"])}
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60.0,
    )


def test_the_base_alone_makes_keys_copies_a_bench_and_examines_the_machine(tmp_path: Path) -> None:
    made = run_with("", tmp_path, "bundle", "key", "me", "--out", "keys")
    assert made.returncode == 0, made.stderr
    copied = run_with("", tmp_path, "bench", "copy", str(ROOT / "fixtures" / "benches" / "hil24.toml"), "mine")
    assert copied.returncode == 0, copied.stderr
    examined = run_with("", tmp_path, "doctor", "--json")
    checks = {check["name"]: check for check in json.loads(examined.stdout)["checks"]}
    assert examined.returncode == 3, examined.stderr
    assert examined.stderr.splitlines()[-1].startswith("error: extra bench:")
    assert not checks["extra bench"]["ok"]
    assert "bench" in checks["extra bench"]["mend"]
    assert checks["bench file"]["ok"]


@pytest.mark.parametrize(
    ("installed", "words", "extra"),
    [
        ("", ("run",), "bench"),
        ("", ("bundle", "build", "run", "--key", "me.key"), "bench"),
        ("edge", ("fleet", "--broker", "local", "--db", "rows.sqlite"), "fleet"),
        ("fleet", ("edge", "--trust", "trust", "--broker", "mqtt://127.0.0.1:9"), "edge"),
        ("bench", ("window",), "window"),
        ("bench", ("replay", "run"), "window"),
        ("bench", (), "window"),
    ],
)
def test_a_verb_without_its_extra_names_it_in_one_sentence(
    installed: str, words: tuple[str, ...], extra: str, tmp_path: Path
) -> None:
    done = run_with(installed, tmp_path, *words)
    assert done.returncode == 3, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert f"pulsebms[{extra}]" in done.stderr


def test_scripts_get_the_missing_extra_as_an_object(tmp_path: Path) -> None:
    done = run_with("", tmp_path, "run", "--json")
    assert done.returncode == 3
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["key"]) == ("package_missing", "bench")


def test_the_smallest_edge_installation_verifies_a_bundle_and_says_what_it_lacks(tmp_path: Path) -> None:
    made = run_with("edge", tmp_path, "bundle", "key", "me", "--out", "trust")
    assert made.returncode == 0, made.stderr
    (tmp_path / "pack.bundle").write_bytes(small(tmp_path / "trust" / "me.key"))
    verdicts = {BundleRefused.code, CheckFailed.code}
    for words in (
        ("verify", "pack.bundle", "--trust", "trust"),
        ("verify", "pack.bundle", "--trust", "trust", "--replay"),
    ):
        done = run_with("edge", tmp_path, "bundle", *words, "--json")
        said = json.loads(done.stdout)
        assert done.returncode == 0 or said["error"]["code"] in verdicts, "a verdict, whatever it is"
        assert "Traceback" not in done.stderr
    examined = run_with("edge", tmp_path, "doctor", "--report", "for_support.zip")
    assert examined.returncode == 3, examined.stderr
    assert "pip install" in examined.stderr
    assert "Traceback" not in examined.stderr
    assert (tmp_path / "for_support.zip").is_file()


def test_help_needs_no_extra(tmp_path: Path) -> None:
    for words in (("--help",), ("run", "--help"), ("bundle", "build", "-h")):
        assert run_with("", tmp_path, *words).returncode == 0, words
