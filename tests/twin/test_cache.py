from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from twin import cache

if TYPE_CHECKING:
    from pathlib import Path


def test_cache_folder_is_the_one_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEBMS_CACHE", str(tmp_path / "here"))
    assert cache.find_cache_folder() == tmp_path / "here"
    assert cache.find_cache_folder().is_dir()


def test_exported_model_is_keyed_by_the_versions_that_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache.find_spme_file(tmp_path)
    monkeypatch.setattr(cache, "version", str.upper)
    assert cache.find_spme_file(tmp_path) != before


def test_a_second_writer_replaces_the_whole_file_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    cache.write_atomic(path, "first" * 1000)
    cache.write_atomic(path, "second")
    assert path.read_text() == "second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    cache.write_atomic(path, "whole")
    with pytest.raises(UnicodeEncodeError):
        cache.write_atomic(path, "\ud800")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]
