"""Steps from the bench to a pack elsewhere: certify, sign, install, join the fleet."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from drivers.benchfile.read import read_bench
from drivers.clock import monotonic
from drivers.errors import BenchError, BundleRefused
from drivers.timestamps import make_serial
from edge_bridge.bundle import keys
from edge_bridge.bundle.verify import verify
from workbench.bundling.build import BundleOrder, build
from workbench.certificates.results import Verdict
from workbench.certify import certificate
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification, find_suite
from workbench.compose.broker import start_own_broker
from workbench.compose.defects import NO_DEFECTS
from workbench.compose.named_defects import seed_defect
from workbench.selftest.chain import NODE
from workbench.selftest.step import StepFinding

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.certificates.certificate import Certificate
    from workbench.selftest.context import SelftestContext

DEFECT: Final = "wrong-cell-named"
CERTIFY_S, HEALTHY_S, HEARD_S = 90.0, 60.0, 30.0
LOAD_S, DOWN_S, BACK_S, DARK_S, DRAIN_S = 2.0, 10.0, 2.0, 1.0, 3.0
SHORT_S: Final = 3.0
SIGNER: Final = "selftest"
ACCEPT: Final = "the selftest certifies a few cases and injects faults to test the chain of evidence"
WHERE_TO_FLIP: Final = 0.5  # of the file


def run_certify(context: SelftestContext) -> StepFinding:
    """Certify the first, middle and last cell for over- and under-voltage, on a separate bench."""
    context.close_session()
    folder = context.out / "certificate"
    folder.mkdir()
    middle = (context.cells + 1) // 2
    cells = sorted({1, middle, context.cells})
    only = tuple(f"{case}/{cell}" for case in ("OV-01", "UV-01") for cell in cells)
    defects = seed_defect(DEFECT, middle) if context.defect == "seed-defect" else NO_DEFECTS
    certification = Certification(find_suite("bms"), CertificationJob(context.bench, folder, only, defects=defects))
    try:
        until_s = monotonic() + CERTIFY_S
        while not certification.done and monotonic() < until_s:
            certification.poll()
            time.sleep(0.05)
    finally:
        certification.close()
    made = certificate.write(certification, folder)
    context.chain.certificate, context.chain.report = folder, folder / "report.html"
    return judge_certificate(made, len(only), folder.name)


def judge_certificate(made: Certificate, asked: int, folder: str) -> StepFinding:
    """Return the finding for a certificate of `asked` cases; `ok` is None if all pass but a check was not judged."""
    wrong = [f"{case.info.name} {case.verdict}" for case in made.cases if case.verdict is not Verdict.PASS]
    rows = [row for case in made.cases for row in case.rows]
    passed = len(made.cases) - len(wrong)
    evidence = "; ".join(wrong or made.trouble) or f"{len(rows)} checks, class {made.evidence}, {folder}"
    good = made.passed and len(made.cases) == asked
    reasons = [f"{row.name}: {row.reason}" for row in rows if row.verdict is Verdict.NA]
    ok = None if good and made.not_judged else good
    reason = f"{made.result}: {reasons[0]}" if ok is None else ""
    return StepFinding(ok, passed, "cases", f"all {asked} pass", evidence, reason)


def build_bundle(context: SelftestContext) -> StepFinding:
    """Build and verify one signed file from the selftest's run and certificate; a flipped byte must be refused."""
    run, chain = context.run, context.chain
    if run is None:
        raise BenchError("there is no run to bundle", hint="run the step run as well")
    context.close_session()  # this seals its run
    private, public = keys.make_key(context.out / "keys", SIGNER)
    chain.trust.mkdir(exist_ok=True)
    trusted = keys.make_key(context.out / "keys", "somebody-else")[1] if context.defect == "foreign-key" else public
    (chain.trust / trusted.name).write_bytes(trusted.read_bytes())
    now = datetime.now(UTC).replace(microsecond=0)
    serial, expires = make_serial(now), now + timedelta(days=365)
    order = BundleOrder(
        run, read_bench(context.bench), private, serial, now, expires, "selftest", chain.certificate, ACCEPT
    )
    built = build(order)
    flipped = bytearray(built.data)
    flipped[int(WHERE_TO_FLIP * len(flipped))] ^= 1
    data = bytes(flipped) if context.defect == "flip-bundle-byte" else built.data
    path = context.out / f"selftest-{serial}.bundle"
    path.write_bytes(data)
    found = verify(path.read_bytes(), chain.trust, now=datetime.now(UTC))
    chain.bundle, chain.sha256 = path, found.sha256
    refused = _find_refusal(bytes(flipped), chain.trust)
    about = found.bundle.manifest
    evidence = (
        f"class {about.evidence}, signer {found.signer}; {built.replayed}; one flipped byte: {refused or 'accepted'}"
    )
    return StepFinding(bool(refused), len(data) / 1e3, "kB", "verified; a flipped byte refused", evidence)


def run_edge(context: SelftestContext) -> StepFinding:
    """Start an edge with an emulated pack: it verifies, replays, installs, gets healthy; the fleet sees its birth."""
    chain = context.chain
    if chain.bundle is None:
        raise BenchError("there is no bundle to install", hint="run the step bundle as well")
    chain.broker = start_own_broker(context.out / "broker")
    fleet = chain.start_fleet(chain.broker.url)
    began_s = monotonic()
    process = chain.start_edge(chain.broker.url, chain.bundle, context.pack)
    target = f"healthy within {HEALTHY_S:g} s, the fleet receives its birth"
    if not process.wait_for_line(("healthy",), HEALTHY_S):
        return StepFinding(ok=False, value="not healthy", target=target, evidence=process.read_last_line())
    took_s = monotonic() - began_s
    born = fleet.wait_for_line((NODE, "online", chain.sha256[:12]), HEARD_S)
    evidence = f"{chain.sha256[:12]} runs beside {NODE}" + (
        "" if born else f"; last line of the fleet: {fleet.read_last_line()}"
    )
    return StepFinding(born, took_s, "s to healthy", target, evidence)


def run_fleet(context: SelftestContext) -> StepFinding:
    """Kill the broker under load for ten seconds, then the host: every row must be stored once."""
    chain = context.chain
    broker, process = chain.broker, chain.edge
    if broker is None or process is None or chain.fleet is None:
        raise BenchError("no edge runs", hint="run the step edge as well")
    time.sleep(LOAD_S)
    broker.kill()
    down_s = SHORT_S if context.defect else DOWN_S  # an injected defect shows sooner
    time.sleep(down_s)
    if context.defect != "broker-stays-down":
        broker.restart()
    time.sleep(BACK_S)
    chain.fleet.kill()
    time.sleep(DARK_S)
    host = chain.start_fleet(broker.url)
    host.wait_for_line((NODE, "online"), HEARD_S)
    time.sleep(DRAIN_S)
    produced = process.stop()
    stored = host.stop()
    return _judge_delivery(produced, stored, chain.database, down_s)


def _judge_delivery(
    edge_result: dict[str, Any], fleet_result: dict[str, Any], database: Path, down_s: float
) -> StepFinding:
    """Compare the rows that the edge reports with those in the fleet's table, as sets of (boot, sequence number)."""
    target = "produced = stored, duplicates 0, missing 0"
    boots: dict[str, int] = edge_result.get("boots", {})
    if not boots:
        return StepFinding(ok=False, value="nothing produced", target=target, evidence=str(edge_result.get("error")))
    produced = {(boot, seq) for boot, last in boots.items() for seq in range(1, last + 1)}
    rows = _read_stored(database)
    stored = set(rows)
    missing, foreign, twice = len(produced - stored), len(stored - produced), len(rows) - len(stored)
    agrees = all(fleet_result.get(name) == value for name, value in (("stored", len(stored)), ("missing", missing)))
    outage_s = float(edge_result.get("outage_s", 0.0))
    ok = not missing and not foreign and not twice and agrees and outage_s >= 0.8 * down_s
    evidence = (
        f"produced {len(produced)}, stored {len(stored)}, duplicates {twice}, missing {missing}; "
        f"{outage_s:.1f} s without a broker, the host killed once, {fleet_result.get('resent', 0)} rows were sent again"
    )
    return StepFinding(ok, missing + twice + foreign, "rows wrong", target, evidence)


def _read_stored(database: Path) -> list[tuple[str, int]]:
    if not database.exists():
        return []
    connection = sqlite3.connect(database)
    try:
        return connection.execute("SELECT +boot, +seq FROM row WHERE node = ?", (NODE,)).fetchall()
    finally:
        connection.close()


def _find_refusal(data: bytes, trust: Path) -> str:
    """Return why the bundle is refused; empty where it is accepted."""
    try:
        verify(data, trust, now=datetime.now(UTC))
    except BundleRefused as error:
        return str(error.key)
    return ""
