"""Reinforcement learning: environment, algorithms, export, and the lane that runs a policy. Only here is torch used."""

from control.rl.lane import SETTINGS, build

__all__ = ["SETTINGS", "build"]
