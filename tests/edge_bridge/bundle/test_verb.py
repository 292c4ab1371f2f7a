"""The command line, and the plain openssl line of docs/bundles.md."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_bridge.bundle import keys
from tests.edge_bridge.bundle.proof import certificate
from tests.edge_bridge.bundle.small import small
from tests.workbench.own_cli import run_here
from workbench.bundling.bundle_file import write_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.benchfile import Bench
    from tests.edge_bridge.bundle.conftest import Signer
    from workbench.bundling.build import BuiltBundle, BundleOrder

    RunVerb = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ("openssl", "unzip", "base64", "sed", "bash")


def run_bundle(*arguments: object) -> subprocess.CompletedProcess[str]:
    return run_here("bundle", *arguments, folder=ROOT)


def run_apart(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own, as a shell starts it."""
    words = [sys.executable, "main.py", "bundle", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def file(tmp_path: Path, built: BuiltBundle) -> Path:
    """The built bundle on disk."""
    path = tmp_path / "pack.bundle"
    path.write_bytes(built.data)
    return path


@pytest.fixture
def trust(tmp_path: Path, order: BundleOrder) -> Path:
    """A folder that trusts who signed it."""
    folder = tmp_path / "trusted"
    folder.mkdir()
    shutil.copy(order.private.with_suffix(".pem"), folder)
    return folder


@pytest.mark.parametrize("run_verb", [run_bundle, pytest.param(run_apart, marks=pytest.mark.long)])
def test_from_a_key_to_a_verified_bundle(tmp_path: Path, order: BundleOrder, run_verb: RunVerb) -> None:
    made = run_bundle("key", "release", "--out", tmp_path / "keys", "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    out = tmp_path / "out" / "pack.bundle"
    key = ("--key", told["private"], "--serial", 3, "--out", out, "--json")
    done = run_verb("build", order.run, *key)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["file"], answer["class"], answer["serial"]) == (str(out), "SIM", 3)
    shutil.copy(told["public"], trust := tmp_path / "release.pem")
    seen = run_verb("verify", out, "--trust", trust.parent, "--replay", "--json")
    assert seen.returncode == 0, seen.stderr
    said = json.loads(seen.stdout)
    assert (said["sha256"], said["class"], said["reason"]) == (answer["sha256"], "SIM", "")
    assert said["signer"] == f"{told['key_id']} (release.pem)"
    before = out.read_bytes()
    again = run_bundle("build", order.run, *key)
    assert again.returncode == 2
    assert out.read_bytes() == before


def test_an_accepted_deviation_is_printed_wherever_the_bundle_is(
    tmp_path: Path, order: BundleOrder, bench: Bench, trust: Path
) -> None:
    proof = certificate(tmp_path / "proof", bench, only=("OV-01/3",))
    path = tmp_path / "pack.bundle"
    words = ("build", order.run, "--key", order.private, "--certificate", proof, "--out", path)
    refused = run_bundle(*words)
    assert refused.returncode == 1
    assert "--accept REASON" in refused.stderr
    assert not path.exists()
    told = "cases of bms only: OV-01/3: first article"
    built = run_bundle(*words, "--accept", "first article", "--pack-type", "demo")
    assert built.returncode == 0, built.stderr
    assert told in built.stdout
    assert told in run_bundle("show", path).stdout
    verified = run_bundle("verify", path, "--trust", trust, "--json")
    assert json.loads(verified.stdout)["accepted"][0]["reason"] == "first article"


def test_a_flipped_octet_exits_1_with_the_reason(file: Path, trust: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    done = run_bundle("verify", file, "--trust", trust, "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["ok"] is False
    assert said["error"]["key"] == "changed"
    assert "changed" in said["reason"]
    assert (said["signer"], said["class"]) == (None, None)


def test_a_foreign_key_exits_1(file: Path, signer: Signer) -> None:
    done = run_bundle("verify", file, "--trust", signer.trust, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["key"] == "unknown_signer"


def test_simulation_is_refused_where_asked(file: Path, trust: Path) -> None:
    done = run_bundle("verify", file, "--trust", trust, "--refuse-sim", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["key"] == "simulated"


def test_missing_files_and_words_exit_2(file: Path, trust: Path, tmp_path: Path) -> None:
    assert run_bundle("verify", tmp_path / "absent", "--trust", trust).returncode == 2
    assert run_bundle("verify", tmp_path, "--trust", trust).returncode == 2
    assert run_bundle("verify", file, "--trust", tmp_path / "absent").returncode == 2
    assert run_bundle("verify", file).returncode == 2
    assert run_bundle("show", tmp_path / "absent").returncode == 2
    assert run_bundle("build", tmp_path / "absent", "--key", tmp_path / "absent").returncode == 2


def test_a_disk_that_is_full_leaves_no_half_bundle(tmp_path: Path) -> None:
    path, before = tmp_path / "half.bundle", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_file(path, bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_golden_vectors_that_do_not_hold_exit_1(signer: Signer, tmp_path: Path) -> None:
    path = tmp_path / "small.bundle"
    path.write_bytes(small(signer.private, evidence="HIL"))
    done = run_bundle("verify", path, "--trust", signer.trust, "--replay", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] in {"check_failed", "bundle_refused"}


def test_show_says_that_it_believes_nothing(file: Path) -> None:
    done = run_bundle("show", file)
    assert done.returncode == 0
    assert done.stdout.startswith("NOT VERIFIED")
    for word in ("serial 7", "class SIM", "EKF", "golden/estimator.npy", "supply/current", "wiring"):
        assert word in done.stdout
    told = json.loads(run_bundle("show", file, "--json").stdout)
    assert told["verified"] is False


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}")
def test_the_lines_of_the_guide_verify_with_openssl_alone(file: Path, trust: Path, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "bundles.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    folder = tmp_path / "by hand"
    folder.mkdir()

    def run(key: Path) -> subprocess.CompletedProcess[str]:
        where = {"FILE": str(file), "KEY": str(key), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        words = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(words, cwd=folder, env=where, capture_output=True, text=True, check=False)

    (pem,) = trust.glob("*.pem")
    done = run(pem)
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout
    _, foreign = keys.make_key(tmp_path / "foreign", "foreign")
    assert run(foreign).returncode != 0


def test_a_pair_of_keys_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = (run_bundle("key", "me", "--out", tmp_path, "--json") for _ in range(2))
    made, kept = json.loads(first.stdout), json.loads(second.stdout)
    assert (made["new"], kept["new"]) == (True, False)
    assert made["key_id"] == kept["key_id"]
    assert "is kept" in second.stderr
    (tmp_path / "other").mkdir()
    run_bundle("key", "me", "--out", tmp_path / "other")
    shutil.copy(tmp_path / "other" / "me.pem", tmp_path)
    assert run_bundle("key", "me", "--out", tmp_path).returncode == 1, "the halves do not belong together"
    (tmp_path / "me.pem").unlink()
    assert run_bundle("key", "me", "--out", tmp_path).returncode == 1, "a private key alone is not replaced"


@pytest.mark.parametrize("words", [("verify", "--trust", "tests"), ("show",)])
def test_what_is_no_bundle_is_bad_input_and_named(words: tuple[str, ...]) -> None:
    done = run_bundle(*words, "README.md")
    assert done.returncode == 2
    assert done.stderr.startswith("error: README.md is not a bundle")
