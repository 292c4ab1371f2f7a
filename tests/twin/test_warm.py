from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin import cache, ecm, ekf
from twin.warm import warm

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_warming_exports_in_another_process_and_compiles_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    warm(tmp_path)
    assert list(tmp_path.iterdir()) == [cache.spme_file(tmp_path)]
    kernels: tuple[Any, ...] = (ecm.advance, ekf.predict, ekf.correct)
    assert all(kernel.signatures for kernel in kernels)
    assert capfd.readouterr() == ("", "")
