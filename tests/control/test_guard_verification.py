"""What counts as verified: a contact that the instruments read, and a source once the engine has left in order."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from control.guard_link import pipe
from control.guard_messages import ARMED, DISARMED, QUIT, TRIP
from control.guard_process import Guard
from control.guard_reports import GuardEnded, GuardResult, TripReport
from drivers.ring import RingWriter
from tests.control.guardbench import SOON_S, FakeMouth, guard_spec, next_report, soon, written_records
from tests.control.smallbench import TABLE, VALUES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("step", "contact", "times_s", "result"),
    [  # times: age of what was read, and since when it has been asked
        ("contactors open", 0.0, (0.0, 1.0), GuardResult.SAFE),
        ("contactors open", 1.0, (0.0, 1.0), GuardResult.UNKNOWN),
        ("contactors open", 0.0, (2.0, 3.0), GuardResult.UNKNOWN),
        ("contactors open", 0.0, (0.2, 0.1), GuardResult.UNKNOWN),  # read before it was asked to open
        ("contactors open", math.nan, (0.0, 1.0), GuardResult.UNKNOWN),
        ("supply off", 0.0, (0.0, 1.0), GuardResult.UNKNOWN),
    ],
)
def test_what_an_unpowered_device_cannot_verify_a_fresh_open_contact_does_and_nothing_else(
    tmp_path: Path, step: str, contact: float, times_s: tuple[float, float], result: GuardResult
) -> None:
    age_s, takes_s = times_s
    mouth = FakeMouth(after=1_000, step=step, takes_s=takes_s)
    spec = replace(guard_spec(tmp_path, mouth), contact=TABLE.index("bms/state"))
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    row, sampled_s = VALUES.copy(), np.full(len(TABLE), time.monotonic() - age_s)
    row[TABLE.index("bms/state")] = contact
    with RingWriter.create(spec.ring, TABLE, len(TABLE)) as ring:
        ring.publish(time.monotonic(), row, sampled_s, np.zeros(len(TABLE), dtype=np.uint8))
        guard.start()
        engine.send_bytes(TRIP + b"asked for")
        assert next_report(engine, TripReport).result is result
        mouth.after = 0
        engine.close()
        guard.join(SOON_S)
    guard_engine.close()


@pytest.mark.parametrize(
    ("live", "age_s", "result"),
    [(DISARMED, 0.0, GuardResult.SAFE), (DISARMED, 1.0, GuardResult.UNKNOWN), (ARMED, 0.0, GuardResult.UNKNOWN)],
)
def test_the_contact_that_a_dead_engine_read_last_verifies_only_where_nothing_was_live(
    tmp_path: Path, live: bytes, age_s: float, result: GuardResult
) -> None:
    mouth = FakeMouth(after=1_000, step="contactors open")
    spec = replace(guard_spec(tmp_path, mouth), contact=TABLE.index("bms/state"))
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    row = VALUES.copy()
    row[TABLE.index("bms/state")] = 0.0
    with RingWriter.create(spec.ring, TABLE, len(TABLE)) as ring:
        now_s = time.monotonic()
        ring.publish(now_s, row, np.full(len(TABLE), now_s - age_s), np.zeros(len(TABLE), dtype=np.uint8))
        guard.start()
        engine.send_bytes(live)
        engine.close()
        guard.join(SOON_S)
    guard_engine.close()
    records = written_records(spec.report)
    assert [record.result for record in records if isinstance(record, TripReport)][:1] == [result]
    assert records[-1] == GuardEnded(result)


@pytest.mark.parametrize(("in_order", "ends"), [(True, True), (False, False)])
def test_a_source_verified_off_is_enough_once_the_engine_has_left_in_order(
    tmp_path: Path, *, in_order: bool, ends: bool
) -> None:
    source, device = FakeMouth(step="supply off"), FakeMouth(after=1_000, step="contactors open")
    spec = replace(guard_spec(tmp_path, source, device), orphan_s=60.0)
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    with RingWriter.create(spec.ring, TABLE, len(TABLE)):
        guard.start()
        engine.send_bytes(TRIP + b"the client is gone")
        assert soon(lambda: source.spoken and device.spoken)
        if in_order:
            engine.send_bytes(DISARMED)
            engine.send_bytes(QUIT)
        engine.close()
        guard.join(SOON_S if ends else 0.5)
        assert guard.is_alive() is not ends
        device.after = 0
        guard.join(SOON_S)
    guard_engine.close()


def test_a_tripped_guard_ends_with_an_orderly_engine_though_its_device_has_been_switched_off(tmp_path: Path) -> None:
    mouth = FakeMouth()
    spec = replace(guard_spec(tmp_path, mouth), orphan_s=60.0)
    engine, guard_engine = pipe()
    guard = threading.Thread(target=Guard(spec, guard_engine, None, "").run)
    with RingWriter.create(spec.ring, TABLE, len(TABLE)):
        guard.start()
        engine.send_bytes(TRIP + b"asked for")
        assert soon(lambda: mouth.spoken)
        mouth.after = 1_000  # whatever it says now, nothing verifies it any more
        assert soon(lambda: mouth.spoken > 1)
        engine.send_bytes(DISARMED)
        engine.send_bytes(QUIT)
        engine.close()
        guard.join(SOON_S)
        assert not guard.is_alive()
    guard_engine.close()
    assert written_records(spec.report)[-1] == GuardEnded(GuardResult.SAFE)
