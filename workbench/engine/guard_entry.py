"""The entry of the guard's process; it opens its own CAN bus, which may be the emulated medium."""

from __future__ import annotations

import os
from multiprocessing.resource_tracker import getfd
from typing import TYPE_CHECKING, Final

from control.guard_process import guard_main
from drivers.canbus.lean_can import can
from drivers.private_files import FILE_MODE
from workbench.signals import outlive_terminal

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from control.guard import GuardConfig
    from drivers.bench_lock import SharedLock

LOOPBACK_CAN: Final = "loopback_udp"


def know_loopback_can() -> None:
    """Register the emulated medium with python-can in this process, so that it opens like any adapter."""
    can.interfaces.BACKENDS[LOOPBACK_CAN] = ("fixtures.loopback_can", "LoopbackCanBus")


def guard_entry(spec: GuardConfig, engine: Connection, client: Connection, lock: SharedLock) -> None:
    """Run the guard until safe is verified and no peer is left; write its output beside its report.

    It may outlive all processes that started it, so it must not hold their terminal or pipes open, nor end by their
    signals: only its pipes show which peers are left. It holds `lock` as long as it lives, so that nobody else can
    take the bench.
    """
    outlive_terminal()
    log = os.open(spec.report.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    if os.name == "posix" and (tracker := getfd()) is not None:
        os.close(tracker)  # the engine's resource tracker holds them open as long as any process holds this
    know_loopback_can()
    try:
        guard_main(spec, engine, client)
    finally:
        lock.release()
