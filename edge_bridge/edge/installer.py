"""The bundle installer: verify and install a bundle, watch its probation, revert to the last good one."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from drivers.errors import BundleRefused, CheckFailed, PulseError
from drivers.state_file import DamagedFile
from drivers.timestamps import format_utc, parse_utc
from edge_bridge.bundle import serials
from edge_bridge.bundle.runtime import configure
from edge_bridge.bundle.verify import VerifiedBundle, verify
from edge_bridge.edge.probation import MAX_BOOTS, HealthSample, Probation, ProbationState
from edge_bridge.edge.verify_process import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from edge_bridge.bundle.runtime import Configuration
    from edge_bridge.bundle.verify import Acceptance
    from edge_bridge.edge.slots import InstalledBundle, Slots

INSTALLED, HEALTHY, REVERTED, REFUSED = "installed", "healthy", "reverted", "refused"
MAX_REASON: Final = 500  # characters of a reason: it is sent to the fleet
RESTORE_HINT: Final = "name a bundle with --bundle"


@dataclass(frozen=True)
class RunningConfiguration:
    """The configuration that runs now, with its bundle and slot."""

    installed: InstalledBundle
    verified: VerifiedBundle
    configured: Configuration


@dataclass(frozen=True, slots=True)
class InstallStatus:
    """The status of a bundle as reported to the fleet: its hash, its state and a reason."""

    sha256: str = ""
    state: str = ""
    reason: str = ""


class BundleInstaller:
    """The slots, the running configuration and its probation; each change goes to the log."""

    def __init__(
        self,
        slots: Slots,
        work: Path,
        trust: Path,
        *,
        state: Path,
        accept: Acceptance,
        launch: Callable[[Configuration], None],
        log: Callable[[str], None],
    ) -> None:
        """Members are unpacked to `work`; `launch` starts a configuration, or raises and keeps the old one running.

        `state`: the folder of the edge, which remembers serials.
        """
        self.slots = slots
        self.status = InstallStatus()
        self._work, self._trust, self._state = work, trust, state
        self._accept = replace(accept, state=state)
        self._launch, self._log = launch, log
        self._probation: Probation | None = None
        self._running: RunningConfiguration | None = None

    @property
    def running(self) -> RunningConfiguration:
        """Return the running configuration; raise `CheckFailed` while there is none."""
        if self._running is None:
            raise CheckFailed("no configuration is running", hint=RESTORE_HINT)
        return self._running

    @property
    def is_running(self) -> bool:
        return self._running is not None

    @property
    def is_on_probation(self) -> bool:
        return self._probation is not None

    @property
    def accept(self) -> Acceptance:
        """What a new bundle must meet; its type of pack is the given one, else that of the last good bundle."""
        good = self.slots.pointer.good
        pack_type = self._accept.pack_type or ("" if good is None else good.pack_type)
        return replace(self._accept, pack_type=pack_type)

    def make_candidate(self, data: bytes, now: datetime) -> Candidate:
        """Return the bundle to verify, with what this edge accepts."""
        return Candidate(data, self._trust, now, self.accept)

    def count_start(self) -> None:
        """Count this start; revert a configuration that does not survive its first starts on probation."""
        boots = self.slots.count_start()
        active, good = self.slots.pointer.active, self.slots.pointer.good
        if isinstance(boots, DamagedFile):
            self._log(boots.sentence)
            if active is not None and good is not None:
                self._revert(active, f"its count of starts on probation cannot be read: {boots.sentence}")
        elif boots > MAX_BOOTS and active is not None and good is not None:
            self._revert(active, f"the edge ended {MAX_BOOTS} times before the bundle proved healthy")
        elif boots > 1 and active is not None:
            self._log(f"bundle {active.name} {active.serial}: start {boots} on probation")

    def resume(self, now_s: float) -> None:
        """Run the active bundle, else the last good one; raise `CheckFailed` or `BundleRefused` if neither can run."""
        active, good = self.slots.pointer.active, self.slots.pointer.good
        if self.slots.damage:
            what = f"the contactor stays open: {self.slots.damage}, so the installed bundle is unknown"
            raise CheckFailed(what, hint=f"restore it, or {RESTORE_HINT}")
        if active is None:
            raise CheckFailed("no bundle is installed", hint=RESTORE_HINT)
        try:
            self._run(active, now_s)
        except Exception as error:  # a configuration may fail in any way
            if good is None or good == active:
                raise
            self._revert(active, _describe(error))
            self._run(good, now_s)

    def install(self, data: bytes, now: datetime, now_s: float) -> None:
        """Install a verified bundle and run it; raise `BundleRefused`, and the old bundle goes on running.

        Revert a bundle that cannot be started at once and report it in `status`; raise if there is no old one.
        """
        verified = verify(data, self._trust, now=now, accept=self.accept)
        manifest = verified.bundle.manifest
        self._check_serial(verified, now)
        if self.slots.damage:
            self._log(f"{self.slots.damage}; the file is renamed, {manifest.name} {manifest.serial} is installed again")
        try:
            installed = self.slots.install(data, manifest.name, manifest.serial, format_utc(now), manifest.pack_type)
        except OSError as error:
            what = f"cannot be written to its slot: {error.strerror or error}"
            raise BundleRefused(what, key="disk", hint="free some space on the disk of the edge") from error
        try:
            self._run(installed, now_s)
        except Exception as error:
            self._revert(installed, _describe(error))
            if self._running is None:
                raise

    def report_running(self) -> None:
        """Report the running bundle again, whatever happened to another."""
        self.status = InstallStatus(self.running.installed.sha256, HEALTHY if self._probation is None else INSTALLED)

    def update(self, now_s: float, sample: HealthSample) -> None:
        """Update the probation with one sample; raise `CheckFailed` if it failed and there is none to revert to."""
        if self._probation is None:
            return
        state = self._probation.update(now_s, sample)
        if state is ProbationState.HEALTHY:
            self._confirm()
        elif state is ProbationState.FAILED:
            active = self.running.installed
            reason = self._probation.reason
            self._probation = None
            good = self._revert(active, reason)
            if good is None:
                what = f"bundle {active.name} {active.serial} did not prove healthy: {reason}"
                raise CheckFailed(what, hint="there is no earlier bundle to revert to; install another one")
            self._run(good, now_s)

    def _run(self, installed: InstalledBundle, now_s: float) -> None:
        data = self.slots.read(installed)
        if data is None:
            what = f"slot {installed.slot} no longer contains the bundle that was installed"
            raise CheckFailed(what, where=installed.name, hint=RESTORE_HINT)
        # verify as of the day of installation: an edge whose clock has no battery boots with a date in the past
        day = parse_utc(installed.at)
        verified = verify(data, self._trust, now=day, accept=self._accept)
        configured = configure(verified.bundle, self._work / installed.slot)
        self._launch(configured)
        self._running = RunningConfiguration(installed, verified, configured)
        manifest = verified.bundle.manifest
        title = f"bundle {manifest.name} {manifest.serial} ({installed.sha256[:12]}, {manifest.evidence})"
        self._log(f"{title} runs from slot {installed.slot}")
        self._probation = Probation(now_s) if self.slots.pointer.is_on_probation else None
        if self._probation is not None:
            self.status = InstallStatus(installed.sha256, INSTALLED)
        elif not self.status.sha256:
            self.status = InstallStatus(installed.sha256, HEALTHY)

    def _confirm(self) -> None:
        self._probation = None
        installed = self.running.installed
        self.slots.confirm()
        self.status = InstallStatus(installed.sha256, HEALTHY)
        self._log(f"bundle {installed.name} {installed.serial} is healthy; it is now the last good bundle")
        try:
            serials.remember(self._state, installed.name, installed.serial, installed.sha256)
        except (PulseError, OSError) as error:
            self._log(
                f"its serial could not be written to {self._state}: {error}; this edge still refuses an older one"
            )

    def _revert(self, installed: InstalledBundle, reason: str) -> InstalledBundle | None:
        good = self.slots.revert()
        self.status = InstallStatus(installed.sha256, REVERTED if good else REFUSED, reason)
        back = f"reverted to {good.name} {good.serial}" if good else "there is no earlier bundle"
        self._log(f"bundle {installed.name} {installed.serial} failed: {reason}; {back}")
        return good

    def _check_serial(self, verified: VerifiedBundle, now: datetime) -> None:
        """Refuse a serial older than the last good one, also where its serial could not be written."""
        manifest, good = verified.bundle.manifest, self.slots.pointer.good
        if good is not None:
            lowest = good.serial if serials.key_of(good.name) == serials.key_of(manifest.name) else 0
        else:
            lowest = self._find_lowest_serial(manifest.name, now) if self.slots.damage else 0
        if manifest.serial < lowest:
            what, hint = f"has serial {manifest.serial}, older than {lowest}", f"install serial {lowest} or newer"
            raise BundleRefused(what, key="older_serial", value=manifest.serial, bound=lowest, hint=hint)

    def _find_lowest_serial(self, name: str, now: datetime) -> int:
        """Without a pointer: return the newest serial in the slots, except of bundles that were given up; 0 if none."""
        given_up = self.slots.read_failed_hashes()
        known = () if isinstance(given_up, DamagedFile) else given_up
        lowest = 0
        for data in self.slots.read_bundles():
            with contextlib.suppress(BundleRefused):
                found = verify(data, self._trust, now=now)
                if serials.key_of(found.bundle.manifest.name) == serials.key_of(name) and found.sha256 not in known:
                    lowest = max(lowest, found.bundle.manifest.serial)
        return lowest


def _describe(error: Exception) -> str:
    sentence = error.sentence if isinstance(error, PulseError) else f"{type(error).__name__}: {error}"
    return sentence[:MAX_REASON]
