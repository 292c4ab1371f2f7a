from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from drivers.errors import RunLogError
from workbench.run_folders import find_newest, make_fresh_folder, make_stamped

if TYPE_CHECKING:
    from pathlib import Path


def test_who_begins_at_the_same_instant_gets_a_folder_of_ones_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make_fresh_folder, [tmp_path / "runs"] * 20, ["2026-11-24_164603"] * 20))
    assert len(set(made)) == 20
    assert (tmp_path / "runs" / "2026-11-24_164603").is_dir()


def test_a_parent_that_is_a_file_is_answered_in_words(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(RunLogError, match="cannot be written: Not a directory; name another folder with --out"):
        make_fresh_folder(tmp_path / "runs", "tour")


def test_folders_are_named_by_the_time_at_which_they_were_made(tmp_path: Path) -> None:
    bare, named = make_stamped(tmp_path), make_stamped(tmp_path, "hil24")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{6}", bare.name)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{6}_hil24", named.name)
    assert bare.is_dir()
    assert named.is_dir()


@pytest.mark.parametrize("name", ["../../x", "a/b", "a\\..\\b", "C:x", "x\x00y", "x\ny"])
def test_a_name_from_a_file_never_becomes_a_path(tmp_path: Path, name: str) -> None:
    folder = make_stamped(tmp_path / "runs", name)
    assert folder.parent == tmp_path / "runs"
    assert not set(folder.name) & set("/\\:\x00\n")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_the_newest_folder_is_found_by_the_folder_a_file_in_it_or_the_folder_around_it(tmp_path: Path) -> None:
    for name in ("2026-03-01_120000_hil24", "2026-03-01_120000_hil24_1", "2026-02-01_120000_hil24", "pictures"):
        (tmp_path / name).mkdir()
        if name != "pictures":
            (tmp_path / name / "run.json").touch()
    newest, older = tmp_path / "2026-03-01_120000_hil24_1", tmp_path / "2026-02-01_120000_hil24"
    assert find_newest(tmp_path, "run.json") == newest
    assert find_newest(older, "run.json") == older
    assert find_newest(older / "run.json", "run.json") == older
    for nothing in (tmp_path / "pictures", tmp_path / "absent"):
        assert find_newest(nothing, "run.json") == nothing
