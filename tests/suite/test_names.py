"""Names are the field's standard terms: one class name for one class, modules are nouns, functions are verbs."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from tests.suite.sources import list_definitions, read_modules

PARTICIPLES: Final = (
    "told said heard made seen judged checked opened given noted recalled played believed thinned chosen"
)

# Modules by folder whose names needed an explanation; docs/glossary.md has the terms that replaced them.
RETIRED: Final = {
    "drivers": "lastword lastframe frameproof",
    "fixtures": "loom",
    "fixtures/bms": "proof words flaws canside memory unit",
    "control": "answers sensing declared duty handover lateness",
    "twin": "abreast held warm counting compiled physics symbolic",
    "workbench": "answer outcome interrupt folders",
    "workbench/compose": "field",
    "workbench/engine": "standby protect power station operator facts linknews sink script outbox",
    "workbench/session": "patience rules",
    "workbench/selftest": "trip itinerary yardstick",
    "edge_bridge/edge": "keeper beside voice offer trial proof begin durable sabotage",
    "edge_bridge/fleet": "push watch spans",
    "workbench/bundling": "stretch programme record page declared",
    "workbench/certify": "seen order watch drawing progress",
    "workbench/window": (
        "desk deeds actions errands library chain clerk duties starting standing facts past pace notice pictures empty"
        " pages board brush bins trace view scale store formulas specs signals"
    ),
}
RETIRED_PAGES: Final = (  # in any folder of a page of the window
    "course looks strips trees earlier outcome reading axis sheet shelving asking lines strip newkey hub figures"
)


def test_a_public_class_name_stands_for_one_class() -> None:
    places = defaultdict[str, list[str]](list)
    for one in list_definitions():
        if one.is_class and not one.name.startswith("_"):
            places[one.name].append(one.path.as_posix())
    assert len(places) > 300
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_function_is_a_bare_participle() -> None:
    found = [
        f"{one.path}:{one.line} {one.name}"
        for one in list_definitions()
        if not one.is_class and one.name.strip("_") in PARTICIPLES.split()
    ]
    assert found == []


def test_no_module_keeps_a_retired_name() -> None:
    found: list[str] = []
    for path in read_modules():
        folder, stem = path.parent.as_posix(), path.stem
        of_page = folder.startswith("workbench/window/") and stem in RETIRED_PAGES.split()
        if of_page or stem in RETIRED.get(folder, "").split():
            found.append(path.as_posix())
    assert found == []
