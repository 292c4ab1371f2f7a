from __future__ import annotations

import multiprocessing
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from drivers import bench_lock
from drivers.bench_lock import OLD_S, BenchLock, SharedLock, can_address, find_holders, holder, resolve
from drivers.benchfile.copy import copy_bench
from drivers.canbus import bus
from drivers.errors import BenchHeld
from workbench.report import Exit, Report, status_of
from workbench.verbs import edge
from workbench.verbs.doctor import examine
from workbench.verbs.doctor_bench import ADAPTER

if TYPE_CHECKING:
    from collections.abc import Generator
    from multiprocessing.connection import Connection

ROOT = Path(__file__).resolve().parents[2]
HIL24 = ROOT / "fixtures" / "benches" / "hil24.toml"
SUPPLY, CELLS = "192.0.2.10:5025", "192.0.2.11:7000"
HOLDING = """
import sys; sys.path.insert(0, sys.argv[1])
from drivers.bench_lock import BenchLock
lock = BenchLock.take(sys.argv[2:], "hil24")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(bench_lock.FOLDER, str(tmp_path / "locks"))
    return tmp_path / "locks"


@contextmanager
def another(*addresses: str) -> Generator[subprocess.Popen[str]]:
    """Another workbench that holds these addresses."""
    command = [sys.executable, "-c", HOLDING, str(ROOT), *addresses]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def take(*addresses: str, guard_s: float = 0.0) -> BenchLock:
    return BenchLock.take(addresses, "hil24", guard_s=guard_s)


def test_who_finds_a_bench_held_is_told_process_user_bench_and_time() -> None:
    with another(SUPPLY) as process:
        with pytest.raises(BenchHeld) as caught:
            take(SUPPLY)
        said = str(caught.value)
        assert re.search(rf"^{SUPPLY} is held by process {process.pid} \(.+\) of user \S+, with bench hil24, ", said)
        assert re.search(r"since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d", said)
        assert status_of(caught.value) is Exit.MISSING
        assert f"process {process.pid}" in holder(SUPPLY)


def test_a_living_holder_is_not_waited_for() -> None:
    with another(SUPPLY), pytest.raises(BenchHeld):
        BenchLock.take([SUPPLY], "hil24", wait=lambda _: pytest.fail("it waited"))


def test_a_lock_ends_with_its_process_however_that_ends() -> None:
    with another(SUPPLY) as process:
        process.kill()
        process.wait()
        take(SUPPLY).release()
    assert holder(SUPPLY) == ""


def test_all_addresses_are_taken_or_none() -> None:
    with another(CELLS):
        with pytest.raises(BenchHeld):
            take(SUPPLY, CELLS)
        assert holder(SUPPLY) == ""


def test_a_released_lock_can_be_taken_again_and_an_address_may_be_named_twice() -> None:
    for _ in range(2):
        lock = take(SUPPLY, SUPPLY, CELLS)
        assert lock.addresses == (SUPPLY, CELLS)
        lock.release()


def test_asking_who_holds_takes_nothing(folder: Path) -> None:
    assert holder(SUPPLY) == ""
    assert not list(folder.iterdir())
    take(SUPPLY).release()
    assert holder(SUPPLY) == ""
    take(SUPPLY).release()


def test_every_process_that_holds_a_bench_is_found_once_and_only_while_it_lives() -> None:
    assert find_holders() == ()
    with another(SUPPLY, CELLS) as process:
        ours = take("192.0.2.12:5025")
        assert {holder.process for holder in find_holders()} == {process.pid, os.getpid()}
        ours.release()
        assert [holder.process for holder in find_holders()] == [process.pid]
    assert find_holders() == ()


def hold_as_guard(lock: SharedLock, pipe: Connection) -> None:
    pipe.send("held")
    pipe.recv()
    lock.release()


def test_a_guard_holds_the_bench_after_its_engine_has_let_go() -> None:
    lock = take(SUPPLY)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    guard = context.Process(target=hold_as_guard, args=(lock.for_guard(), theirs))
    guard.start()
    try:
        assert ours.recv() == "held"
        lock.release()
        with pytest.raises(BenchHeld):
            take(SUPPLY)
        ours.send("end")
        guard.join()
        take(SUPPLY).release()
    finally:
        guard.kill()
        guard.join()
        ours.close()
        theirs.close()


def test_the_guard_of_a_dead_engine_is_waited_for_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with another(SUPPLY) as process:

        def lives(pid: int) -> bool:
            return pid != process.pid

        monkeypatch.setattr(bench_lock, "is_alive", lives)
        waits: list[float] = []
        with pytest.raises(BenchHeld, match="which has ended but whose guard still holds the lock"):
            BenchLock.take([SUPPLY], "hil24", guard_s=1.0, wait=waits.append)
        assert 1.0 <= sum(waits) < 1.2

        def ends(_: float) -> None:
            process.kill()
            process.wait()

        BenchLock.take([SUPPLY], "hil24", guard_s=1.0, wait=ends).release()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"7", b'{"process": "1"}', b"\0" * 40])
def test_a_holder_that_cannot_be_read_still_holds(folder: Path, text: bytes) -> None:
    with another(SUPPLY):
        (path,) = folder.glob("*.lock")
        path.write_bytes(text)
        with pytest.raises(BenchHeld, match="held by an unknown process"):
            take(SUPPLY)


def test_a_lock_file_that_is_no_file_is_said(folder: Path) -> None:
    take(SUPPLY).release()
    (path,) = folder.glob("*.lock")
    path.unlink()
    path.mkdir()
    with pytest.raises(BenchHeld, match="cannot be opened"):
        take(SUPPLY)


def test_old_lock_files_go_unless_somebody_holds_them(folder: Path) -> None:
    take(CELLS).release()
    with another(SUPPLY):
        for path in folder.glob("*.lock"):
            os.utime(path, (time.time() - 2 * OLD_S, time.time() - 2 * OLD_S))
        take("192.0.2.12:1").release()
        assert sorted(path.name.split("-")[0] for path in folder.glob("*.lock")) == ["192.0.2.10_5025", "192.0.2.12_1"]
        with pytest.raises(BenchHeld):
            take(SUPPLY)


def test_names_of_one_address_are_one_lock() -> None:
    assert "127.0.0.1:5025" in resolve("localhost:5025")
    assert resolve("127.0.0.1:5025") == ("127.0.0.1:5025",)
    assert resolve("nobody.invalid:5025") == ("nobody.invalid:5025",)
    assert can_address("SocketCAN", "can0") == can_address("socketcan", "CAN0")
    assert can_address("socketcan", "can0") != can_address("socketcan", "can1")


def test_addresses_that_look_alike_in_a_file_name_are_different_locks() -> None:
    lock = take("can a b", "can a_b")
    assert len(lock.addresses) == 2
    lock.release()


def test_doctor_opens_no_instrument_that_a_session_holds(tmp_path: Path) -> None:
    copy_bench(HIL24, tmp_path)
    text = (tmp_path / HIL24.name).read_text(encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts connections and never answers
        address = f"127.0.0.1:{server.getsockname()[1]}"
        bench = tmp_path / "bench.toml"
        bench.write_text(text.replace('"emulated:supply"', f'"{address}"'), encoding="utf-8")
        server.settimeout(0.0)
        with another(address) as process:
            (held,) = [check for check in examine(bench) if check.name == "supply"]
            assert (held.ok, held.needed) == (False, False)
            assert f"held by process {process.pid}" in held.found
            with pytest.raises(BlockingIOError):
                server.accept()
        process.wait()
        (silent,) = [check for check in examine(bench) if check.name == "supply"]
        assert (silent.ok, silent.needed) == (False, True)
        server.accept()[0].close()


def test_doctor_opens_no_adapter_that_a_session_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_bench(HIL24, tmp_path)
    bench, opened = tmp_path / HIL24.name, list[str]()
    text = bench.read_text(encoding="utf-8").replace('interface = "emulated"', 'interface = "socketcan"')
    bench.write_text(text.replace('channel = "bms"', 'channel = "can7"'), encoding="utf-8")

    def open_bus(interface: str, channel: str, _: int) -> SimpleNamespace:
        opened.append(f"{interface} {channel}")
        return SimpleNamespace(shutdown=lambda: None)

    monkeypatch.setattr(bus, "open_bus", open_bus)
    with another(can_address("socketcan", "can7")) as process:
        (held,) = [check for check in examine(bench) if check.name == ADAPTER]
        assert (held.ok, held.needed, opened) == (False, False, [])
        assert f"held by process {process.pid}" in held.found
    process.wait()
    (free,) = [check for check in examine(bench) if check.name == ADAPTER]
    assert (free.ok, opened) == (True, ["socketcan can7"])


def test_an_edge_leaves_an_adapter_alone_that_a_session_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "leave_once", id)
    with another(can_address("socketcan", "can0")), pytest.raises(BenchHeld, match="is held by process"):
        edge.main(
            Report("edge"), None, tmp_path, "mqtt://127.0.0.1:9", tmp_path / "state", names=("g", "n", "h"),
            pack="socketcan:can0:500000", allow_sim=True, pack_type="", duration_s=1.0, rate_hz=10.0,
            capacity_rows=1000, reset=None, inject_defect="",
        )  # fmt: skip
