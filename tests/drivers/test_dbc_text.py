"""DBC files as tools write them: their coding, and their units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.canbus.dut_map import read_dut_map
from drivers.errors import BenchFileError
from tests.drivers.foreigndbc import DBC, MAP, changed, written

if TYPE_CHECKING:
    from pathlib import Path

WARM = """[[signal]]
channel = "bms/temperature_1"
unit = "K"
range = [213.15, 423.15]
message = "State"
signal = "Warm"
offset = 273.15
[heartbeat]"""
WARM_MAP = changed(MAP, "[heartbeat]", WARM)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_degree_sign_is_read_in_every_usual_coding(tmp_path: Path, coding: str) -> None:
    dbc = changed(DBC, '"degC"', '"°C"').encode(coding)
    mapped = read_dut_map(written(tmp_path, dbc=dbc, text=WARM_MAP))
    assert mapped.messages["State"].unit("Warm") == "°C"


def test_bytes_that_mean_nothing_are_let_be(tmp_path: Path) -> None:
    dbc = (DBC + 'CM_ "X";\n').encode().replace(b'"X"', b'"\x81\xb0"')
    assert read_dut_map(written(tmp_path, dbc=dbc)).row("bms/contactor")


@pytest.mark.parametrize(
    ("coding", "named"), [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32", "UTF-32")]
)
def test_a_wide_coding_is_refused_by_name(tmp_path: Path, coding: str, named: str) -> None:
    with pytest.raises(BenchFileError, match=f"is {named} text; save it as UTF-8"):
        read_dut_map(written(tmp_path, dbc=DBC.encode(coding)))


def mapped_as(folder: Path, dbc_unit: str, line: str = 'unit = "A"') -> None:
    """The charge limit with that unit in the DBC and that line in the map."""
    dbc = changed(DBC, '(0.1,0) [0|0] "A"', f'(0.1,0) [0|0] "{dbc_unit}"')
    read_dut_map(written(folder, dbc=dbc, text=changed(MAP, 'unit = "A"', line)))


@pytest.mark.parametrize(
    ("dbc_unit", "line"),
    [
        *((spelled, 'unit = "A"') for spelled in ("A", "a", "Amp", "amps", "Ampere", "[A]", " A ", "", "-", "none")),
        *((spelled, 'unit = "V"') for spelled in ("V", "Volt", "volts", "VOLT", "-")),
        *((spelled, 'unit = "1"') for spelled in ("", "-", "bool", "enum", "1", "state")),
        *((spelled, 'unit = "1"\nscale = 0.01') for spelled in ("%", "percent", "[%]")),
        *(
            (spelled, 'unit = "K"\noffset = 273.15')
            for spelled in ("degC", "°C", "deg C", "Deg. C", "Celsius", "degrees Celsius", "\u00baC", "\u2103")
        ),
        ("mA", 'unit = "A"\nscale = 0.001'),
        ("kW", 'unit = "W"\nscale = 1000.0'),
        ("furlong", 'unit = "A"\ndbc_unit = "furlong"'),
        ("V", 'unit = "A"\ndbc_unit = "V"'),
        ("", 'unit = "A"\ndbc_unit = ""'),
    ],
)
def test_units_are_known_however_they_are_spelled(tmp_path: Path, dbc_unit: str, line: str) -> None:
    mapped_as(tmp_path, dbc_unit, line)


@pytest.mark.parametrize(
    ("dbc_unit", "line", "said"),
    [
        ("V", 'unit = "A"', 'is in V; give unit = "V"'),
        ("V", 'unit = "A"\nscale = 2.0', 'is in V; give unit = "V"'),
        ("mA", 'unit = "A"', "is in mA; give scale or offset"),
        ("%", 'unit = "1"', "is in %; give scale or offset"),
        ("°C", 'unit = "K"', "is in °C; give scale or offset"),
        ("°C", 'unit = "V"\noffset = 1.0', 'is in °C; give unit = "K"'),
        ("furlong", 'unit = "A"', 'is in "furlong", which is not known; give dbc_unit = "furlong"'),
        ("furlong", 'unit = "A"\nscale = 201.168', "which is not known"),
        ("furlong", 'unit = "A"\ndbc_unit = "fathom"', 'dbc_unit = "fathom" while Limits.Charge is in "furlong"'),
    ],
)
def test_a_unit_that_does_not_fit_is_told_with_what_to_write(
    tmp_path: Path, dbc_unit: str, line: str, said: str
) -> None:
    with pytest.raises(BenchFileError) as caught:
        mapped_as(tmp_path, dbc_unit, line)
    assert said in str(caught.value)


def test_a_signal_with_a_value_table_has_no_unit(tmp_path: Path) -> None:
    dbc = changed(DBC, 'Closed : 16|2@1+ (1,0) [0|0] ""', 'Closed : 16|2@1+ (1,0) [0|0] "position"')
    table = 'VAL_ 257 Closed 0 "open" 1 "closed" ;\n'
    assert read_dut_map(written(tmp_path, dbc=dbc + table)).words("bms/contactor") == {0: "open", 1: "closed"}
    with pytest.raises(BenchFileError, match="position"):
        read_dut_map(written(tmp_path, dbc=dbc))
