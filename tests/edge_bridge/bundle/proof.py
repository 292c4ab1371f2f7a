"""Certificates as certify leaves them, runs with another description, and the refusal to build from them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from drivers.benchfile.inputs import hash_inputs
from drivers.errors import PulseError, Refused
from drivers.runlog.folder import ABOUT
from tests.edge_bridge.bundle.conftest import HIL24
from workbench.bundling.build import BundleOrder, build
from workbench.certificates.certificate import Certificate
from workbench.certificates.encoder import encode_certificate
from workbench.certificates.results import CaseCheck, CaseInfo, CaseResult, Verdict
from workbench.certificates.suites import SUITES, hash_suite

if TYPE_CHECKING:
    from pathlib import Path

    from drivers.benchfile import Bench

SHIPPED_SHA256 = hash_suite(SUITES / "bms")
INFO = CaseInfo("OV-01", "Opens.", (), "", 3, "3", "test[3]")


def case(verdict: Verdict) -> CaseResult:
    """A case with one check of that verdict."""
    check = CaseCheck("limit to contact", 113.6, "ms", 100.0, 160.0, 11.9, verdict, "late")
    return CaseResult(INFO, verdict, "late", checks=(check,))


def proof(of: Bench, verdict: Verdict = Verdict.PASS, **changes: Any) -> Certificate:
    """A certificate of the shipped suite with one case, made with the bench's present files."""
    whole = Certificate(
        suite="bms",
        evidence="HIL",
        made="2026-03-01T11:00:00Z",
        passed=verdict is Verdict.PASS,
        counts={verdict: 1},
        cases=(case(verdict),),
        bench_file=of.path.name,
        bench_sha256=hashlib.sha256(of.path.read_bytes()).hexdigest(),
        versions={},
        instruments=("NGI N83624",),
        suite_sha256=SHIPPED_SHA256,
        files=hash_inputs(of),
    )
    return replace(whole, **changes)


def certificate(folder: Path, of: Bench, *, verdict: str = "PASS", keys: Any = None, **changes: Any) -> Path:
    """Write one with other fields, and with other `keys` of its JSON."""
    folder.mkdir(exist_ok=True)
    said: dict[str, Any] = encode_certificate(proof(of, Verdict(verdict), **changes)) | dict(keys or {})
    (folder / "certificate.json").write_text(json.dumps(said, indent=3))
    return folder


def copied_bench(folder: Path) -> Path:
    """Copy the emulated bench with all files that it names; return its bench file."""
    shutil.copytree(HIL24.parent, folder / "benches")
    (folder / "bms").mkdir()
    shutil.copy(HIL24.parents[1] / "bms" / "thresholds.toml", folder / "bms")
    return folder / "benches" / HIL24.name


def refused(order: BundleOrder, kind: type[PulseError] = Refused) -> str:
    """The sentence by which building is refused."""
    with pytest.raises(kind) as caught:
        build(order)
    assert caught.value.hint
    return str(caught.value)


def edited(order: BundleOrder, folder: Path, **changes: Any) -> BundleOrder:
    """The same run with another `run.json`."""
    copied = folder / "edited"
    shutil.copytree(order.run, copied)
    said = json.loads((copied / ABOUT).read_text())
    said["meta"] |= changes.pop("meta", {})
    (copied / ABOUT).write_text(json.dumps(said | changes))
    return replace(order, run=copied)
