"""A BMS of another maker is connected, armed and certified by its DBC, its map and its profile alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.foreign_bms.process import JOURNAL
from fixtures.journal import read_journal
from tests.drivers.polled import until
from tests.fixtures.foreigndevice import foreign_device
from workbench.certificates.results import Verdict
from workbench.certify import certificate
from workbench.certify.job import CertificationJob
from workbench.certify.runner import Certification, find_suite

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_S = 200.0
ONLY = ("OV-01/7", "OT-01/3", "OV-02", "HB-01")


@pytest.mark.whole_bench
@pytest.mark.timeout(240)
def test_a_foreign_device_is_connected_armed_and_certified_by_map_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with foreign_device(tmp_path, out / "runs") as bench:
        certification = Certification(find_suite("bms"), CertificationJob(bench, out, ONLY))

        def ended() -> bool:
            certification.poll()
            return certification.done

        try:
            until(ended, WITHIN_S)
        finally:
            certification.close()
    found = {case.name: (case.verdict, case.reason) for case in certification.cases}
    lacks = "the device profile foreign24.profile.toml "
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        "OV-01/7": Verdict.PASS,
        "OT-01/3": Verdict.PASS,
        "OV-02/1": Verdict.NA,
        "HB-01": Verdict.NA,
    }, found
    assert f"{lacks}declares no [heartbeat]" in found["HB-01"][1]
    assert f"{lacks}says that [cell_overvoltage] is not latched" in found["OV-02/1"][1]
    made = certificate.write(certification, out)
    assert (made.passed, made.evidence) == (True, "SIM")
    rows = [row for case in made.cases if case.info.id == "OT-01" for row in case.rows]
    (opened,) = (row for row in rows if row.name == "limit to contact")
    assert opened.value == pytest.approx(6900.0, abs=150.0)
    (run,) = (out / "runs").iterdir()
    states = [entry["state"] for entry in read_journal(run / "emulated" / JOURNAL) if entry["event"] == "state"]
    assert states.count("ERROR") == 2
    assert not (run / "emulated" / "bms.log").exists(), "the emulated BMS of this project was started beside it"
