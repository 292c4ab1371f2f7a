"""The guard's last word on CAN: frames encoded beforehand, on a bus opened beforehand, verified by listening."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import can

from drivers.lastword import NEVER, RECONNECT_S, StepResult

PERIOD_S: Final = 0.020
STANDARD_IDS: Final = 0x7FF
DRAIN_FRAMES: Final = 10_000  # more than a bus carries between two calls: a flood must not hold the guard


@dataclass(frozen=True, slots=True)
class Watch:
    """A frame that verifies: `payload & mask == value`, the payload read as a little-endian number."""

    message_id: int
    mask: int
    value: int

    def met(self, message_id: int, payload: bytes) -> bool:
        return message_id == self.message_id and int.from_bytes(payload, "little") & self.mask == self.value


@dataclass(frozen=True, slots=True)
class CanStep:
    """Frames `(identifier, payload)`, one per counter value, sent in turn until `verify` is met."""

    name: str
    frames: tuple[tuple[int, bytes], ...]
    verify: Watch
    within_s: float


@dataclass(frozen=True, slots=True)
class CanLastWord:
    """A CAN bus by its python-can names."""

    interface: str
    channel: str
    bitrate: int
    steps: tuple[CanStep, ...]
    period_s: float = PERIOD_S

    def open(self) -> CanMouth:
        """Opens the bus at once; `keep_alive` says whether it stands."""
        return CanMouth(self)


class CanMouth:
    """An open `CanLastWord`; it listens all the time, so that frames from before never verify.

    Adapters raise whatever their vendors like, and the last word raises nothing: hence the wide `except`.
    """

    local_port = 0

    def __init__(self, word: CanLastWord) -> None:
        self.detail = ""
        self._word = word
        self._bus: can.BusABC | None = None
        self._tried_s = float("-inf")
        self._turn = 0
        self._connect()

    @property
    def connected(self) -> bool:
        return self._bus is not None

    def keep_alive(self) -> bool:
        if self._bus is None and time.monotonic() - self._tried_s > RECONNECT_S:
            self._connect()
        self._drain()
        return self.connected

    def speak(self) -> list[StepResult]:
        return [self._step(step) for step in self._word.steps]

    def close(self) -> None:
        bus, self._bus = self._bus, None
        try:
            if bus is not None:
                bus.shutdown()
        except Exception as error:  # noqa: BLE001
            self.detail = f"{self._word.channel}: {error}"

    def _step(self, step: CanStep) -> StepResult:
        sent_s, until_s = NEVER, time.monotonic() + step.within_s
        while (now_s := time.monotonic()) < until_s:
            if self._bus is None:
                self._connect()
            if not self._send(*step.frames[self._turn % len(step.frames)]):
                time.sleep(0.002)
                continue
            self._turn += 1
            if sent_s is NEVER:
                sent_s = now_s
                self._drain()
            if self._heard(step.verify, min(until_s, now_s + self._word.period_s)):
                return StepResult(step.name, verified=True, sent_s=sent_s, verified_s=time.monotonic(), detail="")
        detail = f"not verified within {step.within_s:g} s: {self.detail or 'no frame says so'}"
        return StepResult(step.name, verified=False, sent_s=sent_s, verified_s=NEVER, detail=detail)

    def _connect(self) -> None:
        self._tried_s = time.monotonic()
        word = self._word
        try:
            self._bus = can.Bus(
                interface=word.interface, channel=word.channel, bitrate=word.bitrate, ignore_config=True
            )
            self.detail = ""
        except Exception as error:  # noqa: BLE001
            self.detail = f"{word.channel} cannot be opened: {error}"

    def _send(self, message_id: int, payload: bytes) -> bool:
        try:
            if self._bus is not None:
                self._bus.send(
                    can.Message(arbitration_id=message_id, data=payload, is_extended_id=message_id > STANDARD_IDS)
                )
                return True
        except Exception as error:  # noqa: BLE001
            self._lost(error)
        return False

    def _heard(self, watch: Watch, until_s: float) -> bool:
        while (left_s := until_s - time.monotonic()) > 0.0:
            frame = self._receive(left_s)
            if frame is not None and watch.met(frame.arbitration_id, bytes(frame.data)):
                return True
            if self._bus is None:
                return False
        return False

    def _drain(self) -> None:
        for _ in range(DRAIN_FRAMES):
            if self._receive(0.0) is None:
                return

    def _receive(self, timeout_s: float) -> can.Message | None:
        try:
            return None if self._bus is None else self._bus.recv(timeout_s)
        except Exception as error:  # noqa: BLE001
            self._lost(error)
            return None

    def _lost(self, error: Exception) -> None:
        self.close()
        self.detail = f"{self._word.channel} is gone: {error}"
