"""The status registers of an EA supply (programming guide EN_01, 5.4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drivers.scpi import codec

ALARMS: Final = {  # bits of the questionable status and their meaning
    0: "over-voltage (OVP)",
    1: "over-current (OCP)",
    2: "over-power (OPP)",
    3: "over-temperature (OT)",
    4: "user event over-voltage (OVD)",
    5: "user event under-voltage (UVD)",
    6: "user event over-current (OCD)",
    7: "user event under-current (UCD)",
    8: "user event over-power (OPD)",
    13: "power fail (PF)",
    14: "master-slave (MSP)",
}
LOCAL, REMOTE, OUTPUT, POWER_FAIL = 1 << 9, 1 << 10, 1 << 11, 1 << 13
SUPERVISION_ENDED: Final = 1 << 7  # of the operation status: CTO


@dataclass(frozen=True, slots=True)
class EaStatus:
    """Output on; who has remote control (`REMOTE`, `LOCAL`, `NONE`); alarms not yet acknowledged."""

    output: bool
    owner: str
    alarms: tuple[str, ...]
    power_fail: bool = False


def status(reply: bytes) -> EaStatus:
    """Parse the questionable condition; raise `LinkGarbage`."""
    bits = codec.state(reply)
    owner = "LOCAL" if bits & LOCAL else "REMOTE" if bits & REMOTE else "NONE"
    alarms = tuple(words for bit, words in ALARMS.items() if bits >> bit & 1)
    return EaStatus(bool(bits & OUTPUT), owner, alarms, bool(bits & POWER_FAIL))
