"""The composition root: it builds a live bench from a bench file; the only place that picks real or emulated parts."""

from __future__ import annotations

import multiprocessing
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from control import guard_journal
from control.clock import WallClock
from control.gate import Gate
from control.gate_config import make_gate_config, make_pack_spec, make_rest_command
from control.guard_link import GuardLink, pipe
from control.loop import Loop, LoopParts
from control.snapshot_builder import PackView, SnapshotBuilder, Wiring
from control.tick import TickLayout
from drivers import source_names
from drivers.bench_lock import BenchLock, can_address, resolve
from drivers.benchfile.cell_defaults import make_thresholds
from drivers.benchfile.limits import lay_over_channels
from drivers.benchfile.model import ROLES
from drivers.canbus.dut import Dut
from drivers.canbus.dut_map import read_dut_map
from drivers.clock import monotonic
from drivers.errors import BenchError
from drivers.evidence_class import find_evidence_class, is_emulated
from drivers.ring import RingWriter
from drivers.ring_files import fresh_path
from drivers.runlog.folder import describe
from drivers.runlog.recorder import Recorder
from drivers.scpi.cell_simulator import CellSimulator
from drivers.scpi.io_box import IoBox
from drivers.scpi.supply import Supply
from fixtures.emulated_bench import EmulatedBench, EmulatorError
from workbench import run_folders
from workbench.compose.defects import NO_DEFECTS, Defects, refuse_without_part
from workbench.engine import guard_config, status
from workbench.engine.actuator import BenchActuator
from workbench.engine.guard_entry import LOOPBACK_CAN, guard_entry, know_loopback_can
from workbench.engine.lanes import build_lanes
from workbench.engine.live_bench import LiveBench
from workbench.engine.shadow import make_shadow_watcher
from workbench.engine.take_over import check_remote
from workbench.engine.tick_writer import TickWriter
from workbench.run_folders import make_stamped

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

    from control.guard import GuardConfig
    from drivers.benchfile.model import Bench
    from workbench.session.order import EngineOrder


def compose(
    bench: Bench,
    order: EngineOrder,
    guard_client: Connection,
    *,
    take_over: bool = False,
    defects: Defects = NO_DEFECTS,
) -> LiveBench:
    """Build all parts, open nothing but the emulated bench; raise `PulseError` and leave nothing behind on failure.

    `take_over`: take over a supply that another client controls.
    """
    know_loopback_can()
    with ExitStack() as undo:
        folder = make_stamped(order.runs, bench.bench.name)
        emulated = _start_emulated(bench, folder, defects)
        if emulated is not None:
            undo.callback(emulated.stop)
        is_ours = is_emulated(bench.supply.address)
        bench = bench if emulated is None else _set_addresses(bench, emulated.addresses)
        lock = BenchLock.take(list_addresses(bench), bench.bench.name)
        undo.callback(lock.release)
        taken = "" if is_ours else check_remote(bench.supply.address, take_over=take_over)
        station = _make_live_bench(bench, folder, order, guard_client, emulated, lock=lock, defects=defects)
        station.taken = taken
        undo.pop_all()
        return station


def list_addresses(bench: Bench) -> tuple[str, ...]:
    """Return every address that a session on this bench opens, resolved; leave out parts declared as emulated."""
    declared = (bench.cell_simulator.address, bench.supply.address, bench.io_box.address)
    found = [place for one in declared if not is_emulated(one) for place in resolve(one)]
    if not is_emulated(bench.dut.interface):
        found.append(can_address(bench.dut.interface, bench.dut.channel))
    return tuple(found)


def _make_live_bench(
    bench: Bench,
    folder: Path,
    order: EngineOrder,
    guard_client: Connection,
    emulated: EmulatedBench | None,
    *,
    lock: BenchLock,
    defects: Defects,
) -> LiveBench:
    cells, supply, io_box, dut = _make_instruments(bench)
    senses = SnapshotBuilder((cells, supply, dut, io_box))
    limits = lay_over_channels(bench, senses.table)
    pack = make_pack_spec(bench)
    twins, estimators, controllers = (build_lanes(bench, role, pack, shadows=order.shadows) for role in ROLES)
    layout = TickLayout(
        senses.table,
        {lane.name: lane.part.columns for lane in twins.all},
        [lane.name for lane in estimators.all],
        [lane.name for lane in controllers.all],
        pack.cells,
        commanded=pack.cells,
    )
    attended = bench.bench.attended and not order.unattended
    evidence_class = find_evidence_class(bench)
    ring = RingWriter.create(fresh_path(), layout.table, layout.measured)
    meta = describe(bench, evidence_class) | {"mode": bench.bench.mode, "attended": attended}
    meta["active"] = {role: bench.active(role).name for role in ROLES}
    meta["words"] = status.words(dut.map)
    meta["defects"] = defects.name
    recorder = Recorder.create(folder, layout.table, meta, layout.measured)
    words = defects.safe_sequence(guard_config.make_safe_commands(bench, dut))
    report = folder / guard_journal.FILE_NAME
    spec = guard_config.make_guard_config(
        bench, senses.table, limits, ring.path, words, report=report, attended=attended
    )
    guard, process = _start_guard(spec, guard_client, lock)
    wiring = Wiring.hil(pack.cells, bench.io_box.thermistors)
    actuator = BenchActuator(cells, supply, io_box, bench.io_box.thermistors)
    parts = LoopParts(
        clock=WallClock(),
        period_s=bench.bench.period_s,
        snapshot_builder=senses,
        pack_view=PackView(senses.table, wiring),
        estimators=estimators,
        controllers=controllers,
        twins=twins,
        gate=Gate(make_gate_config(bench, senses.table, limits, wiring), make_rest_command(pack.cells, pack.ambient_k)),
        actuator=actuator,
        cells=pack.cells,
        ambient_k=pack.ambient_k,
        plays_cells=bench.bench.mode == "hil",
        shadow=make_shadow_watcher(bench, pack) if order.shadows else None,
        find_cause=partial(_find_cause, guard, cells),
        sinks=[TickWriter(layout, ring, defects.recorder(recorder)), guard],
    )
    return LiveBench(
        bench=bench,
        folder=folder,
        cells=cells,
        supply=supply,
        io_box=io_box,
        dut=dut,
        loop=Loop(parts),
        actuator=actuator,
        limits=limits,
        outputs=guard_config.make_output_states(bench, senses.table),
        ring=ring,
        recorder=recorder,
        guard=guard,
        guard_process=process,
        evidence_class=evidence_class,
        emulated=emulated,
        lock=lock,
    )


def _find_cause(guard: GuardLink, cells: CellSimulator) -> str:
    """Return why guard or cell simulator have switched off before the gate noticed; empty if they have not."""
    guard.alive()  # reads what has arrived
    return f"guard: {guard.cause}" if guard.cause else cells.protection


def _start_guard(spec: GuardConfig, client: Connection, lock: BenchLock) -> tuple[GuardLink, SpawnProcess]:
    """Start the guard; `client` is its end of the client's own pipe, closed here once the guard has it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = pipe()
    process = context.Process(target=guard_entry, args=(spec, theirs, client, lock.for_guard()), name="guard")
    process.start()
    theirs.close()
    client.close()
    return GuardLink(ours, monotonic), process


def _make_instruments(bench: Bench) -> tuple[CellSimulator, Supply, IoBox, Dut]:
    simulator, supply, io_box, dut = bench.cell_simulator, bench.supply, bench.io_box, bench.dut
    return (
        CellSimulator(
            simulator.address,
            simulator.expect,
            simulator.period_s,
            cells=bench.pack.cells,
            protect_voltage_v=simulator.protect.voltage_v,
            protect_current_a=simulator.protect.current_a,
            discharge_reads=1.0 if simulator.discharge_reads == "positive" else -1.0,
            timeouts_s=simulator.timeouts_ms.seconds,
        ),
        Supply(
            supply.address,
            supply.expect,
            supply.period_s,
            protect_voltage_v=supply.protect.voltage_v,
            protect_current_a=supply.protect.current_a,
            charge_v=supply.charge_v,
            discharge_v=supply.discharge_v,
            timeouts_s=supply.timeouts_ms.seconds,
        ),
        IoBox(
            io_box.address,
            io_box.expect,
            io_box.period_s,
            thermistors=io_box.thermistors,
            timeouts_s=io_box.timeouts_ms.seconds,
        ),
        Dut(read_dut_map(bench.dut_map), dut.interface, dut.channel, dut.bitrate),
    )


def _start_emulated(bench: Bench, folder: Path, defects: Defects) -> EmulatedBench | None:
    """Start the emulated bench if the file names emulated parts; write its journals into the run's folder."""
    refuse_without_part(bench, defects)
    parts = bench.emulated_parts
    if not parts:
        return None
    try:
        emulated = EmulatedBench.start(
            folder / run_folders.EMULATED,
            bench.dut_map,
            cells=bench.pack.cells,
            thresholds=defects.thresholds(folder, bench),
            cell_thresholds=make_thresholds(bench.cell, bench.pack.element_ah),
            defect=defects.bms,
            parts=parts,
        )
    except EmulatorError as error:
        raise BenchError(str(error), hint="run: python main.py doctor") from error
    return defects.emulated_bench(emulated)


def _set_addresses(bench: Bench, addresses: dict[str, str]) -> Bench:
    """Return the bench with each `emulated` replaced by the address of that emulator."""
    changed: dict[str, object] = {}
    for name, section in bench.instruments.items():
        if is_emulated(section.address):
            changed[name] = section.model_copy(update={"address": addresses[name]})
    if is_emulated(bench.dut.interface):
        changed[source_names.DUT] = bench.dut.model_copy(
            update={"interface": LOOPBACK_CAN, "channel": addresses["can"]}
        )
    return bench.model_copy(update=changed)
