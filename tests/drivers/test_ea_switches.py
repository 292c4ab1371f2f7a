"""The supply's driver against each plausible reading of what its guide leaves open: it works, or says what is amiss."""

from __future__ import annotations

import time
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import BenchError
from drivers.ports import LinkState
from drivers.scpi import ea_psb10000
from drivers.scpi.link import ScpiLink
from fixtures.behaviour import EaBehaviour
from fixtures.journal import read_journal
from tests.drivers import served
from tests.drivers.bench_instruments import make_supply
from tests.drivers.polled import known, running, until

GUIDES_OWN = "EA Elektro-Automatik GmbH&Co.KG, PSB 10080-340, 2023120002, V3.06 24.05.2023 V3.03 05.10.2022 V1.0.0"


WORK: list[dict[str, Any]] = [
    {},
    {"identity": GUIDES_OWN},
    {"terminator": "\r\n"},
    {"unit_space": True},
    {"ratings_with_unit": False},
    {"decimals": 1},
    {"decimals": 0},
    {"kilowatts": True},
    {"parser": "20000"},
    {"sixth": "first five"},
    {"longest": 0},
    {"alarm_blocks": False},
    {"reset_keeps_set_values": True},
    {"supervision_counts": "holder"},
    {"longest_delay_s": 0.3},
]


def test_no_switch_is_untried() -> None:
    assert served.find_tried(Path(__file__), "supply", WORK) == {field.name for field in fields(EaBehaviour)}


@pytest.mark.parametrize("behaviour", WORK, ids=str)
def test_the_driver_works_whichever_it_is(tmp_path: Path, behaviour: dict[str, Any]) -> None:
    with served.supply(tmp_path, **behaviour) as unit, running(supply := make_supply(unit.address)):
        unit.loom["contactor"][0] = 1.0
        supply.lock(on=True)
        supply.prepare()
        supply.output(on=True)
        supply.set_current(20.0)
        until(lambda: abs(known(supply).values[2] - 20.0) < 0.6)
        assert supply.health().detail == ""
        supply.output(on=False)
        supply.lock(on=False)
        assert supply.errors() == []


@pytest.mark.parametrize("surplus", ["refuse", "queue"])
def test_a_unit_that_serves_one_client_takes_no_guard_and_arming_says_so(tmp_path: Path, surplus: str) -> None:
    with (
        served.supply(tmp_path, clients=1, surplus=surplus) as unit,
        running(supply := make_supply(unit.address, obey=0.2)),
    ):
        mouth = ea_psb10000.off_commands(unit.address, 0.2).open()
        supply.lock(on=True)
        assert not supply.connections_ok(mouth.send_unverified)
        mouth.close()


@pytest.mark.parametrize("surplus", ["refuse", "queue"])
def test_a_unit_whose_one_client_is_another_is_told_at_connect(tmp_path: Path, surplus: str) -> None:
    with served.supply(tmp_path, clients=1, surplus=surplus) as unit:
        mouth = ea_psb10000.off_commands(unit.address, 0.2).open()
        until(mouth.keep_alive)
        with running(
            supply := make_supply(unit.address), LinkState.DROPPED if surplus == "refuse" else LinkState.SILENT
        ):
            assert "it may accept only one client, and the guard needs a second connection" in supply.health().detail
        mouth.close()


def test_a_unit_that_serves_the_newest_client_alone_takes_no_guard_either(tmp_path: Path) -> None:
    with served.supply(tmp_path, clients=1, surplus="replace") as unit, running(supply := make_supply(unit.address)):
        mouth = ea_psb10000.off_commands(unit.address, 0.2).open()
        until(lambda: supply.health().state is LinkState.DROPPED)  # by the guard, and the guard by the next try
        with pytest.raises(BenchError):
            supply.lock(on=True)
        mouth.close()


def test_a_unit_that_does_not_know_the_safe_settings_is_refused_by_name(tmp_path: Path) -> None:
    with (
        served.supply(tmp_path, settings_known=False) as unit,
        running(supply := make_supply(unit.address), LinkState.UNFIT),
    ):
        assert "does not support SYST:ALAR:ACT:OTEM?" in supply.health().detail
        assert "-100 Command error" in supply.health().detail


def test_remote_control_that_another_interface_holds_is_told_when_arming(tmp_path: Path) -> None:
    with served.supply(tmp_path) as unit:
        unit.instrument.control.elsewhere = True
        with running(supply := make_supply(unit.address, obey=0.2)):
            assert supply.found_owner == "REMOTE"
            supply.lock(on=True)
            with pytest.raises(BenchError, match=r"refuses to change output after over-temp.*-221 Settings conflict"):
                supply.prepare()


def test_settings_are_safe_while_it_is_held_and_as_found_afterwards(tmp_path: Path) -> None:
    with served.supply(tmp_path) as unit:
        control = unit.instrument.control
        control.after_remote = control.after_power_fail = control.after_power_on = True

        def read_returns() -> tuple[bool, ...]:
            """Whether the output comes back or stays on by itself, by what has happened."""
            return control.after_overheating, control.after_power_fail, control.after_power_on, control.after_remote

        with running(supply := make_supply(unit.address)):
            assert read_returns() == (False, False, False, False)
            assert (control.supervised, control.supervision_s) == (True, 2.0)
            assert supply.health().state is LinkState.OK
            supply.restore()
        assert read_returns() == (True, True, True, True)
        assert (control.supervised, control.supervision_s) == (False, 5.0)
        assert control.owner == "NONE"
        assert supply.news()[-1].text.startswith("restored: ")


def test_settings_stay_safe_where_the_output_is_still_on(tmp_path: Path) -> None:
    with served.supply(tmp_path) as unit:
        with running(supply := make_supply(unit.address)):
            supply.lock(on=True)
            supply.prepare()
            supply.output(on=True)
            supply.restore()
        assert unit.instrument.control.supervised
        assert "its output is on" in supply.news()[-1].text


def test_a_bench_that_falls_silent_is_switched_off_by_the_supply_itself(tmp_path: Path) -> None:
    with served.supply(tmp_path) as unit:
        control = unit.instrument.control
        with running(supply := make_supply(unit.address)):
            supply.lock(on=True)
            supply.prepare()
            supply.output(on=True)
        assert control.device.output
        control.received_s -= 2.0  # the clock of its supervision, stepped
        until(lambda: not control.device.output)
        assert control.supervision_ended


def test_an_alarm_that_is_over_does_not_keep_the_bench_from_arming(tmp_path: Path) -> None:
    with served.supply(tmp_path) as unit, running(supply := make_supply(unit.address)):
        unit.instrument.control.device.tripped.add("OVP")
        until(lambda: "over-voltage (OVP)" in supply.health().detail)
        supply.lock(on=True)
        supply.prepare()
        supply.output(on=True)
        assert "alarm acknowledged: over-voltage (OVP)" in [event.text for event in supply.news()]


def test_messages_keep_five_commands_and_256_bytes(tmp_path: Path) -> None:
    with served.supply(tmp_path) as unit, running(supply := make_supply(unit.address)):
        mouth = ea_psb10000.off_commands(unit.address, 0.5).open()
        until(mouth.keep_alive)
        supply.lock(on=True)
        supply.prepare()
        assert supply.connections_ok(mouth.send_unverified)
        supply.output(on=True)
        supply.set_current(5.0)
        (result,) = mouth.execute()
        assert result.verified
        supply.lock(on=False)
        mouth.close()
    entries = [entry for entry in read_journal(unit.journal) if "in" in entry]
    assert max(entry["in"].count(";") + 1 for entry in entries) == 5
    assert max(len(entry["in"]) + 1 for entry in entries) <= 256


def test_neither_connection_sends_two_messages_within_five_milliseconds(tmp_path: Path) -> None:
    with served.supply(tmp_path) as unit, ScpiLink.open(unit.address, gap_s=ea_psb10000.GAP_S) as link:
        word = ea_psb10000.off_commands(unit.address, 0.5)
        mouth = word.open()
        until(mouth.keep_alive)
        for write in (link.write, mouth.send_unverified):
            sent_s: list[float] = []
            for _ in range(4):
                write(b"SYST:LOCK ON\n")
                sent_s.append(time.monotonic())
            assert min(later - sooner for sooner, later in pairwise(sent_s)) >= 0.005
        mouth.close()
