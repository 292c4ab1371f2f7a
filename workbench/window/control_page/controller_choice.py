"""A combo box that names a controller as the verbs know it: the file of a policy, also another one, or a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy

from workbench.window.widgets.basic import Combo
from workbench.window.widgets.file_dialogs import ask_open

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAMES: Final = ("mpc", "rule", "mpc-wrong")  # as the verb `shadow` knows them
OTHER: Final = "Other policy…"
KIND: Final = "Policies (*.onnx)"
_VALUE: Final = Qt.ItemDataRole.UserRole


class ControllerChoice(Combo):
    """Policies first, then the names."""

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(8)
        for value in NAMES:
            self.addItem(value, value)
        self.addItem(OTHER, "")
        self._last = NAMES[0]
        self.is_chosen = False  # by the user
        self.activated.connect(self._on_activated)

    @property
    def value(self) -> str:
        """The path of a policy, or a name that the verbs know."""
        return str(self.currentData(_VALUE) or self._last)

    def offer(self, policies: Iterable[Path]) -> None:
        """Offer these policies too; the choice stays."""
        for policy in reversed([one for one in policies if self.findData(str(one), _VALUE) < 0]):
            self.insertItem(0, name_policy(policy), str(policy))
            self.setItemData(0, str(policy), Qt.ItemDataRole.ToolTipRole)

    def choose(self, value: str) -> None:
        """Choose one that is offered."""
        if (at := self.findData(value, _VALUE)) >= 0:
            self.setCurrentIndex(at)
            self._last = value
            self.changed.emit()

    def add(self, policy: Path) -> None:
        """Offer a policy's file, and choose it."""
        self.is_chosen = True
        self.offer([policy])
        self.choose(str(policy))

    def _on_activated(self, at: int) -> None:
        self.is_chosen = True
        if self.itemText(at) != OTHER:
            self.choose(str(self.itemData(at, _VALUE)))
            return
        self.choose(self._last)
        ask_open(self, "Choose a policy", KIND, self.add)


def name_policy(policy: Path) -> str:
    """Return a short name: a training's policy is named after its task, algorithm and seed."""
    seed, training = policy.parent.name, policy.parent.parent.name
    if seed.startswith("seed_"):
        return f"{training.split('_', 2)[-1]}, seed {seed.removeprefix('seed_')}"
    return f"{policy.stem}, shipped" if policy.parent.name == "policies" else policy.stem
