"""Safe commands of the guard on CAN: frames encoded and a bus opened in advance, verified by received frames."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from drivers.canbus.lean_can import can
from drivers.clock import monotonic
from drivers.e2e import E2EChecker, E2EProfile
from drivers.safe_commands import NEVER, RECONNECT_S, SafeStepResult

PERIOD_S: Final = 0.020
BITS_PER_BYTE: Final = 8
MOST_ERRORS_IN_A_ROW: Final = 5  # after so many the bus counts as gone
EXTENDED: Final = 1 << 31  # set in the identifiers that have 29 bits, as a DBC writes them
DRAIN_FRAMES: Final = 500  # more than a bus carries between two calls: a flood must not block the connection


@dataclass(frozen=True, slots=True)
class CanVerification:
    """A frame that verifies: `payload & mask == value`, the payload read as a little-endian number.

    It must carry the bits of `mask` and, with a `protection`, pass the E2E check over its `length` bytes: a replayed
    frame does not show the present state. An empty mask verifies nothing.
    """

    identifier: int
    mask: int
    value: int
    length: int
    protection: E2EProfile | None

    def is_met(self, payload: bytes) -> bool:
        carried = self.mask.bit_length() <= BITS_PER_BYTE * len(payload)
        return bool(self.mask) and carried and int.from_bytes(payload, "little") & self.mask == self.value


@dataclass(frozen=True, slots=True)
class CanStep:
    """Frames `(identifier, payload)`, one per counter value, sent in turn until `verify` is met.

    Identifiers of 29 bits have `EXTENDED` set.
    """

    name: str
    frames: tuple[tuple[int, bytes], ...]
    verify: CanVerification
    within_s: float


@dataclass(frozen=True, slots=True)
class CanSafeCommands:
    """Safe commands on a CAN bus, given by its python-can names."""

    interface: str
    channel: str
    bitrate: int
    steps: tuple[CanStep, ...]
    period_s: float = PERIOD_S

    def open(self) -> CanSafeConnection:
        """Open the bus at once; `keep_alive` returns whether it is up."""
        return CanSafeConnection(self)


class CanSafeConnection:
    """An open `CanSafeCommands`; it receives all the time, so that earlier frames never verify.

    An adapter may raise any exception and safe commands must raise none: hence the wide `except`.
    """

    local_port = 0

    def __init__(self, commands: CanSafeCommands) -> None:
        self.detail = ""
        self._commands = commands
        self._bus: can.BusABC | None = None
        self._tried_s = float("-inf")
        self._turn = self._errors_in_a_row = 0
        self._checkers = {step.verify: E2EChecker() for step in commands.steps}
        self._connect()

    @property
    def connected(self) -> bool:
        return self._bus is not None

    def keep_alive(self) -> bool:
        if self._bus is None and monotonic() - self._tried_s > RECONNECT_S:
            self._connect()
        self._drain()
        return self.connected

    def execute(self) -> list[SafeStepResult]:
        return [self._execute_step(step) for step in self._commands.steps]

    def close(self) -> None:
        bus, self._bus = self._bus, None
        try:
            if bus is not None:
                bus.shutdown()
        except Exception as error:  # noqa: BLE001  # a vendor's library may raise anything
            self.detail = f"{self._commands.channel}: {error}"

    def _execute_step(self, step: CanStep) -> SafeStepResult:
        sent_s, until_s = NEVER, monotonic() + step.within_s
        while (now_s := monotonic()) < until_s:
            if self._bus is None:
                self._connect()
            if not self._send(*step.frames[self._turn % len(step.frames)]):
                time.sleep(0.002)
                continue
            self._turn += 1
            if sent_s is NEVER:
                sent_s = now_s
                self._drain()
            if self._await_verification(step.verify, min(until_s, now_s + self._commands.period_s)):
                return SafeStepResult(step.name, verified=True, sent_s=sent_s, verified_s=monotonic(), detail="")
        detail = f"not verified within {step.within_s:g} s: {self.detail or 'no received frame confirms it'}"
        return SafeStepResult(step.name, verified=False, sent_s=sent_s, verified_s=NEVER, detail=detail)

    def _connect(self) -> None:
        self._tried_s = monotonic()
        commands = self._commands
        try:
            self._bus = can.Bus(
                interface=commands.interface, channel=commands.channel, bitrate=commands.bitrate, ignore_config=True
            )
            self.detail = ""
        except Exception as error:  # noqa: BLE001  # a vendor's library may raise anything
            self.detail = f"{commands.channel} cannot be opened: {error}"

    def _send(self, identifier: int, payload: bytes) -> bool:
        extended = bool(identifier & EXTENDED)
        try:
            if self._bus is not None:
                self._bus.send(
                    can.Message(arbitration_id=identifier & ~EXTENDED, data=payload, is_extended_id=extended)
                )
                return True
        except Exception as error:  # noqa: BLE001  # a vendor's library may raise anything
            self._drop_bus(error)
        return False

    def _await_verification(self, watch: CanVerification, until_s: float) -> bool:
        while (left_s := until_s - monotonic()) > 0.0:
            frame = self._receive(left_s)
            if frame is not None and watch in self._verifications_in(frame) and watch.is_met(bytes(frame.data)):
                return True
            if self._bus is None:
                return False
        return False

    def _drain(self) -> None:
        for _ in range(DRAIN_FRAMES):
            frame = self._receive(0.0)
            if frame is None:
                return
            self._verifications_in(frame)

    def _verifications_in(self, frame: can.Message) -> list[CanVerification]:
        """Return the verifications of this frame that pass the E2E check; call once a frame, because of its counter."""
        if frame.is_remote_frame or frame.is_error_frame:
            return []
        identifier, payload = dbc_identifier(frame), bytes(frame.data)
        return [
            watch
            for watch, proof in self._checkers.items()
            if watch.identifier == identifier
            and not proof.check(watch.protection, frame.arbitration_id, payload, watch.length)
        ]

    def _receive(self, timeout_s: float) -> can.Message | None:
        try:
            frame = None if self._bus is None else self._bus.recv(timeout_s)
        except (can.CanError, OSError) as error:
            self._drop_bus(error)
            return None
        except Exception as error:  # noqa: BLE001  # one frame on which the adapter raises does not drop the bus, five in a row do
            self._errors_in_a_row += 1
            if self._errors_in_a_row >= MOST_ERRORS_IN_A_ROW:
                self._drop_bus(error)
            return None
        self._errors_in_a_row = 0
        return frame

    def _drop_bus(self, error: Exception) -> None:
        self.close()
        self.detail = f"{self._commands.channel} failed: {error}"


def dbc_identifier(frame: can.Message) -> int:
    """Return the identifier of a frame, with `EXTENDED` set if it has 29 bits."""
    return frame.arbitration_id | EXTENDED * frame.is_extended_id
