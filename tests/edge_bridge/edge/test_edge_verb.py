from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import CheckFailed, Usage
from workbench.report import Exit, Report, status_of
from workbench.verbs import edge

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def keep_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(leave: object) -> None:
        del leave

    monkeypatch.setattr(edge, "leave_once", keep)


def run(tmp_path: Path, **changed: Any) -> bool:
    """The verb beside a CAN adapter that is never opened."""
    given: dict[str, Any] = {
        "bundle": tmp_path / "nowhere.bundle",
        "trust": tmp_path,
        "broker": "mqtt://127.0.0.1:9",
        "state": tmp_path / "state",
        "names": ("pulsebms", "pack-1", "fleet"),
        "pack": "socketcan:can0:500000",
        "allow_sim": True,
        "pack_type": "",
        "duration_s": 1.0,
        "rate_hz": 10.0,
        "capacity_rows": 1_000,
        "reset": None,
        "inject_defect": "",
    }
    given |= changed
    positional = [given.pop(name) for name in ("bundle", "trust", "broker", "state")]
    return edge.main(Report("edge"), *positional, **given)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"broker": "http://127.0.0.1"}, "broker"),
        ({"broker": "mqtt://127.0.0.1:port"}, "broker"),
        ({"names": ("pulsebms", "pack/1", "fleet")}, "node"),
        ({"names": ("", "pack-1", "fleet")}, "group"),
        ({"pack": "socketcan"}, "pack"),
        ({"pack": "socketcan:can0:fast"}, "pack"),
        ({"pack": "emulated:0"}, "pack"),
        ({"pack": "emulated:25"}, "pack"),
        ({"pack": "emulated:many"}, "pack"),
        ({"inject_defect": "set-fire"}, "inject-defect"),
        ({"pack": "emulated", "names": ("pulsebms", "pack/1", "fleet")}, "node"),
        ({"pack": "emulated"}, "bundle"),
        ({"reset": "  "}, "reset-trip"),
        ({}, "bundle"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(tmp_path: Path, changed: dict[str, Any], key: str) -> None:
    with pytest.raises(Usage) as refused:
        run(tmp_path, **changed)
    assert refused.value.key == key
    assert refused.value.hint
    assert status_of(refused.value) is Exit.BAD_INPUT
    assert not (tmp_path / "state").exists(), "nothing was written"


def test_an_edge_without_any_bundle_says_what_to_give_it(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match=r"no bundle is installed.*--bundle"):
        run(tmp_path, bundle=None)


def test_an_edge_that_could_not_begin_leaves_its_folder_to_the_next(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(CheckFailed):
            run(tmp_path, bundle=None)
