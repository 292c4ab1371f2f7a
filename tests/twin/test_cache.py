from __future__ import annotations

from typing import TYPE_CHECKING

from tests.twin.cell_physics import PHYSICS
from twin import cache

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_cache_folder_is_the_one_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEBMS_CACHE", str(tmp_path / "here"))
    assert cache.find_cache_folder() == tmp_path / "here"
    assert cache.find_cache_folder().is_dir()


def test_exported_model_is_keyed_by_the_versions_that_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.find_spme_file(tmp_path, PHYSICS)
    monkeypatch.setattr(cache, "version", str.upper)
    assert cache.find_spme_file(tmp_path, PHYSICS) != before
