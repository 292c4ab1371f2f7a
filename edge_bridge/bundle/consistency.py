"""The check that the members of a signed bundle agree with its manifest and with each other.

A signature proves who signed, not that the members belong together.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile import read_recorded_bench
from drivers.benchfile.document import Document
from drivers.benchfile.inputs import PARAMETERS, list_names
from drivers.benchfile.model import ROLES
from drivers.errors import BenchFileError, BundleRefused
from edge_bridge.bundle import canonical_json, golden_estimator, limits, vectors
from edge_bridge.bundle.dfn_difference import check_dfn_differences
from edge_bridge.bundle.evidence import weakest
from edge_bridge.bundle.lanes import describe_lanes
from edge_bridge.bundle.manifest import (
    BENCH,
    CERTIFICATE,
    EVIDENCE,
    GOLDEN,
    GOLDEN_ESTIMATOR,
    GOLDEN_GATE,
    GOLDEN_PACK_GATE,
    LANES,
    LIMITS,
)
from edge_bridge.bundle.promotion import PROMOTION, check_promotion

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.benchfile import Bench
    from edge_bridge.bundle.manifest import Bundle

MIN_TICKS: Final = 100  # of the golden vectors; a builder takes no shorter segment of a run
VERDICTS: Final = frozenset({"allowed", "held", "tripped"})  # both gates must show each of them
PASS: Final = "PASS"  # noqa: S105  # a verdict
NOT_PASSED: Final = frozenset({"FAIL", "ERROR", "BLOCKED"})
ONLY: Final = "only"  # the kind of an accepted deviation: some cases of the suite


def check_consistency(bundle: Bundle) -> None:
    """Raise `BundleRefused` (inconsistent) that names the member which does not agree with the others."""
    try:
        bench = read_recorded_bench(BENCH, bundle.bench_text, bundle.cell_text)
    except (BenchFileError, ValueError) as error:
        raise _make_error(BENCH, str(error)) from error
    checks: tuple[tuple[str, Callable[[Bundle, Bench], None]], ...] = (
        (BENCH, _check_names),
        (LANES, _check_lanes),
        (LIMITS, _check_limits),
        (EVIDENCE, _check_evidence),
        (CERTIFICATE, _check_certificate),
        (GOLDEN, _check_golden),
        (PROMOTION, lambda bundle, _bench: check_promotion(bundle)),
    )
    for member, check in checks:
        try:
            check(bundle, bench)
        except KeyError as error:
            raise _make_error(member, f"{error} is missing") from error
        except (AttributeError, BenchFileError, TypeError, ValueError) as error:
            raise _make_error(member, str(error)) from error


def list_accepted(bundle: Bundle) -> list[dict[str, str]]:
    """Return the accepted deviations: `kind`, `what` deviates and the `reason`; raise `ValueError`, `TypeError`."""
    rows: Any = bundle.evidence.get("accepted", [])
    return [{key: _require_text(row[key], key) for key in ("kind", "what", "reason")} for row in rows]


def _check_names(bundle: Bundle, bench: Bench) -> None:
    """Check that an edge reads no file outside the bundle."""
    for name in _list_names(bundle, bench):
        if name not in bundle.files:
            raise ValueError(f"it names {name!r}, which is not in the bundle")


def _list_names(bundle: Bundle, bench: Bench) -> tuple[str, ...]:
    """Return the names of the files that bench file and device map name."""
    name = posixpath.normpath(bench.dut.map)
    if name not in bundle.files:
        raise ValueError(f"it names {name!r}, which is not in the bundle")
    return list_names(bench, Document.parse(bench.dut_map, bundle.files[name].decode("utf-8-sig")))


def _check_lanes(bundle: Bundle, bench: Bench) -> None:
    parameters: Any = bundle.lanes["parameters"]
    if parameters is not None and not (parameters in bundle.files and parameters.startswith(PARAMETERS)):
        raise ValueError(f"it names parameters {parameters!r}, which are not in the bundle")
    if canonical_json.dump_json(describe_lanes(bench, parameters)) != bundle.files[LANES]:
        raise ValueError("it and the bench file have different lanes")
    if bundle.manifest.lanes != {role: bench.active(role).name for role in ROLES}:
        raise ValueError("manifest and bench file have different active lanes")


def _check_limits(bundle: Bundle, bench: Bench) -> None:
    """Check that the limits are those of the bench file, whose hash the certificate has."""
    limits.read_checked_channels(bundle.files[LIMITS], bench)


def _check_evidence(bundle: Bundle, bench: Bench) -> None:
    about, evidence = bundle.manifest, bundle.evidence
    least = weakest(link["class"] for link in evidence["links"])
    if not about.evidence == evidence["class"] == least:
        raise ValueError(f"the manifest has class {about.evidence}, the weakest class of its evidence is {least}")
    if bench.emulated_parts and least != "SIM":
        raise ValueError(f"it has class {least}, but the bench file names emulated parts")
    if evidence["run"]["name"] != about.run:
        raise ValueError(f"the manifest names run {about.run!r}, it names {evidence['run']['name']!r}")
    list_accepted(bundle)
    check_dfn_differences(bundle, bench)
    if about.pack_type:
        _check_hashes(bundle, evidence["files"], bench)


def _check_hashes(bundle: Bundle, hashes: dict[str, str], bench: Bench) -> None:
    """Check that the members are the files with which the run was recorded."""
    parameters: Any = bundle.lanes["parameters"]
    for name in (*_list_names(bundle, bench), *([] if parameters is None else [parameters])):
        if hashes[name] != bundle.manifest.files[name].sha256:
            raise ValueError(f"{name} is not the file with which the run was recorded")


def _check_certificate(bundle: Bundle, _: Bench) -> None:
    summary, certificate = bundle.evidence["certificate"], bundle.certificate
    if (summary is None) != (certificate is None):
        raise ValueError("the evidence has a certificate, the bundle has none, or the reverse")
    if certificate is None:
        return
    for key in ("suite", "class", "made", "passed", "counts"):
        if certificate[key] != summary[key]:
            raise ValueError(f"its {key} is {certificate[key]!r}, the evidence has {summary[key]!r}")
    if {"link": f"certificate {certificate['suite']}", "class": certificate["class"]} not in bundle.evidence["links"]:
        raise ValueError("the evidence has no link to it")
    if certificate["passed"] is not True:
        raise ValueError("it did not pass")
    verdicts = [row["verdict"] for row in (*certificate["cases"], *certificate["runs"])]
    if wrong := NOT_PASSED.intersection(verdicts):
        raise ValueError(f"it contains {min(wrong)}")
    if PASS not in verdicts:
        raise ValueError("it contains no case that passed")
    if bundle.manifest.pack_type:
        _check_certified(bundle, certificate)


def _check_certified(bundle: Bundle, certificate: dict[str, Any]) -> None:
    """Check that the certificate is for this bench file with all its inputs, and for the whole suite."""
    if certificate["bench"]["sha256"] != bundle.manifest.files[BENCH].sha256:
        raise ValueError("it is for another bench file")
    if certificate["bench"]["files"] != bundle.evidence["files"]:
        raise ValueError("it is for other files than those with which the run was recorded")
    if certificate["only"] and ONLY not in [row["kind"] for row in list_accepted(bundle)]:
        raise ValueError("it is for some cases of its suite only, and nobody accepted that")


def _check_golden(bundle: Bundle, bench: Bench) -> None:
    golden = bundle.json(GOLDEN)
    columns = golden_estimator.inputs_width(bench.pack.cells) + int(golden["estimator"]["answers"])
    ticks = len(vectors.decode_table(bundle.files[GOLDEN_ESTIMATOR], columns))
    first, last = golden["ticks"]
    if ticks < MIN_TICKS or last - first != ticks:
        raise ValueError(f"it has golden vectors of {ticks} ticks for {last - first}, at least {MIN_TICKS} are needed")
    for key, member in (("gate", GOLDEN_GATE), ("pack_gate", GOLDEN_PACK_GATE)):
        if missing := VERDICTS - {row["verdict"] for row in golden[key]}:
            raise ValueError(f"no command of {member} is {min(missing)}")


def _require_text(value: Any, key: str) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"the {key} of an accepted deviation is not a text")
    return value


def _make_error(member: str, why: str) -> BundleRefused:
    hint = "build it again with this version"
    return BundleRefused(f"contradicts itself: {member}: {why}", key="inconsistent", value=member, hint=hint)
