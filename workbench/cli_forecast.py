"""The verb `forecast`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.options import AsJson
from workbench.report import Report
from workbench.run_verb import run_verb


def forecast(
    cell: Annotated[str, typer.Option(metavar="CELL", help="A shipped cell, or a cell file.")],
    duty: Annotated[
        Path, typer.Option(metavar="FILE", help="CSV or Parquet: time_s and one of current_a, power_w, c_rate.")
    ],
    horizon: Annotated[str, typer.Option(metavar="TIME", help="How far ahead: 24h, 90min, 600s.")] = "24h",
    *,
    soc0: Annotated[float, typer.Option(min=0.0, max=1.0, help="State of charge at the start, 0 to 1.")] = 0.9,
    ambient_degc: Annotated[
        float, typer.Option(min=-40.0, max=80.0, help="Temperature at the start and of the surroundings, in degC.")
    ] = 25.0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the course as Parquet or CSV.")] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast voltage, temperature and energy of a cell, with an interval for the form of its model.

    The duty runs on two models of the cell: the first one is the forecast, and the interval is how far the other is
    from it. A duty that is shorter than the horizon repeats. Discharge is positive.
    """
    from workbench.verbs import forecast as verb

    run_verb(Report("forecast", as_json), verb.main, cell, duty, horizon, soc0=soc0, ambient_degc=ambient_degc, out=out)
