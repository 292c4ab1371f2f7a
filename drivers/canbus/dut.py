"""The device under test: receive the signals and send the requests of its DBC and map over any CAN interface."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

import numpy as np

from drivers import source_names
from drivers.canbus.adapter_clock import AdapterClock
from drivers.canbus.bus import open_bus
from drivers.canbus.device_faults import FaultChannels
from drivers.canbus.dut_map import DutMap, SignalRow, read_dut_map
from drivers.canbus.dut_transmitter import DutTransmitter
from drivers.canbus.frame_errors import FrameErrors
from drivers.canbus.lean_can import can
from drivers.clock import monotonic
from drivers.e2e import E2EChecker
from drivers.ports import Health, LinkState
from drivers.realtime import WIRE, ask_realtime
from drivers.safe_can_commands import EXTENDED, CanSafeCommands, CanStep, CanVerification, dbc_identifier
from drivers.snapshot import Quality

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from drivers.canbus.dbc import DbcMessage
    from drivers.snapshot import Bytes, Channel, Columns, Floats

Contactor: TypeAlias = Literal["open", "close", "none"]

FIRST_RETRY_S: Final = 0.1
SLOWEST_RETRY_S: Final = 1.0
LISTEN_S: Final = 0.1
UNREADABLE_IN_A_ROW: Final = 5
NEWS_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _MessageSignals:
    """Columns of one message's signals, and their conversion to SI."""

    message: DbcMessage
    columns: Columns
    signals: tuple[str, ...]
    scale: Floats
    offset: Floats
    news_s: float  # how long an error in one of its frames is reported
    valid: tuple[tuple[str, int] | None, ...]  # the flag beside each signal, and its value while the signal may be used


class Dut:
    """A `Source` of the mapped channels; each value has the time of the frame that carried it.

    A value older than its channel's `max_age_s` is STALE, and MISSING (NaN) if the device is silent. A value that the
    device itself marks invalid is NaN and IMPLAUSIBLE. A frame that cannot be read is counted and reported in `health`.
    The bus is reopened after an error of the adapter, or after many unreadable frames in a row.
    """

    def __init__(self, mapped: DutMap, interface: str, channel: str, bitrate: int) -> None:
        """Use `Dut.open`, or call `start` afterwards."""
        self.name: Final = source_names.DUT
        self.map: Final = mapped
        self.channels: Final[tuple[Channel, ...]] = mapped.channels
        self.proof: Final = E2EChecker()
        self.doubts: Final = FrameErrors()
        self._address = (interface, channel, bitrate)
        self.openings = 0  # how often the bus was opened
        self._bus: can.BusABC | None = None
        self._fault = ""
        self._received_s = self._opened_s = float("-inf")
        self._last_s: dict[str, float] = {}
        self._signals = _collect_signals(mapped)
        self._clock = AdapterClock()
        self._low = np.array([channel.low for channel in self.channels])
        self._high = np.array([channel.high for channel in self.channels])
        self._max_age_s = np.array([channel.max_age_s for channel in self.channels])
        nothing = np.full(len(self.channels), np.nan)
        self._newest: tuple[Floats, Floats] = (nothing, nothing)  # replaced as a whole, so that readers need no lock
        self._closing = threading.Event()
        self._listener = threading.Thread(target=self._run, name="listen dut", daemon=True)
        self._transmitter = DutTransmitter(mapped.file, mapped.messages, self._send)
        self._faults = FaultChannels(mapped.mapped_channels, mapped.file.fault)

    @classmethod
    def open(cls, map_path: Path, interface: str, channel: str, bitrate: int) -> Self:
        """Read the map and start to receive; raise `BenchFileError`. The bus may open later: see `health`."""
        dut = cls(read_dut_map(map_path), interface, channel, bitrate)
        dut.start()
        return dut

    @property
    def dbc_hash(self) -> str:
        return self.map.dbc_hash

    @property
    def is_open(self) -> bool:
        """Whether the bus is open; `health` gives the reason why not."""
        return self._bus is not None

    def start(self) -> None:
        self._listener.start()
        self._transmitter.start()

    def close(self) -> None:
        """Stop sending and receiving; the last request stays in force."""
        self._closing.set()
        self._transmitter.close()
        if self._listener.ident is not None:
            self._listener.join()

    def heartbeat(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Start or stop the tester's heartbeat."""
        self._transmitter.heartbeat(on)

    @property
    def last_beat_s(self) -> float:
        """When the newest heartbeat was sent, monotonic; NaN before the first."""
        return self._transmitter.last_beat_s

    def request(self, contactor: Contactor, *, reset: bool = False, balance_off: bool = False) -> None:
        """Send the request now, then each cycle or on change, as the map declares; a reset acts on its rising edge.

        A close is withdrawn when the device falls silent or the bus is lost, and must then be requested again.
        """
        self._transmitter.request(contactor, reset=reset, balance_off=balance_off)

    def last_received_s(self) -> dict[str, float]:
        """Return the monotonic time of each message's newest accepted frame; messages never received are absent."""
        return dict(self._last_s)

    def health(self) -> Health:
        if self._closing.is_set():
            return Health(self.name, LinkState.CLOSED, "closed by the workbench")
        if self._bus is None:
            state = LinkState.DROPPED if self._fault else LinkState.CONNECTING
            return Health(self.name, state, self._fault or "opening the bus")
        now_s = monotonic()
        if not self._silent(now_s):
            return Health(self.name, LinkState.OK, self._news(now_s))
        if garbage := self.doubts.refused(now_s):
            return Health(self.name, LinkState.GARBAGE, garbage)
        if self._received_s == float("-inf") and now_s - self._opened_s <= self.map.timeout_s:
            return Health(self.name, LinkState.CONNECTING, "no frame received yet")
        fault = f" Bus error: {self._fault}" if self._fault else ""
        return Health(
            self.name, LinkState.SILENT, f"no frame received for {self.map.file.timeout_ms} ms; check its power.{fault}"
        )

    def read(self, values: Floats, sampled_s: Floats, quality: Bytes) -> None:
        newest, sampled = self._newest
        now_s = monotonic()
        silent = self._silent(now_s)
        old = ~(now_s - sampled <= self._max_age_s)  # NaN (never received) is old too
        missing = np.isnan(sampled) | (old & silent)
        plausible = (self._low <= newest) & (newest <= self._high)
        values[:] = np.where(missing, np.nan, newest)
        sampled_s[:] = sampled
        quality[:] = np.where(plausible, np.where(old | silent, Quality.STALE, Quality.GOOD), Quality.IMPLAUSIBLE)
        quality[missing] = Quality.MISSING
        self._faults.fill(values, sampled_s, quality)

    def _news(self, now_s: float) -> str:
        clock = self._clock.news if now_s - self._clock.news_s <= NEWS_S else ""
        return ". ".join(filter(None, (self.doubts.news(now_s), clock)))

    def _silent(self, now_s: float) -> bool:
        return not now_s - self._received_s <= self.map.timeout_s

    def _run(self) -> None:
        ask_realtime(WIRE)
        pause_s = FIRST_RETRY_S
        while not self._closing.is_set():
            try:
                self._bus = bus = open_bus(*self._address)
                self._opened_s, pause_s, self._fault = monotonic(), FIRST_RETRY_S, ""
                self._clock = AdapterClock()
                self.openings += 1
                self._process_frame(bus)
            except Exception as error:  # noqa: BLE001  # adapters raise any exception of their vendors
                self._fault = str(error) or repr(error)
            finally:
                self._close_bus()
            self._closing.wait(pause_s)
            pause_s = min(2.0 * pause_s, SLOWEST_RETRY_S)

    def _process_frame(self, bus: can.BusABC) -> None:
        while not self._closing.is_set():
            frame = self._receive(bus)
            silent = self._silent(monotonic())
            if silent:
                self._transmitter.forget()
            if frame is not None and not frame.is_remote_frame and not frame.is_error_frame:
                try:
                    self._take(frame, monotonic())
                except Exception as error:  # noqa: BLE001  # no frame, however malformed, may end the link
                    self._pass_over(error)
            if silent and not self._silent(monotonic()):
                self._transmitter.repeat()

    def _receive(self, bus: can.BusABC) -> can.Message | None:
        """Return the next frame; raise the adapter's own errors, and any error that repeats instead of frames."""
        for _ in range(UNREADABLE_IN_A_ROW - 1):
            try:
                return bus.recv(LISTEN_S)
            except (can.CanError, OSError):
                raise
            except Exception as error:  # noqa: BLE001  # a frame at which the adapter's code fails
                self._pass_over(error)
        return bus.recv(LISTEN_S)

    def _pass_over(self, error: Exception) -> None:
        self.doubts.pass_over("the bus", f"a frame that cannot be read: {error!r}", monotonic() + NEWS_S)

    def _close_bus(self) -> None:
        bus, self._bus = self._bus, None
        self._transmitter.forget()
        try:
            if bus is not None:
                bus.shutdown()
        except Exception as error:  # noqa: BLE001  # a vendor's library may raise anything
            self._fault = str(error) or repr(error)

    def _take(self, frame: can.Message, arrived_s: float) -> None:
        """Accept or refuse one frame; ignore identifiers that the map does not name."""
        mapped = self._signals.get(dbc_identifier(frame))
        if mapped is None:
            return
        message, payload = mapped.message, bytes(frame.data)
        if why := self.proof.check(message.protection, message.id, payload, message.length):
            self.doubts.refuse(message.name, why, arrived_s + mapped.news_s)
            return
        self.doubts.accept(message.name)
        if why := message.oddity(payload):
            self.doubts.pass_over(message.name, why, arrived_s + mapped.news_s)
        decoded = message.decode(payload)
        # a frame of a multiplexed message carries only some of its signals
        present = [place for place, name in enumerate(mapped.signals) if name in decoded]
        columns, physical = mapped.columns[present], np.array([decoded[mapped.signals[place]] for place in present])
        values, sampled_s = (array.copy() for array in self._newest)
        values[columns] = mapped.scale[present] * physical + mapped.offset[present]
        values[[mapped.columns[place] for place in present if _is_invalid(mapped.valid[place], decoded)]] = np.nan
        sampled_s[columns] = self._clock.ours(frame.timestamp, arrived_s)
        self._newest = values, sampled_s
        self._received_s = self._last_s[message.name] = arrived_s

    def _send(self, message: DbcMessage, payload: bytes) -> bool:
        """Send one frame; return whether the bus accepted it."""
        try:
            if (bus := self._bus) is not None:
                bus.send(can.Message(arbitration_id=message.id, data=payload, is_extended_id=message.extended))
                return True
        except Exception as error:  # noqa: BLE001  # an adapter's own error, or another thread closed the bus
            self._fault = str(error) or repr(error)
        return False


def open_commands(mapped: DutMap, interface: str, channel: str, bitrate: int, within_s: float) -> CanSafeCommands:
    """Return the guard's own bus and its request to open the contactors."""
    return CanSafeCommands(interface, channel, bitrate, open_steps(mapped, within_s))


def open_steps(mapped: DutMap, within_s: float) -> tuple[CanStep, ...]:
    """Return the step "contactors open": the request with every counter value, verified by the channel's bits."""
    rules, verify = mapped.file.last_request, mapped.file.verify
    asking = mapped.messages[rules.message]
    turns = asking.protection.counter_values if asking.protection else 1
    frames = tuple((_identifier(asking), asking.encode({rules.signal: rules.open}, turn)) for turn in range(turns))
    row = mapped.row(verify.channel)
    answering = mapped.messages[row.message]
    mask, value = answering.bits(row.signal, (verify.open - row.offset) / row.scale)
    watch = CanVerification(_identifier(answering), mask, value, answering.length, answering.protection)
    return (CanStep("contactors open", frames, watch, within_s),)


def _collect_signals(mapped: DutMap) -> dict[int, _MessageSignals]:
    """Return for each identifier the columns of the signals of its message."""
    rows: dict[str, list[int]] = {}
    channels = mapped.channels
    for column, row in enumerate(mapped.rows):
        rows.setdefault(row.message, []).append(column)
    return {
        _identifier(mapped.messages[name]): _MessageSignals(
            mapped.messages[name],
            np.array(columns, dtype=np.intp),
            tuple(mapped.rows[column].signal for column in columns),
            np.array([mapped.rows[column].scale for column in columns]),
            np.array([mapped.rows[column].offset for column in columns]),
            max(mapped.timeout_s, *(channels[column].max_age_s for column in columns)),
            tuple(_valid(mapped.rows[column]) for column in columns),
        )
        for name, columns in rows.items()
    }


def _valid(row: SignalRow) -> tuple[str, int] | None:
    return None if row.valid_signal is None else (row.valid_signal, row.valid)


def _is_invalid(valid: tuple[str, int] | None, values: Mapping[str, float]) -> bool:
    """Return whether the flag beside a value marks it invalid; an absent flag marks it invalid too."""
    return valid is not None and values.get(valid[0]) != valid[1]


def _identifier(message: DbcMessage) -> int:
    return message.id | EXTENDED * message.extended
