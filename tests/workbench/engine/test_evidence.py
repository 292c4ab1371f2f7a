"""What the connected peers say of a session's class of evidence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from drivers.benchfile.read import read_recorded_bench
from drivers.event import Level
from drivers.evidence_class import HIL, SIM
from drivers.runlog.folder import load
from drivers.runlog.recorder import Recorder
from tests.drivers.runs import MEASURED, META, TABLE, tick
from tests.workbench.live import HIL24
from workbench.engine.evidence import confirm_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile import Bench

ELSEWHERE = {"cell_simulator": "192.0.2.11", "supply": "192.0.2.12", "io_box": "192.0.2.13"}


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Recorder.create(tmp_path / "run", TABLE, META | {"evidence": HIL}, MEASURED) as made:
        made.put(*tick(0))
        yield made


def real_bench() -> Bench:
    text = HIL24.read_text(encoding="utf-8").replace('interface = "emulated"', 'interface = "pcan"')
    for name, host in ELSEWHERE.items():
        text = text.replace(f'"emulated:{name}"', f'"{host}:5025"')
    return read_recorded_bench("real.toml", text)


def confirmed(recorder: Recorder, peers: dict[str, str], desk: object = None) -> tuple[str, list[Level]]:
    """The class that is left of HIL, and the levels of what was told."""
    station = SimpleNamespace(bench=real_bench(), peers=peers, emulated=desk, evidence_class=HIL, recorder=recorder)
    told: list[Level] = []
    confirm_evidence(cast("Any", station), lambda event: told.append(event.level))
    return station.evidence_class, told


def test_peers_that_are_other_machines_leave_the_class_alone(recorder: Recorder) -> None:
    assert confirmed(recorder, ELSEWHERE) == (HIL, [])
    assert load(recorder.folder).meta["evidence"] == HIL


def test_a_peer_that_is_this_machine_lowers_the_class_in_the_run_as_well(recorder: Recorder) -> None:
    assert confirmed(recorder, ELSEWHERE | {"supply": "127.0.0.1"}) == (SIM, [Level.WARNING])
    assert load(recorder.folder).meta["evidence"] == SIM
    assert recorder.close().meta["evidence"] == SIM


def test_a_bench_with_emulated_parts_needs_no_word_about_its_peers(recorder: Recorder) -> None:
    assert confirmed(recorder, ELSEWHERE | {"supply": "127.0.0.1"}, desk=object()) == (HIL, [])
