"""The one check of a bench file and of everything that it names; doctor, run, window and certify share it."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from control.current_profile import read_current_profile
from drivers.benchfile.cell_defaults import make_thresholds
from drivers.benchfile.cell_file import read_default_cell
from drivers.benchfile.checks import find_file_error
from drivers.benchfile.device_sheet import read_sheet
from drivers.benchfile.document import Document
from drivers.benchfile.model import FILE_SETTINGS
from drivers.benchfile.named_parts import NamedParts
from drivers.benchfile.read import read_bench
from drivers.benchfile.validation import suggest
from drivers.canbus.bus import list_interfaces
from drivers.canbus.dut_map import read_dut_map
from drivers.channel_names import sensed_voltage
from drivers.errors import BenchFileError, describe_error
from drivers.evidence_class import EMULATED, is_emulated
from drivers.mistakes import Mistakes
from workbench.engine import status
from workbench.engine.guard_entry import LOOPBACK_CAN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.document import KeyPath
    from drivers.benchfile.model import Bench, LaneSection
    from drivers.canbus.dut_map import DutMap
    from workbench.session.bench_info import BenchInfo

MOST_CELLS: Final = 1000  # more than any map has
ANY_AH: Final = 1.0  # of a pack: only the file is checked


@dataclass(frozen=True)
class CheckedBench:
    """A bench without mistakes, its device map, and what a client shows of it."""

    bench: Bench
    mapped: DutMap
    info: BenchInfo


def read_checked_bench(path: Path) -> CheckedBench:
    """Read a bench file and everything that it names; raise `BenchFileError`, which carries all mistakes."""
    found = Mistakes()
    bench = found.attempt(lambda: read_bench(path))
    named = NamedParts.salvage(path) if bench is None else NamedParts.of(bench)
    mapped = _check_dut(named, found)
    _check_thresholds(named, bench, found)
    for number, lane in named.lanes.items():
        _check_lane(named.document, number, lane, found)
    if bench is not None and mapped is not None:
        info = found.attempt(lambda: status.make_bench_info(bench, mapped))
        if info is not None and not found:
            return CheckedBench(bench, mapped, info)
    raise found.joined()


def _check_dut(named: NamedParts, found: Mistakes) -> DutMap | None:
    """Check interface, map, DBC and cells of the device; return its map if it can be read."""
    document, dut = named.document, named.dut
    if dut is None:
        return None
    known = (EMULATED, LOOPBACK_CAN, *list_interfaces())
    if not is_emulated(dut.interface) and dut.interface not in known:
        what, hint = f'= "{dut.interface}" is not an interface of python-can', suggest(dut.interface, known, "known")
        found.add(document.mistake(("dut", "interface"), what, value=dut.interface, bound="one of these", hint=hint))
    missing = tuple(find_file_error(document, ("dut", "map"), dut.map))
    found.add(*missing)
    mapped = None if missing else found.attempt(lambda: read_dut_map(document.path.parent / dut.map))
    if mapped is not None:
        found.add(*_compare_map(named, mapped))
    return mapped


def _compare_map(named: NamedParts, mapped: DutMap) -> Iterator[BenchFileError]:
    """Yield a mistake for another DBC than the declared one, and for a map of more cells than the pack has."""
    document, dut = named.document, named.dut
    if dut is not None and dut.dbc_sha256 not in {"", mapped.dbc_hash}:
        what = f"= {dut.dbc_sha256[:12]}... is not the hash of {mapped.file.dbc}: {mapped.dbc_hash[:12]}..."
        hint = f'restore that DBC, or accept this one: dbc_sha256 = "{mapped.dbc_hash}"'
        at = ("dut", "dbc_sha256")
        yield document.mistake(at, what, value=dut.dbc_sha256, bound=mapped.dbc_hash, hint=hint)
    names = {channel.name for channel in mapped.channels}
    cells = next((cell for cell in range(MOST_CELLS, 0, -1) if sensed_voltage(cell) in names), 0)
    if dut is not None and named.pack is not None and cells > named.pack.cells:
        what = f"= {named.pack.cells}, while {dut.map} maps the voltages of {cells} cells"
        hint = f"set cells = {cells}, or name the map of a pack of {named.pack.cells} cells"
        yield document.mistake(("pack", "cells"), what, value=named.pack.cells, bound=cells, hint=hint)


def _check_thresholds(named: NamedParts, bench: Bench | None, found: Mistakes) -> None:
    if named.device_limits is None:
        return
    name, document = named.device_limits.thresholds, named.document
    missing = tuple(find_file_error(document, ("device_limits", "thresholds"), name))
    found.add(*missing)
    if not missing:
        with found.collect():
            cell, element_ah = (read_default_cell(), ANY_AH) if bench is None else (bench.cell, bench.pack.element_ah)
            read_sheet(document.path.parent / name, make_thresholds(cell, element_ah))


def _check_lane(document: Document, number: int, lane: LaneSection, found: Mistakes) -> None:
    """Check module, settings and file of a lane; it is built when the bench connects."""
    at = ("lane", number)
    with found.collect():
        module = _import_module(document, number, lane.module)
        known: tuple[str, ...] = getattr(module, "SETTINGS", tuple(lane.settings))  # a lane need not declare them
        for key in lane.settings:
            if key not in known:
                what, hint = f"is not a setting of {lane.module}", suggest(key, known, "its settings")
                found.add(document.mistake((*at, "settings", key), what, value=key, hint=hint))
    for key in FILE_SETTINGS:
        if key in lane.settings:
            _check_lane_file(document, (*at, "settings", key), lane.settings[key], found)


def _check_lane_file(document: Document, at: KeyPath, name: Any, found: Mistakes) -> None:
    """Check that a file that a lane names exists and can be read as what its name says."""
    missing = tuple(find_file_error(document, at, name))
    found.add(*missing)
    if missing:
        return
    path = document.path.parent / name
    with found.collect():
        if path.suffix == ".toml":
            Document.read(path)
        elif path.suffix == ".csv":
            read_current_profile({"file": str(path)}, ANY_AH)
        elif path.suffix == ".onnx":
            from control.rl.policy import Policy  # noqa: PLC0415  # it loads the MPC beside it

            Policy.load(path)


def _import_module(document: Document, number: int, name: str) -> Any:
    """Return the module of a lane; raise `BenchFileError` where it is missing, broken or no lane."""
    at = ("lane", number, "module")
    try:
        module = importlib.import_module(name)
    except Exception as error:  # a lane is code and may raise anything
        absent = isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}.")
        what = "is not a module" if absent else f"cannot be imported: {describe_error(error, 'the lane')}"
        hint = _suggest_module(name) if absent else "correct the module"
        raise document.mistake(at, f'= "{name}" {what}', value=name, bound="a module", hint=hint) from error
    if not callable(getattr(module, "build", None)):
        what, hint = f'= "{name}" has no function build', "see docs/lanes.md for what a lane needs"
        raise document.mistake(at, what, value=name, bound="build(pack, settings)", hint=hint)
    return module


def _suggest_module(name: str) -> str:
    """Return the nearest module of the package that `name` names, or of those with lanes of the workbench."""
    packages = [name.rpartition(".")[0], "twin", "control"]
    known: list[str] = []
    for package in dict.fromkeys(packages):
        try:
            folder = importlib.import_module(package).__path__
        except (ImportError, AttributeError, ValueError):
            continue
        known += [f"{package}.{module.name}" for module in pkgutil.iter_modules(folder)]
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else "name a module on the path of Python"
