"""How old a value may be: its own row's word, the map's, or what the DBC's cycle makes of the pages in use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchFileError
from tests.drivers.candevice import MAPPED
from tests.drivers.foreigndbc import DBC, MAP, changed, written

if TYPE_CHECKING:
    from pathlib import Path


def ages_s(folder: Path, *, dbc: str = DBC, text: str = MAP) -> dict[str, float]:
    mapped = read_dut_map(written(folder, dbc=dbc, text=text))
    return {channel.name: channel.max_age_s for channel in mapped.channels}


def test_without_a_word_it_is_three_cycles_for_each_page_that_the_map_uses(tmp_path: Path) -> None:
    found = ages_s(tmp_path)
    assert found["bms/cell_01/voltage"] == pytest.approx(0.6)  # pages 1 and 2 of the DBC's four
    assert found["bms/main"] == pytest.approx(0.6)
    assert found["bms/level"] == pytest.approx(0.3)  # in every frame


def test_a_dbc_without_a_cycle_time_gives_a_second(tmp_path: Path) -> None:
    assert ages_s(tmp_path)["bms/charge_limit"] == 1.0


def test_no_value_is_believed_beyond_five_seconds(tmp_path: Path) -> None:
    slow = changed(DBC, 'BA_ "GenMsgCycleTime" BO_ 256 100', 'BA_ "GenMsgCycleTime" BO_ 256 60000')
    assert ages_s(tmp_path, dbc=slow)["bms/cell_01/voltage"] == 5.0


def test_the_maps_word_counts_before_the_dbcs_and_the_rows_before_the_maps(tmp_path: Path) -> None:
    text = changed(MAP, "timeout_ms = 300", "timeout_ms = 300\nmax_age_ms = 400")
    text = changed(text, 'signal = "Charge"', 'signal = "Charge"\nmax_age_ms = 250')
    found = ages_s(tmp_path, text=text)
    assert found["bms/charge_limit"] == 0.25
    assert set(found.values()) == {0.25, 0.4}


@pytest.mark.parametrize("wrong", ["0", "5001", "-1", "1.5"])
@pytest.mark.parametrize("after", ["timeout_ms = 300", 'signal = "Charge"'])
def test_an_age_beyond_its_bounds_is_refused(tmp_path: Path, after: str, wrong: str) -> None:
    with pytest.raises(BenchFileError, match="max_age_ms"):
        ages_s(tmp_path, text=changed(MAP, after, f"{after}\nmax_age_ms = {wrong}"))


def test_a_family_shares_the_age_of_its_row(tmp_path: Path) -> None:
    single = 'channel = "bms/cell_01/voltage"\nunit = "V"\nrange = [0.0, 5.0]\nmessage = "State"\nsignal = "Cell"\n'
    family = '[[signals]]\nchannel = "bms/cell_{n:02d}/voltage"\nnumbers = [1, 1]\nunit = "V"\nrange = [0.0, 5.0]\n'
    family += 'message = "State"\nsignal = "Cell"\nmax_age_ms = 700\n'
    text = changed(MAP, "[[signal]]\n" + single, "")
    assert ages_s(tmp_path, text=changed(text, "[heartbeat]", family + "[heartbeat]"))["bms/cell_01/voltage"] == 0.7


def test_every_value_of_the_shipped_map_has_an_age() -> None:
    assert all(0.0 < channel.max_age_s <= 5.0 for channel in MAPPED.channels)
    assert not any(math.isinf(channel.max_age_s) for channel in MAPPED.channels)


def test_pages_within_pages_count_once(tmp_path: Path) -> None:
    dbc = changed(DBC, "SG_ Aux m0 :", "SG_ Aux m0M :")
    dbc = (
        changed(dbc, "SG_ Cell m2 :", "SG_ Cell m3 :")
        + "SG_MUL_VAL_ 256 Cell Aux 3-3;\nSG_MUL_VAL_ 256 Main Page 1-1;\n"
    )
    dbc += "SG_MUL_VAL_ 256 Aux Page 0-0;\nSG_MUL_VAL_ 256 Warm Page 3-3;\n"
    text = changed(MAP, 'signal = "Half"', 'signal = "Aux"').replace(
        'message = "Limits"\nsignal = "Aux"', 'message = "State"\nsignal = "Aux"'
    )
    found = ages_s(tmp_path, dbc=dbc, text=text)
    assert found["bms/cell_01/voltage"] == pytest.approx(0.6)  # page 0 comes with its inner page 3, and page 1
