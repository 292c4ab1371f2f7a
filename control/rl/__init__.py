"""Reinforcement learning: environment, algorithms, export, and the lane that runs a policy. Only here is torch used."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Return `build` and `SETTINGS` of the lane when they are asked for: an edge reads policies without the MPC."""
    if name in {"SETTINGS", "build"}:
        return getattr(import_module("control.rl.lane"), name)
    raise AttributeError(name)
