"""A ring of transitions from which batches are drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from control.rl.collector import Transition


class ReplayBuffer:
    """Keeps the newest `capacity` transitions as one float32 table: observation, following, and five numbers."""

    def __init__(self, capacity: int, width: int) -> None:
        self._table = np.zeros((capacity, 2 * width + 5), np.float32)
        self._width, self._next, self.filled = width, 0, 0

    def add(self, step: Transition) -> None:
        """Add one step of all packs."""
        numbers = np.column_stack([step.own, step.safe, step.earned, step.broken, step.ended])
        rows = np.hstack([step.observation, step.following, numbers])
        capacity = len(self._table)
        self._table[(self._next + np.arange(len(rows))) % capacity] = rows
        self._next = (self._next + len(rows)) % capacity
        self.filled = min(capacity, self.filled + len(rows))

    def draw(self, random: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return `size` observations, those that followed, and `[5, size]`: own, safe, earned, broken, ended."""
        rows = torch.as_tensor(self._table[random.integers(self.filled, size=size)])
        return rows[:, : self._width], rows[:, self._width : -5], rows[:, -5:].T.contiguous()

    def get_observations(self) -> Any:
        """Return all observations that it holds."""
        return self._table[: self.filled, : self._width].astype(np.float64)

    def get_earned(self) -> Any:
        """Return what each kept step earned."""
        return self._table[: self.filled, -3].astype(np.float64)

    def get_state(self) -> dict[str, Any]:
        """Return a copy of what it holds, for `set_state`."""
        return {"table": self._table[: self.filled].copy(), "next": self._next}

    def set_state(self, state: dict[str, Any]) -> None:
        """Hold what `get_state` of a buffer of the same size held."""
        self.filled, self._next = len(state["table"]), state["next"]
        self._table[: self.filled] = state["table"]
