"""The headers of each maker are recognised, with their units, preambles, times and signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from drivers.logs.log import CellLog, read_log
from tests.drivers.logs.synthetic import Recorded, record, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Rows = list["Sequence[Any]"]


def clock_text(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{round(seconds % 1 * 1000):03d}"


def charged(log: Recorded) -> list[float]:
    return np.concatenate([[0.0], np.cumsum(np.maximum(np.diff(log.ah), 0.0))]).tolist()


def discharged(log: Recorded) -> list[float]:
    return np.concatenate([[0.0], np.cumsum(np.maximum(-np.diff(log.ah), 0.0))]).tolist()


def arbin(log: Recorded) -> Rows:
    header = "Data_Point,Test_Time(s),Date_Time,Step_Time(s),Step_Index,Current(A),Voltage(V),Charge_Capacity(Ah),"
    names = (header + "Discharge_Capacity(Ah),dV/dt(V/s),Aux_Temperature_1 (C)").split(",")
    rows = zip(
        log.t_s.tolist(), log.charge_a.tolist(), log.voltage_v.tolist(), charged(log), discharged(log), strict=True
    )
    return [
        names,
        *([k, t, "2015-11-12 10:10:17", t, 1, i, v, c, d, 0, 25.0] for k, (t, i, v, c, d) in enumerate(rows, 1)),
    ]


def digatron(log: Recorded) -> Rows:
    """The export of the McMaster data sets: a preamble, the units in a row of their own, times as text."""
    names = [
        "Time Stamp",
        "Step",
        "Status",
        "Prog Time",
        "Step Time",
        "Cycle",
        "Procedure",
        "Voltage",
        "Current",
        "Temperature",
        "AhAccu",
        "WhAccu",
    ]
    units = ["", "", "", "", "", "", "", "[V]", "[A]", "[°C]", "[Ah]", "[Wh]"]
    rows = zip(log.t_s.tolist(), log.voltage_v.tolist(), log.charge_a.tolist(), log.ah.tolist(), strict=True)
    text = [
        ["10/29/2018 2:10:04 PM", 1, "DCH", clock_text(t), "00:00:01", 0, "HG2", v, i, 25.0, ah, 0.0]
        for t, v, i, ah in rows
    ]
    return [["Digatron log"], ["Battery", "HG2"], ["Operator", "PK"], [], names, units, *text]


def maccor(log: Recorded) -> Rows:
    """Current and capacity without sign, the capacity of each step, the direction as a letter."""
    names = [
        "Rec#",
        "Cyc#",
        "Step",
        "Test (Sec)",
        "Step (Sec)",
        "Amp-hr",
        "Watt-hr",
        "Amps",
        "Volts",
        "State",
        "DPt Time",
    ]
    letters = {1: "C", -1: "D", 0: "R"}
    step, capacity, rows = 0, 0.0, list[Any]()
    for k, state in enumerate(log.state):
        if k and state != log.state[k - 1]:
            step, capacity = step + 1, 0.0
        capacity += abs(log.ah[k] - log.ah[k - 1]) if k else 0.0
        size, v = abs(float(log.current_a[k])), float(log.voltage_v[k])
        rows.append(
            [k, 1, step, float(log.t_s[k]), 0.0, float(capacity), 0.0, size, v, letters[state], "01-Feb-20 10:00:00 AM"]
        )
    return [["Today's Date 02/01/2020", "Date of Test: 02/01/2020"], names, *rows]


def biologic(log: Recorded) -> Rows:
    names = [
        "mode",
        "ox/red",
        "error",
        "Ns changes",
        "time/s",
        "control/V/mA",
        "Ewe/V",
        "I/mA",
        "(Q-Qo)/mA.h",
        "Q charge/discharge/mA.h",
    ]
    rows = zip(
        log.t_s.tolist(), log.voltage_v.tolist(), (1000 * log.charge_a).tolist(), (1000 * log.ah).tolist(), strict=True
    )
    head = [["EC-Lab ASCII FILE"], ["Nb header lines : 5"], [], ["Technique : GCPL"]]
    return [*head, names, *([1, 1, 0, 0, t, i, v, i, q, q] for t, v, i, q in rows)]


def neware(log: Recorded) -> Rows:
    """The time of the step starts again; the total time is text."""
    head = "DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time,Current(A),Voltage(V),Capacity(Ah)"
    names = f"{head},Chg. Cap.(Ah),DChg. Cap.(Ah),Date,T1(℃)"
    words = {1: "CC Chg", -1: "CC DChg", 0: "Rest"}
    rows = zip(
        log.t_s.tolist(),
        log.charge_a.tolist(),
        log.voltage_v.tolist(),
        charged(log),
        discharged(log),
        log.state,
        strict=True,
    )
    return [
        names.split(","),
        *(
            [k, 1, 1, words[s], clock_text(t % 10), clock_text(t), i, v, c + d, c, d, "2022-05-05 11:12:13", 25.0]
            for k, (t, i, v, c, d, s) in enumerate(rows, 1)
        ),
    ]


def bdf(log: Recorded) -> Rows:
    names = [
        "Test Time / s",
        "Voltage / V",
        "Current / A",
        "Unix Time / s",
        "Charging Capacity / Ah",
        "Discharging Capacity / Ah",
    ]
    rows = zip(
        log.t_s.tolist(), log.voltage_v.tolist(), log.charge_a.tolist(), charged(log), discharged(log), strict=True
    )
    return [[*names, "Temperature T1 / degC"], *([t, v, i, 1.7e9 + t, c, d, 25.0] for t, v, i, c, d in rows)]


def bdf_machine_names(log: Recorded) -> Rows:
    rows = zip(log.t_s.tolist(), log.voltage_v.tolist(), log.charge_a.tolist(), log.ah.tolist(), strict=True)
    names = ["test_time_second", "voltage_volt", "current_ampere", "net_capacity_ah", "surface_temperature_celsius"]
    return [names, *([t, v, i, ah, 25.0] for t, v, i, ah in rows)]


def bitrode(log: Recorded) -> Rows:
    head = "Exclude,Time(s),Cycle,Loop,Loop,Loop,Step,StepTime(s),Current(A),Voltage(V)"
    names = f"{head},Power(W),Capacity(Ah),Energy(Wh),Mode,Data,"
    words = {1: "CHRG", -1: "DCHG", 0: "REST"}
    rows = zip(log.t_s.tolist(), log.charge_a.tolist(), log.voltage_v.tolist(), log.ah.tolist(), log.state, strict=True)
    return [
        names.split(","),
        *(["No", t, 1, 1, 1, 1, 1, 1.0, i, v, i * v, ah, 0.0, words[s], " ", ""] for t, i, v, ah, s in rows),
    ]


LAYOUTS: dict[str, tuple[Callable[[Recorded], Rows], str, str]] = {
    "arbin": (arbin, ",", "Arbin"),
    "digatron": (digatron, ",", "Digatron"),
    "maccor": (maccor, "\t", "Maccor"),
    "biologic": (biologic, "\t", "BioLogic"),
    "neware": (neware, ",", "Neware"),
    "bdf": (bdf, ",", "BDF"),
    "bdf_machine_names": (bdf_machine_names, ",", ""),
    "bitrode": (bitrode, ",", "Bitrode"),
}


def assert_holds(read: CellLog, log: Recorded, *, within: float = 2e-6) -> None:
    assert len(read) == len(log.t_s)
    np.testing.assert_allclose(read.time_s - read.time_s[0], log.t_s - log.t_s[0], atol=1.1e-3)
    np.testing.assert_allclose(read.voltage_v, log.voltage_v, atol=within)
    np.testing.assert_allclose(read.current_a, log.current_a, atol=within)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_of_a_maker_is_read_without_options(layout: str, tmp_path: Path) -> None:
    rows, delimiter, vendor = LAYOUTS[layout]
    log = record()
    read = read_log(write_rows(tmp_path / "log.txt", rows(log), delimiter))
    assert_holds(read, log)
    assert read.vendor == vendor
    assert read.ah is not None
    np.testing.assert_allclose(read.ah - read.ah[0], log.ah, atol=1e-3 if layout == "maccor" else 2e-4)
    if layout not in {"maccor", "biologic", "bitrode"}:
        assert read.temperature_k is not None
        np.testing.assert_allclose(read.temperature_k, 298.15)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_layout_is_read_with_decimal_commas(layout: str, delimiter: str, tmp_path: Path) -> None:
    rows, _, _ = LAYOUTS[layout]
    log = record()
    assert_holds(read_log(write_rows(tmp_path / "log.csv", rows(log), delimiter, comma=True)), log)


def test_row_names_the_line_of_the_file(tmp_path: Path) -> None:
    rows = digatron(record())
    read = read_log(write_rows(tmp_path / "log.csv", rows))
    assert read.row[0] == 7
    assert read.row[-1] == len(rows)


def test_quoted_cells_with_groups_of_thousands_are_numbers(tmp_path: Path) -> None:
    log = record()
    rows = [
        f'"{1000 * v:,.3f}","{t:,.1f}","{i:.3f}"' for v, t, i in zip(log.voltage_v, log.t_s, log.charge_a, strict=True)
    ]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(['"Voltage (mV)","Time (s)","Current (A)"', *rows]), "utf-8")
    assert_holds(read_log(path), log, within=1e-5)


def test_quoted_cells_with_decimal_commas_are_numbers(tmp_path: Path) -> None:
    log = record()
    rows = zip(log.t_s.tolist(), log.voltage_v.tolist(), log.charge_a.tolist(), strict=True)
    lines = [",".join('"' + f"{value:.6f}".replace(".", ",") + '"' for value in row) for row in rows]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(["Time (s),Voltage (V),Current (A)", *lines]), "utf-8")
    assert_holds(read_log(path), log)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\n"])
def test_encodings_and_line_ends_of_exports_are_read(encoding: str, line_end: str, tmp_path: Path) -> None:
    log = record()
    rows = [f"{t},{v:.6f},{i:.6f},25" for t, v, i in zip(log.t_s, log.voltage_v, log.charge_a, strict=True)]
    text = line_end.join(["Time [s],Voltage [V],Current [A],Temperature [°C]", *rows])
    path = tmp_path / "log.csv"
    path.write_bytes(text.encode(encoding))
    read = read_log(path)
    assert_holds(read, log)
    assert read.temperature_k is not None
