"""The steps in their order."""

from __future__ import annotations

from typing import Final

from drivers.errors import Usage
from workbench.selftest import after_steps, bench_steps, chain_steps, last_resort_steps, safety_steps
from workbench.selftest.step import Step

LIVE: Final = ("connect", "arm")  # without these no later step can be walked
STEPS: Final = (
    Step("connect", "bench connected", bench_steps.connect),
    Step("arm", "checklist holds", bench_steps.arm, needs=("connect",)),
    Step("run", "lanes side by side", bench_steps.run, needs=LIVE),
    Step("fault", "BMS sees an over-voltage in time", safety_steps.fault, needs=LIVE),
    Step("limit", "bench limit crossed, supply off", safety_steps.limit, needs=LIVE),
    Step("outputs_off", "OUTPUTS OFF pressed, supply off", safety_steps.outputs_off, needs=LIVE),
    Step("message_stopped", "BMS message stops, current to zero", last_resort_steps.message_stopped, needs=LIVE),
    Step("off_unverified", "off not verified, nothing inferred", last_resort_steps.off_unverified, needs=LIVE),
    Step("guard_hangs", "OUTPUTS OFF while the guard hangs", last_resort_steps.guard_hangs, needs=LIVE),
    Step("engine_killed", "engine killed, supply off", safety_steps.engine_killed, needs=LIVE),
    Step("reopen", "killed run opens again", after_steps.reopen, needs=LIVE),
    Step("off_connecting", "OUTPUTS OFF at connect, then no guard", last_resort_steps.off_connecting, needs=LIVE),
    Step("window_killed", "window killed, supply off", after_steps.window_killed, needs=LIVE),
    Step("pictures", "pictures of the window", after_steps.pictures, needs=LIVE),
    Step("certify", "BMS certified on three cells", chain_steps.certify, needs=LIVE),
    Step("bundle", "configuration signed, verified", chain_steps.bundle, needs=(*LIVE, "run")),
    Step("edge", "edge runs the bundle beside a pack", chain_steps.edge, needs=("bundle",)),
    Step("fleet", "broker and host killed, no row lost", chain_steps.fleet, needs=("bundle", "edge")),
)

# Defects that can be injected, and the step that must find each.
DEFECTS: Final = {
    "mute-supply": "connect",
    "swap-cells": "arm",
    "drop-tick": "run",
    "bms-threshold": "fault",
    "kill-guard": "limit",
    "mute-guard": "limit",
    "seed-defect": "certify",
    "flip-bundle-byte": "bundle",
    "foreign-key": "bundle",
    "broker-stays-down": "fleet",
    "lose-row": "fleet",
    "double-row": "fleet",
}


def chosen(only: str) -> list[tuple[int, Step]]:
    """The steps to judge with their numbers; raises `Usage` that lists the names there are."""
    numbered = list(enumerate(STEPS, 1))
    if not only:
        return numbered
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    names = [step.name for step in STEPS]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise Usage(f"--only {unknown[0]} is no step", value=unknown[0], hint=f"steps: {', '.join(names)}")
    return [(number, step) for number, step in numbered if step.name in wanted]


def check_defect(name: str) -> None:
    """Raise `Usage` with the names that exist where `name` is none of them; an empty one injects nothing."""
    if name and name not in DEFECTS:
        what, hint = f"--inject-defect {name} is unknown", f"names: {', '.join(DEFECTS)}"
        raise Usage(what, key="inject-defect", value=name, hint=hint)
