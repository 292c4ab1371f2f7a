"""A cell that follows its current by one rule, and writers of small logs of it in the layouts of cyclers."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from drivers.snapshot import Floats

OHM = 0.05
CAPACITY_AH = 2.0


@dataclass(frozen=True)
class Recorded:
    """One log: time (s), voltage (V), current (A, discharge positive), temperature (degC) and charge put in (Ah)."""

    t_s: Floats
    voltage_v: Floats
    current_a: Floats
    temperature_c: Floats
    ah: Floats

    @property
    def charge_a(self) -> Floats:
        return -self.current_a

    @property
    def state(self) -> list[int]:
        return np.sign(self.charge_a).astype(int).tolist()


def record(rows: int = 240, period_s: float = 1.0, *, start_s: float = 0.0) -> Recorded:
    """A drive with pulses of discharge, charge and rest; the voltage falls by `OHM` and with the charge taken."""
    t_s = start_s + period_s * np.arange(rows, dtype=np.float64)
    current_a = np.array([(0.0, 2.0, 2.5, -1.0, 3.0, 0.0, -0.5, 1.5)[k // 10 % 8] for k in range(rows)])
    moved = np.concatenate([[0.0], (current_a[1:] + current_a[:-1]) / 2 * np.diff(t_s) / 3600])
    ah = -np.cumsum(moved)
    voltage_v = 3.8 + 0.6 * ah / CAPACITY_AH - OHM * current_a
    return Recorded(t_s, voltage_v, current_a, 25.0 + 0.001 * np.arange(rows, dtype=np.float64), ah)


def write_rows(path: Path, rows: Sequence[Sequence[Any]], delimiter: str = ",", *, comma: bool = False) -> Path:
    """Write rows as text; numbers have six digits, and a decimal comma where asked."""
    path.write_text("".join(delimiter.join(_cell(cell, comma=comma) for cell in row) + "\n" for row in rows), "utf-8")
    return path


def write_plain(path: Path, log: Recorded, **other: Sequence[Any]) -> Path:
    """Write a log as CSV with plain headers, charge positive; `other` replaces the columns t, v or i, or adds one."""
    columns: dict[str, Sequence[Any]] = {"t": log.t_s.tolist(), "v": log.voltage_v.tolist(), "i": log.charge_a.tolist()}
    names = {
        "t": "Time [s]",
        "v": "Voltage [V]",
        "i": "Current [A]",
        "temp": "Temperature [degC]",
        "ah": "Capacity [Ah]",
    }
    columns |= other
    header = [names.get(name, name) for name in columns]
    return write_rows(path, [header, *zip(*columns.values(), strict=True)])


def write_xlsx(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """Write a workbook as small as the format allows: inline strings and numbers."""
    names = list(sheets)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{k}.xml" ContentType="{kind}.worksheet+xml"/>'
            for k in range(1, len(names) + 1)
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r0" '
        f'Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>'
        + "".join(f'<sheet name="{escape(n)}" sheetId="{k}" r:id="r{k}"/>' for k, n in enumerate(names, 1))
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(
            f'<Relationship Id="r{k}" Type="{relations}/worksheet" Target="worksheets/sheet{k}.xml"/>'
            for k in range(1, len(names) + 1)
        )
        + "</Relationships>",
    }
    for k, rows in enumerate(sheets.values(), 1):
        body = "".join(f"<row>{''.join(map(_xlsx_cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/sheet{k}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    path.write_bytes(content.getvalue())
    return path


def _cell(cell: Any, *, comma: bool) -> str:
    text = f"{cell:.6f}" if isinstance(cell, float) and np.isfinite(cell) else str(cell)
    return text.replace(".", ",") if comma and isinstance(cell, float) else text


def _xlsx_cell(cell: Any) -> str:
    if isinstance(cell, int | float):
        return f"<c><v>{cell!r}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(str(cell))}</t></is></c>'
