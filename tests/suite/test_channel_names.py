"""One module spells the names of channels; the rest of the product asks it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from drivers import channel_names
from drivers.bench_channels import make_channel_table
from drivers.benchfile.read import read_bench
from drivers.canbus.dut_map import read_dut_map

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("control", "drivers", "edge_bridge", "fixtures", "twin", "workbench")
NAME = re.compile(
    r"(supply|io|bms|loop|gate|bench|command|allowed|cells|temperature|twin|estimator|controller)/"
    r"|edge/chain|(.*/)?cell_(\d|$|\\d)"
)


def literals(source: str) -> list[tuple[int, str]]:
    """Line and text of every string that reads like a channel's name, or the beginning of one; no docstrings."""
    nodes = list(ast.walk(ast.parse(source)))
    texts = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}  # docstrings stand alone
    return [
        (node.lineno, node.value)
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in texts
        and NAME.match(node.value)
    ]


def test_the_search_finds_names_whole_and_in_parts() -> None:
    source = '''
"""supply/current in a docstring is text."""
a = run["supply/current"]
b = [f"cell_{n:02d}/voltage" for n in range(24)]
c = f"bms/cell_{n:02d}/voltage"
d = f"twin/{lane}/age"
e = "cell_07/current"
f = "cell_simulator", "supply", "/voltage", "cells", "bench.toml"
'''
    assert sorted(line for line, _ in literals(source)) == [3, 4, 5, 6, 7]


def test_no_other_module_of_the_product_spells_a_channels_name() -> None:
    own = Path(channel_names.__file__)
    files = [path for top in PRODUCT for path in (ROOT / top).rglob("*.py") if path != own]
    assert len(files) > 300
    found = [
        f"{path.relative_to(ROOT)}:{line} {text!r}"
        for path in files
        for line, text in literals(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_what_the_workbench_asks_of_the_emulated_bench_is_there() -> None:
    bench = read_bench(ROOT / "fixtures" / "benches" / "hil24.toml")
    table = make_channel_table(bench, read_dut_map(bench.dut_map))
    spelled = [value for name, value in vars(channel_names).items() if name.isupper() and isinstance(value, str)]
    asked = [name for name in spelled if name.startswith(("supply/", "io/", "bms/")) and not name.endswith("/")]
    assert len(asked) > 15
    assert [name for name in asked if name not in table] == []


def test_a_source_is_known_by_the_names_that_it_fills() -> None:
    bench = read_bench(ROOT / "fixtures" / "benches" / "hil24.toml")
    table = make_channel_table(bench, read_dut_map(bench.dut_map))
    owners = {channel_names.find_owner(name) for name in table.names}
    assert owners == {"cell_simulator", "supply", "io_box", "dut"}
    assert channel_names.find_owner(channel_names.sensed_voltage(7)) == "dut"
    assert channel_names.find_owner(channel_names.cell_voltage(7)) == "cell_simulator"
