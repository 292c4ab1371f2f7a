"""Driver of the bidirectional supply that drives the pack current through the series loop."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drivers import source_names
from drivers.channel_names import SUPPLY_CURRENT, SUPPLY_OUTPUT, SUPPLY_POWER, SUPPLY_VOLTAGE
from drivers.clock import monotonic
from drivers.errors import BenchError, LinkError, LinkRefused
from drivers.ports import Health, LinkState
from drivers.scpi import codec, ea_diagnosis
from drivers.scpi import ea_psb10000 as page
from drivers.scpi.ea_settings_keeper import SettingsKeeper
from drivers.scpi.poller import PollReading
from drivers.scpi.source import AS_DECLARED, ONE_CLIENT, ScpiSource
from drivers.snapshot import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drivers.scpi.declarations import Quantity, Read
    from drivers.scpi.link import ScpiLink

DISOBEYED: Final = 5  # exchanges: longer than the instrument's delay
REST: Final = (0.0, 0.0, 0.0)
AFTER_POWER_FAIL_S: Final = 12.0  # before the output may go on again; programming guide EN_01, 3.10.1
LEAST_RATINGS: Final = (66.0, 132.0, 30_000.0)  # V, A, W at least, until the instrument has reported its ratings


def channels(protect_voltage_v: float, protect_current_a: float) -> tuple[Channel, ...]:
    """Return what the supply measures, with bounds of at least twice its declared protections."""
    volts, amperes = max(LEAST_RATINGS[0], 2.0 * protect_voltage_v), max(LEAST_RATINGS[1], 2.0 * protect_current_a)
    watts = max(LEAST_RATINGS[2], volts * amperes)
    return (
        Channel(SUPPLY_OUTPUT, "1", 0.0, 1.0),
        Channel(SUPPLY_VOLTAGE, "V", -1.0, volts),
        Channel(SUPPLY_CURRENT, "A", -amperes, amperes),
        Channel(SUPPLY_POWER, "W", -watts, watts),
    )


class Supply(ScpiSource):
    """An EA PSB 10000 at `address`; `charge_v` sources into the loop, `discharge_v` sinks from it.

    `found_owner`: who had remote control when it was first connected, before it was taken here.
    """

    identity_query = codec.message(page.IDENTITY.ask())
    unanswered = f"{ONE_CLIENT}, and the guard needs a second connection"
    gap_s = page.GAP_S
    most_units, longest = page.MOST_COMMANDS, page.LONGEST

    def __init__(
        self,
        address: str,
        expect: str,
        period_s: float,
        *,
        protect_voltage_v: float,
        protect_current_a: float,
        charge_v: float,
        discharge_v: float,
        timeouts_s: Mapping[str, float] = AS_DECLARED,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        measured = channels(protect_voltage_v, protect_current_a)
        super().__init__(source_names.SUPPLY, address, expect, period_s, measured, timeouts_s=timeouts_s, clock=clock)
        self.found_owner = ""
        self._protect = page.ProtectionLevels(protect_voltage_v, protect_current_a, protect_current_a)
        self._charge_v, self._discharge_v = charge_v, discharge_v
        self._ratings: page.Ratings | None = None
        self._keeper = SettingsKeeper(self, self._note)
        self._requested: tuple[float, tuple[float, ...], bytes] | None = None
        self._written: tuple[tuple[float, ...], tuple[float, ...]] = REST, REST  # the set-points before, the newest
        self._remote = self._held = False  # as the instrument reports, as we took it
        self._released = False  # remote control was released: the instrument would refuse a set-point still in flight
        self._disobeyed = 0
        self._complaint = ""
        self._lost_remote = False  # what the complaint is about
        self._power_failed_s = -math.inf

    def set_current(self, current_a: float) -> None:
        """Set the loop current (A, discharge positive) for the next exchange; dropped until ratings are known.

        Raise `BenchError` for NaN, or beyond the ratings.
        """
        if not math.isfinite(current_a):
            raise BenchError(f"current {current_a} A is not a set-point", where=self.name, value=current_a)
        voltage_v = self._charge_v if current_a < 0.0 else self._discharge_v
        values = (voltage_v, max(0.0, -current_a), max(0.0, current_a))
        if (ratings := self._ratings) is not None:
            units = [ratings.of(kind).put(value) for kind, value in zip(page.SET_POINTS, values, strict=True)]
            self._requested = current_a, values, codec.message(*units)

    def forget(self) -> None:
        self._requested, self._remote = None, False

    def health(self) -> Health:
        """Return the health; if the supply answers, with the set-points it does not follow and its active alarm."""
        health = super().health()
        return replace(health, detail=self._complaint) if health.state is LinkState.OK else health

    def meet(self, link: ScpiLink) -> None:
        """Check the ratings against the bench file, do one exchange, change settings by which it would re-energise."""
        self._ratings = page.ratings(self.get(link, [query.ask() for _, query in page.RATINGS]))
        self._check_ratings(self._ratings, link.address)
        reported = page.parse_measured(self.asked(link, page.MEASURE, page.ANSWERS))
        self.found_owner = self.found_owner or reported.status.owner
        if reported.status.owner == "NONE" and not reported.status.output:
            self._keeper.change_unlocked(link)

    def exchange(self, link: ScpiLink) -> PollReading:
        """Send set-points only under remote control: without it each would leave an error in the queue. Then read."""
        requested = self._requested if self._remote and not self._released else None
        if requested is not None:
            current_a, values, message = requested
            self.sending(np.array([current_a]))
            self._written = self._written[1], values
            link.write(message)
        reported = page.parse_measured(link.ask(page.MEASURE, page.ANSWERS))
        sampled_s = link.sampled_s
        self._remote = reported.status.owner == page.REMOTE
        self._judge(link, reported, requested=requested is not None)
        return PollReading(np.array(reported.values), sampled_s)

    def lock(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Take or release remote control; raise `BenchError` that names the owner."""
        self._held, self._released = False, not on  # until it is taken, or from now on
        self._send(page.LOCK.put("on" if on else "off"))
        self._within(lambda: self._lock_is_not("REMOTE" if on else "NONE"))
        self._held = on

    def output(self, on: bool) -> None:  # noqa: FBT001  # the one thing it says
        """Switch the output and wait until it reads so; raise `BenchError` with the entries of the error queue."""
        wait_s = self._power_failed_s + AFTER_POWER_FAIL_S - monotonic()
        if on and wait_s > 0.0:
            what = f"had a power fail and must stay off for another {wait_s:.0f} s"
            raise BenchError(what, where=self.name, value=wait_s, bound=0.0, hint="wait, then arm again")
        word = "on" if on else "off"
        self._send(page.OUTPUT.put(word))
        self._within(lambda: "" if self._output_is_on() is on else f"does not switch its output {word}")

    def prepare(self) -> None:
        """Acknowledge alarms; set safe settings, no current, full power limits and protections. Needs the lock."""
        self.poller.call(self._acknowledge)
        self.poller.call(self._keeper.change, times=1.0)
        ratings = self._check_rated()
        self.set_current(0.0)
        self._send(*(ratings.of(kind).put(ratings.power_w) for kind in page.POWERS))
        levels = zip(page.PROTECTIONS, self._protect, strict=True)
        self._send(*(ratings.of(kind).put(value) for kind, value in levels))
        self._within(self._protects_otherwise)
        self._within(self._power_is_not_full)

    def restore(self) -> None:
        """Restore the settings that were changed here, once the output is off; `news` reports the result.

        Only for an orderly end: a guard that keeps trying needs the remote control that this releases.
        """
        self._keeper.restore()

    def protections(self) -> page.ProtectionLevels:
        """Read the thresholds at which it switches itself off from the instrument."""
        return page.ProtectionLevels(*(read.value for read in self._read(page.PROTECTIONS)))

    def connections_ok(self, write: Callable[[bytes], object]) -> bool:
        """Return whether the instrument accepts what `write` sends on a second connection; restore the value after."""
        ratings, power = self._check_rated(), self._check_rated().of(page.SINK_POWER)
        (before,) = self._read((page.SINK_POWER,))
        apart_w = max(10.0, 4.0 * before.half_step + 2.0 * ratings.power_w / page.STEPS)
        mark_w = next(ratings.power_w - n * apart_w for n in (1, 2) if self._differs(before, n, apart_w))
        write(codec.message(power.put(mark_w)))
        try:
            self._within(lambda: self._mark_is_not(mark_w))
        except BenchError:
            return False
        finally:
            self._send(power.put(ratings.power_w))
        return True

    def errors(self) -> list[str]:
        """Read the alarms, then the error queue, oldest first; reading acknowledges and empties them."""
        return self.poller.call(lambda link: ea_diagnosis.complaints(self, link))

    def ratings(self) -> page.Ratings:
        """Return the ratings in V, A and W that the instrument reported; raise `BenchError` before it was connected."""
        return self._check_rated()

    def _check_rated(self) -> page.Ratings:
        if self._ratings is None:
            raise BenchError("has not reported its ratings yet", where=self.name, hint="connect it first")
        return self._ratings

    def _check_ratings(self, ratings: page.Ratings, address: str) -> None:
        """Raise `UnfitRating` if the bench file requires more than the ratings allow."""
        required = (
            ("supply.protect.voltage_v", self._protect.voltage_v, page.PROTECT_VOLTAGE),
            ("supply.protect.current_a", self._protect.source_current_a, page.PROTECT_CURRENT),
            ("supply.charge_v", self._charge_v, page.VOLTAGE),
            ("supply.discharge_v", self._discharge_v, page.VOLTAGE),
        )
        for key, value, kind in required:
            if value > ratings.of(kind).high:
                raise ratings.too_low(key, value, kind, address)

    def _read(self, kinds: tuple[Quantity, ...]) -> list[Read]:
        replies = self._ask(*(kind.ask() for kind in kinds))
        return [kind.read_back(reply) for kind, reply in zip(kinds, replies, strict=True)]

    def _output_is_on(self) -> bool:
        return page.is_on(self._ask(page.OUTPUT.ask())[0])

    def _lock_is_not(self, wanted: str) -> str:
        owner = page.lock_owner(self._ask(page.LOCK_OWNER.ask())[0])
        return "" if owner == wanted else f"reports remote control owner {owner}, not {wanted}"

    def _differs(self, before: Read, n: int, apart_w: float) -> bool:
        return abs(self._check_rated().power_w - n * apart_w - before.value) > 0.5 * apart_w

    def _mark_is_not(self, mark_w: float) -> str:
        (read,) = self._read((page.SINK_POWER,))
        accepted = self._check_rated().agrees(page.SINK_POWER, mark_w, read)
        return "" if accepted else "ignores commands of its second connection"

    def _protects_otherwise(self) -> str:
        ratings, reported = self._check_rated(), self._read(page.PROTECTIONS)
        if all(map(ratings.agrees, page.PROTECTIONS, self._protect, reported)):
            return ""
        return f"protects at {_three([read.value for read in reported])}, declared {_three(self._protect)}"

    def _power_is_not_full(self) -> str:
        ratings, reported = self._check_rated(), self._read(page.POWERS)
        if all(ratings.agrees(kind, ratings.power_w, read) for kind, read in zip(page.POWERS, reported, strict=True)):
            return ""
        source_w, sink_w = (read.value for read in reported)
        return f"is set to {source_w:g} W sourced, {sink_w:g} W sunk, not to its nominal {ratings.power_w:g} W"

    def _acknowledge(self, link: ScpiLink) -> None:
        """Acknowledge alarms that are over; raise `LinkRefused` for one that is not."""
        stood = ea_diagnosis.standing(self, link)
        if not stood.alarms:
            return
        link.ask(codec.message(page.ERRORS.ask()), 1, self.timeouts.ask)
        self._note(f"alarm acknowledged: {', '.join(stood.alarms)}")
        if (stands := ea_diagnosis.standing(self, link)).alarms:
            what = f"refuses to arm: its alarm {', '.join(stands.alarms)} is still present"
            raise LinkRefused(what, where=link.address, hint="remove its cause, then arm again")
        if stood.power_fail:
            self._power_failed_s = monotonic()

    def _judge(self, link: ScpiLink, reported: page.ReportedValues, *, requested: bool) -> None:
        """Note set-points that the instrument does not follow for longer than its delay, and its alarms."""
        obeys = not requested or self._check_obedience(reported.set_points)
        self._disobeyed = 0 if obeys else self._disobeyed + 1
        if reported.status.alarms:
            self._complain(f"reports {', '.join(reported.status.alarms)}; remove its cause, then arm again")
        elif self._held and not self._remote:
            if not self._lost_remote:
                self._complain(f"reports remote control owner {reported.status.owner}; {ea_diagnosis.loss(self, link)}")
                self._lost_remote = True
        elif obeys:
            self._complain("")
        elif self._disobeyed == DISOBEYED:
            set_to = f"is set to {_three([read.value for read in reported.set_points])}"
            self._complain(f"{set_to}, requested {_three(self._written[1])}; {self.diagnosed(link)}")

    def _complain(self, text: str) -> None:
        self._complaint, self._lost_remote = text, False

    def _check_obedience(self, reported: tuple[Read, ...]) -> bool:
        """Return whether each value is the newest that was sent, or the one before, which may still be in force."""
        ratings = self._check_rated()
        return all(
            any(ratings.agrees(page.SET_POINTS[place], written[place], read) for written in self._written)
            for place, read in enumerate(reported)
        )

    def _reason(self, link: ScpiLink) -> str:
        """Return the alarms and the error queue in words."""
        reasons = ea_diagnosis.complaints(self, link)
        return f"it refuses: {', '.join(reasons)}" if reasons else "its error queue is empty"

    def _unanswered(self, link: ScpiLink, message: bytes, error: LinkError) -> LinkError:
        """Return the reason from the error queue: a query that fails leaves it there, and gets no reply."""
        found = ea_diagnosis.unanswered(link, message, self.timeouts.ask, self._note)
        if found is None and not link.in_step:
            self._in_step(link)
        return found or super()._unanswered(link, message, error)


def _three(values: tuple[float, ...] | list[float]) -> str:
    volts, source_a, sink_a = values
    return f"{volts:g} V, {source_a:g} A sourced, {sink_a:g} A sunk"
