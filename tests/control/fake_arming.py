"""A bench for the checklist, in no time: instruments and device under test, each with what may be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from control.arming import ArmingBench
from drivers.errors import LinkSilent

if TYPE_CHECKING:
    from drivers.snapshot import Floats

CELLS = 6


@dataclass
class FakeRig:
    """Instruments and device under test at once; each field is one thing that may be wrong."""

    sense: list[int] = field(default_factory=lambda: list(range(CELLS)))  # which cell each BMS input is wired to
    missing: int | None = None
    silent_s: tuple[float, float] = (0.0, 0.0)  # the supply's readings are late between these two
    shunt_sign: float = 1.0
    shunt_zero_a: float = 0.02
    supply_sign: float = 1.0
    protect_v: float = 5.2
    supply_protect_a: float = 100.0
    supply_protect_sunk_a: float = 100.0
    closes: bool = True
    closes_s: float = 0.0
    reports_s: float = 0.0  # how old a cell voltage is that the device tells
    recovers_s: float = 0.0
    state: float = 3.0
    welded: bool = False
    fault: float = 0.0
    latched: bool = True
    balancing: float = 5.0
    estop: float = 1.0
    identity_text: str = "NGI,N83624,0,V1.00"
    dumb: bool = False
    elapsed_s: float = 0.0
    log: list[str] = field(default_factory=list[str])
    volts: Floats = field(default_factory=lambda: np.zeros(CELLS))
    before: tuple[float, Floats] = field(default_factory=lambda: (0.0, np.zeros(CELLS)))  # until when, what was told
    asked_s: float = math.inf
    current_a: float = 0.0
    closed: bool = False
    on: bool = False

    def wait(self, seconds: float) -> None:
        self.elapsed_s += seconds

    def read(self, name: str) -> float:
        self.closed = self.closed or self.elapsed_s - self.asked_s >= self.closes_s
        flowing_a = self.current_a if self.on and self.closed else 0.0
        noise = 0.0006 * math.sin(91.0 * self.elapsed_s + len(name))
        if name.startswith("bms/cell_"):
            place = int(name[9:11]) - 1
            until_s, old = self.before
            told = old if self.elapsed_s < until_s else self.volts
            return math.nan if place == self.missing else float(told[self.sense[place]]) + noise
        return {
            "io/estop": self.estop,
            "io/contactor": float(self.closed or self.welded),
            "bms/contactor": float(self.closed),
            "bms/fault": self.fault + 2.0 * self.latched,
            "bms/fault_cell": 0.0,
            "bms/state": 10.0 if self.elapsed_s < self.recovers_s else self.state,
            "bms/balancing": self.balancing,
            "bms/pack_current": self.shunt_sign * flowing_a + self.shunt_zero_a + noise,
            "supply/current": math.nan if self.silent else self.supply_sign * flowing_a + noise,
        }[name]

    @property
    def silent(self) -> bool:
        begin_s, end_s = self.silent_s
        return begin_s <= self.elapsed_s < end_s

    def bench(self, **changes: Any) -> ArmingBench:
        settings: dict[str, Any] = {
            "cells": FakeCells(self),
            "supply": FakeSupply(self),
            "device": FakeDevice(self),
            "others": {"io_box": FakeBox()},
            "expect": {"cell_simulator": "NGI,N83624", "supply": "EA", "io_box": "PulseBMS,IO-8"},
            "protect": ((5.2, 5.0), (20.0, 100.0)),
            "cell_v": np.full(CELLS, 3.8),
            "dbc_hash": "",
            "prove_guard": lambda: True,
            "going_live": lambda: self.log.append("going live"),
            "read": self.read,
            "wait": self.wait,
        }
        return ArmingBench(**{**settings, **changes})


class FakeBox:
    def identity(self) -> str:
        return "PulseBMS,IO-8,1,1.0"


@dataclass
class FakeCells:
    rig: FakeRig

    def identity(self) -> str:
        if self.rig.dumb:
            raise LinkSilent("no answer within 250 ms", where="cell_simulator", hint="check its cable")
        return self.rig.identity_text

    def prepare(self) -> None:
        self.rig.log.append("cells prepared")

    def protections(self) -> tuple[Floats, Floats]:
        volts = np.full(CELLS, 5.2)
        volts[2] = self.rig.protect_v
        return volts, np.full(CELLS, 5.0)

    def set_voltages(self, volts: Floats) -> None:
        self.rig.before = (self.rig.elapsed_s + self.rig.reports_s, self.rig.volts)
        self.rig.volts = volts.copy()

    def outputs(self, on: bool) -> None:  # noqa: FBT001  # as the protocol has it
        self.rig.log.append(f"cells {on}")


@dataclass
class FakeSupply:
    rig: FakeRig

    def identity(self) -> str:
        return "EA Elektro-Automatik, PSB 10060-120"

    def lock(self, on: bool) -> None:  # noqa: FBT001  # as the protocol has it
        self.rig.log.append(f"lock {on}")

    def prepare(self) -> None:
        self.rig.log.append("supply prepared")

    def protections(self) -> tuple[float, float, float]:
        return 20.0, self.rig.supply_protect_a, self.rig.supply_protect_sunk_a

    def set_current(self, current_a: float) -> None:
        self.rig.current_a = current_a

    def output(self, on: bool) -> None:  # noqa: FBT001  # as the protocol has it
        assert not on or (self.rig.closed and self.rig.current_a == 0.0), "on only at 0 A with the loop closed"
        self.rig.on = on


@dataclass
class FakeDevice:
    rig: FakeRig
    dbc_hash: str = "0123456789abcdef"

    def request(
        self, contactor: Literal["open", "close", "none"], *, reset: bool = False, balance_off: bool = False
    ) -> None:
        self.rig.latched = self.rig.latched and not reset
        rig, closes = self.rig, contactor == "close" and self.rig.closes
        rig.asked_s = min(rig.asked_s, rig.elapsed_s) if closes else math.inf
        rig.closed = closes and rig.elapsed_s - rig.asked_s >= rig.closes_s
        self.rig.balancing = 0.0 if balance_off and self.rig.balancing == 5.0 else self.rig.balancing
        self.rig.log.append(contactor)
