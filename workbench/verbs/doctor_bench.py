"""The checks of `doctor` on a bench: everything that its file names, and whether each instrument answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drivers import source_names
from drivers.bench_lock import BenchLock, can_address, resolve
from drivers.errors import BenchHeld, LinkError
from drivers.evidence_class import is_emulated
from workbench.extras import list_missing
from workbench.verbs.doctor_check import DoctorCheck

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drivers.benchfile.model import Bench, InstrumentSection

ADAPTER: Final = "can adapter"
LINKS: Final = (*source_names.INSTRUMENTS, ADAPTER)
NOT_ASKED: Final = "the extra bench is not installed"


def check_bench(path: Path) -> Iterator[DoctorCheck]:
    """Check a bench file, what it names and its instruments; raise `BenchFileError`, which carries all mistakes."""
    from drivers.benchfile.safety_times import shutdown_time  # noqa: PLC0415  # only this check needs it

    has_extra = not list_missing("bench")
    bench, named = _read_all(path) if has_extra else _read_file(path)
    yield DoctorCheck("bench file", ok=True, found=f"{path.name}: {bench.bench.name}, mode {bench.bench.mode}")
    for note in bench.notes:
        yield DoctorCheck("bench file", ok=False, found=note, needed=False)
    yield DoctorCheck("time to safe", ok=True, found=shutdown_time(bench).sentence)
    yield from named
    for name, section in bench.instruments.items():
        if is_emulated(section.address):
            yield DoctorCheck(name, ok=True, found="emulated, started on connect", needed=False)
        elif has_extra:
            yield _check_instrument(name, section, bench.bench.name)
        else:
            yield DoctorCheck(name, ok=False, found=f"not asked; {NOT_ASKED}", mend="make setup", needed=False)
    if has_extra and not is_emulated(bench.dut.interface):
        yield _check_adapter(bench)


def _read_file(path: Path) -> tuple[Bench, list[DoctorCheck]]:
    """Read the bench file alone: what reads the other files is not installed."""
    from drivers.benchfile import read_bench  # noqa: PLC0415  # only with this option

    found = f"not read; {NOT_ASKED}"
    return read_bench(path), [DoctorCheck("device map", ok=False, found=found, mend="make setup", needed=False)]


def _read_all(path: Path) -> tuple[Bench, list[DoctorCheck]]:
    """Read the bench file and all that it names, as a connect does; return the bench and a check for each file."""
    from workbench.engine.bench_checks import read_checked_bench  # noqa: PLC0415  # slow imports

    checked = read_checked_bench(path)
    bench, mapped = checked.bench, checked.mapped
    channels = f"{bench.dut_map.name}: {len(mapped.channels)} channels of the device under test"
    checks = [
        DoctorCheck("device map", ok=True, found=channels),
        DoctorCheck("DBC", ok=True, found=f"{mapped.file.dbc}: {len(mapped.messages)} messages"),
    ]
    if bench.device_limits is not None:
        checks.append(DoctorCheck("device profile", ok=True, found=bench.device_limits.thresholds))
    checks += [DoctorCheck(f"{lane.role} lane", ok=True, found=f"{lane.name}: {lane.module}") for lane in bench.lane]
    return bench, checks


def _check_instrument(name: str, section: InstrumentSection, bench: str) -> DoctorCheck:
    """Ask an instrument who it is; do not touch one that a session holds."""
    from drivers.scpi.identify import read_identity  # noqa: PLC0415  # PyVISA is slow to import

    try:
        with BenchLock.take(resolve(section.address), f"{bench} (doctor)", guard_s=0.0):
            identity = read_identity(name, section)
    except BenchHeld as held:
        return DoctorCheck(name, ok=False, found=f"{held.sentence}; not opened", mend=held.hint, needed=False)
    except LinkError as error:
        host = section.address.partition(":")[0]
        mend = error.hint or f"check its power and cable, then run: ping {host}"
        return DoctorCheck(name, ok=False, found=error.sentence, mend=mend)
    return DoctorCheck(name, ok=True, found=f"{section.address} answers as {identity}")


def _check_adapter(bench: Bench) -> DoctorCheck:
    """Open the CAN adapter and close it; do not touch one that a session holds."""
    from drivers.canbus.bus import open_bus  # noqa: PLC0415  # slow to import
    from workbench.engine.guard_entry import know_loopback_can  # noqa: PLC0415

    know_loopback_can()
    dut = bench.dut
    try:
        with BenchLock.take((can_address(dut.interface, dut.channel),), f"{bench.bench.name} (doctor)", guard_s=0.0):
            open_bus(dut.interface, dut.channel, dut.bitrate).shutdown()
    except BenchHeld as held:
        return DoctorCheck(ADAPTER, ok=False, found=f"{held.sentence}; not opened", mend=held.hint, needed=False)
    except LinkError as error:
        return DoctorCheck(ADAPTER, ok=False, found=error.sentence, mend=error.hint)
    return DoctorCheck(ADAPTER, ok=True, found=f"{dut.interface} {dut.channel} opens")
