"""The steps of the selftest in their order, and the defects that can be injected."""

from __future__ import annotations

from typing import Final

from drivers.errors import Usage
from workbench.selftest import after_steps, bench_steps, chain_steps, last_resort_steps, safety_steps
from workbench.selftest.step import SelftestStep

LIVE: Final = ("connect", "arm")  # without these no later step can run
STEPS: Final = (
    SelftestStep("connect", "bench connected", bench_steps.run_connect),
    SelftestStep("arm", "checklist holds", bench_steps.run_arm, needs=("connect",)),
    SelftestStep("run", "lanes side by side", bench_steps.run_lanes, needs=LIVE),
    SelftestStep("fault", "BMS sees an over-voltage in time", safety_steps.inject_fault, needs=LIVE),
    SelftestStep("limit", "bench limit crossed, supply off", safety_steps.cross_limit, needs=LIVE),
    SelftestStep("outputs_off", "OUTPUTS OFF pressed, supply off", safety_steps.press_outputs_off, needs=LIVE),
    SelftestStep("message_stopped", "BMS message stops, current to zero", last_resort_steps.stop_message, needs=LIVE),
    SelftestStep(
        "off_unverified", "off not verified, nothing inferred", last_resort_steps.disarm_silent_supply, needs=LIVE
    ),
    SelftestStep("guard_hangs", "OUTPUTS OFF while the guard hangs", last_resort_steps.hang_guard, needs=LIVE),
    SelftestStep("engine_killed", "engine killed, supply off", safety_steps.kill_engine, needs=LIVE),
    SelftestStep("reopen", "killed run opens again", after_steps.reopen_run, needs=LIVE),
    SelftestStep(
        "off_connecting",
        "OUTPUTS OFF at connect, then no guard",
        last_resort_steps.press_off_while_connecting,
        needs=LIVE,
    ),
    SelftestStep("window_killed", "window killed, supply off", after_steps.kill_window, needs=LIVE),
    SelftestStep("pictures", "pictures of the window", after_steps.check_pictures, needs=LIVE),
    SelftestStep("certify", "BMS certified on three cells", chain_steps.run_certify, needs=LIVE),
    SelftestStep("bundle", "configuration signed, verified", chain_steps.build_bundle, needs=(*LIVE, "run")),
    SelftestStep("edge", "edge runs the bundle beside a pack", chain_steps.run_edge, needs=("bundle",)),
    SelftestStep("fleet", "broker and host killed, no row lost", chain_steps.run_fleet, needs=("bundle", "edge")),
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


def select_steps(only: str) -> list[tuple[int, SelftestStep]]:
    """Return the selected steps with their numbers; raise `Usage`, which lists the names, for an unknown step."""
    numbered = list(enumerate(STEPS, 1))
    if not only:
        return numbered
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    names = [step.name for step in STEPS]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise Usage(f"--only {unknown[0]} is not a step", value=unknown[0], hint=f"steps: {', '.join(names)}")
    return [(number, step) for number, step in numbered if step.name in wanted]


def check_defect(name: str) -> None:
    """Raise `Usage`, which lists the names, for an unknown defect; an empty name injects nothing."""
    if name and name not in DEFECTS:
        what, hint = f"--inject-defect {name} is unknown", f"names: {', '.join(DEFECTS)}"
        raise Usage(what, key="inject-defect", value=name, hint=hint)
