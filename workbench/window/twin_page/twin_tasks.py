"""Tasks of the Twin page: the verbs `twin` and `fit`, each a process of its own, below a child process of the window.

The models, PyBaMM and Parquet stay out of the window's process; tables come back reduced.
"""

from __future__ import annotations

import json
import re
import tempfile
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from drivers.errors import Refused
from workbench.window.control_page.verb_process import find_error, read_tail, run_process
from workbench.window.twin_page.model import LaidTwin, LayRequest, RefitRequest, RefitResult, RefitTest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.window.tasks.task import Reporter

_PERCENT: Final = re.compile(r"(\d+) %\s*$")
FULL_SOC: Final = 1.0  # where a laboratory's test starts


def lay(reporter: Reporter, request: LayRequest, command: Sequence[str]) -> LaidTwin | None:
    """Run `twin` and reduce its table; return None if it was stopped. Raise `Refused` with the verb's own error."""
    with tempfile.TemporaryDirectory(prefix="pulsebms-twin-", ignore_cleanup_errors=True) as home:
        table = Path(home) / "twin.parquet"
        body = _run_verb(reporter, [*command, "--out", str(table)], Path(home), "the twin")
        return None if body is None else _reduce(request, body, _read_table(table))


def refit(reporter: Reporter, request: RefitRequest, command: Sequence[str]) -> RefitResult | None:
    """Run `fit`; return None if it was stopped, which leaves no file. Raise `Refused` with the verb's own error."""
    request.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pulsebms-fit-", ignore_cleanup_errors=True) as home:
        body = _run_verb(reporter, command, Path(home), "the fit")
    return None if body is None else _read_fit(request, body)


def find_percent(line: str) -> float | None:
    """Return the share that a line of progress says is done; None if it says nothing."""
    found = _PERCENT.search(line)
    return None if found is None else float(found[1]) / 100.0


def _run_verb(reporter: Reporter, command: Sequence[str], home: Path, what: str) -> dict[str, Any] | None:
    """Return the object that a verb printed, None if it was stopped."""
    log, output, done = home / "log", home / "output", None

    def look(line: str) -> float | None:
        nonlocal done
        told = find_percent(line)
        done = done if told is None else max(done or 0.0, told)
        return done

    status = run_process(reporter, command, log, look, output=output)
    if status is None:
        return None
    if status != 0:
        raise Refused(find_error(read_tail(log)) or f"{what} ended with status {status}")
    body: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return body


def _read_table(path: Path) -> dict[str, Any]:
    import pyarrow.parquet  # noqa: PLC0415  # 0.2 s, in this process only

    library: Any = pyarrow.parquet  # carries no types
    table = library.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def _reduce(request: LayRequest, body: dict[str, Any], columns: dict[str, Any]) -> LaidTwin:
    from workbench.window.twin_page.residuals import (  # noqa: PLC0415  # numpy, in this process only
        KELVIN_STEP,
        SOC_STEP,
        ZERO_C_K,
        bin_residual,
        thin_curve,
    )

    time_s, residual_v = columns["time_s"] - columns["time_s"][0], columns["residual_v"]
    return LaidTwin(
        request,
        _scale(next(iter(body["rmse_mv"].values()), None), 1e-3),
        _scale(body["rmse_k"], 1.0),
        _scale(body["soc0"], 1.0),
        len(time_s),
        (*body["notes"], *body["twin_notes"], *_explain_scores(body)),
        thin_curve(time_s, columns["voltage_v"]),
        thin_curve(time_s, columns["voltage_model_v"]),
        thin_curve(time_s, residual_v),
        bin_residual(columns["soc"], residual_v, SOC_STEP),
        bin_residual(columns["temperature_k"], residual_v, KELVIN_STEP, ZERO_C_K),
    )


def _explain_scores(body: dict[str, Any]) -> list[str]:
    """Return why a figure has no value."""
    reasons = {"voltage": body.get("reason"), "temperature": body.get("reason_k")}
    return [f"RMSE of the {what} is not judged: {reason}" for what, reason in reasons.items() if reason]


def _read_fit(request: RefitRequest, body: dict[str, Any]) -> RefitResult:
    from drivers.logs.test_list import read_test_list  # noqa: PLC0415  # numpy, in this process only

    listed = {test.listed.file: test for test in read_test_list(request.tests).tests}
    tests = tuple(
        RefitTest(
            one["file"],
            one["kind"],
            one["temperature_degc"],
            one["held"],
            _scale(one["beside_rmse_mv"], 1e-3),
            _scale(one["rmse_mv"], 1e-3),
            LayRequest(
                listed[one["file"]].path,
                request.beside,
                soc0=None if one["kind"] == "ocv" else FULL_SOC,
                columns=listed[one["file"]].listed.columns,
                sign=listed[one["file"]].listed.sign,
                degc=listed[one["file"]].listed.temperature_degc,
            ),
        )
        for one in body["tests"]
    )
    settled, capacity_ah = float(body["settled_share"]), float(body["capacity_ah"])
    return RefitResult(request, body["cell"], capacity_ah, settled, tests, tuple(body["notes"]))


def _scale(value: float | None, by: float) -> float:
    """Return a number of an object in SI units; NaN for null."""
    return nan if value is None else by * value
