"""The command line as scripts meet it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from drivers.benchfile import read_bench
from drivers.benchfile.copy import copy_bench
from drivers.errors import Usage
from edge_bridge.fleet.store.records import Batch, NodeRecord
from edge_bridge.fleet.store.sqlite_store import SqliteStore
from tests.workbench.own_cli import cli, run_here
from workbench.compose.defects import NO_DEFECTS, refuse_without_part
from workbench.compose.named_defects import find_defects
from workbench.compose.shipped_bench import EMULATED_BENCH
from workbench.measure.catalogue import ALL, NAMES

ROOT = Path(__file__).resolve().parents[2]


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A verb in a process of its own, as a shell starts it."""
    return subprocess.run(
        [sys.executable, "main.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_help_names_every_verb_and_the_exit_statuses() -> None:
    done = run_process("--help")
    assert done.returncode == 0
    assert "tour" not in done.stdout
    for word in ("window", "doctor", "run", "replay", "export", "selftest", "measure", "Exit status"):
        assert word in done.stdout


def test_an_unknown_verb_is_a_usage_error() -> None:
    done = run_process("frobnicate")
    assert done.returncode == 2
    assert "frobnicate" in done.stderr


def test_a_mistake_in_the_bench_file_exits_2_with_file_line_key_value_and_bound(tmp_path: Path) -> None:
    bench = copied_bench(tmp_path, "hil24.toml", "bench = [0.50, 5.00]", "bench = [0.50, 4.10]")
    line = bench.read_text().splitlines().index("bench = [0.50, 4.10]") + 1
    done = run_process("run", "--bench", str(bench), "--json", "--out", str(tmp_path / "runs"))
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    error = answer["error"]
    assert (error["line"], error["value"]) == (line, 4.1)
    assert error["bound"] is not None
    assert error["key"].startswith("limit")
    assert str(error["where"]).endswith("hil24.toml")
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("selftest",), "mute-supply"),
        (("fleet", "--broker", "local", "--db", "nowhere"), "double-row"),
        (("edge", "--trust", "nowhere", "--broker", "mqtt://127.0.0.1:9"), "lose-row"),
    ],
)
def test_an_unknown_defect_is_refused_with_the_names_that_exist(
    words: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(monkeypatch, *words, "--inject-defect", "gremlins", "--json") == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["key"], error["value"]) == ("inject-defect", "gremlins")
    assert name in error["hint"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("tour",), "selftest"),
        (("tour", "--only", "connect", "--sabotage", "mute-guard"), "selftest"),
        (("selftest", "--sabotage", "mute-guard"), "--inject-defect"),
        (("edge", "--sabotage", "lose-row"), "--inject-defect"),
        (("fleet", "--sabotage", "lose-row"), "--inject-defect"),
    ],
)
def test_an_old_name_is_refused_with_the_new_one(
    words: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(monkeypatch, *words) == 2
    assert f"is now called {name}" in capsys.readouterr().err
    assert cli(monkeypatch, *words, "--json") == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "usage"
    assert f"is now called {name}" in error["what"]


def test_an_unknown_step_is_refused_with_the_names_that_exist() -> None:
    done = run_here("selftest", "--only", "teleport")
    assert done.returncode == 2
    assert "connect" in done.stderr


def copied_bench(folder: Path, name: str, before: str, after: str) -> Path:
    """The emulated bench's files with one mistake; the bench file's path."""
    copy_bench(ROOT / "fixtures" / "benches" / "hil24.toml", folder)
    text = (folder / name).read_text()
    assert before in text
    (folder / name).write_text(text.replace(before, after))
    return folder / "hil24.toml"


def test_a_mistake_in_the_device_map_exits_2_and_names_the_channel_that_is_missing(tmp_path: Path) -> None:
    bench = copied_bench(tmp_path, "pulse24.dut.toml", "bms/temperature_{n}", "bms/warmth_{n}")
    done = run_here("run", "--bench", str(bench), "--json", "--out", str(tmp_path / "runs"))
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["where"] == str(bench.with_name("pulse24.dut.toml"))
    assert error["value"] == "bms/temperature_1"


def test_a_mistake_in_a_lane_exits_2_with_its_line(tmp_path: Path) -> None:
    bench = copied_bench(tmp_path, "hil24.toml", 'module = "twin.ecm"', 'module = "twin.ectoplasm"')
    done = run_here("run", "--bench", str(bench), "--json", "--out", str(tmp_path / "runs"))
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert (tmp_path / "hil24.toml").read_text().splitlines()[error["line"] - 1] == 'module = "twin.ectoplasm"'


def test_words_that_make_no_command_are_an_object_too() -> None:
    done = run_here("run", "--duration", "soon", "--json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "usage"
    assert "duration" in error["what"]


@pytest.mark.parametrize(
    ("words", "command", "schema"),
    [
        (("--nonsense",), "", "pulsebms/1"),
        (("run", "--nonsense"), "run", "pulsebms.run/1"),
        (("bundle", "verify", "--nonsense"), "bundle verify", "pulsebms.bundle.verify/1"),
        (("tour",), "tour", "pulsebms.tour/1"),
    ],
)
def test_the_object_names_its_verb_and_schema(
    words: tuple[str, ...],
    command: str,
    schema: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli(monkeypatch, *words, "--json") == 2
    said = json.loads(capsys.readouterr().out)
    assert (said["command"], said["schema"]) == (command, schema)


def test_a_folder_that_cannot_be_written_exits_2(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = run_here("run", "--json", "--out", str(blocked))
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "run_log"


def test_the_window_takes_a_bench_file_with_and_without_its_verb() -> None:
    for arguments in (("--bench",), ("window", "--bench")):
        done = run_here(*arguments)
        assert done.returncode == 2
        assert "requires an argument" in done.stderr


AS_IT_IMPORTS = """
import os, signal, sys
from importlib.abc import MetaPathFinder

class Happening(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "workbench.verbs.bench":
            exec(os.environ["HAPPENS"])

sys.meta_path.insert(0, Happening())
sys.argv = ["main.py", *sys.argv[1:]]
from main import main
sys.exit(main())
"""


def pulse_while_importing(happens: str, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """The verb `bench copy`, with something that happens while its module is imported."""
    command = [sys.executable, "-c", AS_IT_IMPORTS, "bench", "copy", *arguments, "--json"]
    environment = {**os.environ, "HAPPENS": happens}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_ctrl_c_while_a_verb_is_imported_is_reported_and_nothing_is_done(name: str, tmp_path: Path) -> None:
    happens = f"signal.raise_signal(signal.{name})"
    status, said, told = pulse_while_importing(happens, str(EMULATED_BENCH), str(tmp_path / "copy"))
    assert (status, said["command"], said["error"]["code"]) == (130, "bench copy", "interrupted")
    assert len(told.splitlines()) == 1
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        ("raise ModuleNotFoundError('No module named pydantic', name='pydantic')", "needs the Python package pydantic"),
        ("raise ModuleNotFoundError('No module named numba.core', name='numba.core')", "install the extra bench"),
        ("raise ImportError('libEGL.so.1: cannot open it', name='PySide6.QtGui')", "libEGL.so.1: cannot open it"),
    ],
)
def test_a_package_that_a_verb_cannot_import_is_one_sentence(happens: str, says: str, tmp_path: Path) -> None:
    status, said, told = pulse_while_importing(happens, str(EMULATED_BENCH), str(tmp_path / "copy"))
    assert (status, said["command"], said["error"]["code"]) == (3, "bench copy", "package_missing")
    assert says in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("--defects", "ov-limit-high"), "defects"),
        (("--healthy", "3"), "healthy"),
        (("--qualify", "--only", "OV-01"), "only"),
        (("--list", "--qualify"), "qualify"),
    ],
)
def test_certify_drops_no_option(words: tuple[str, ...], key: str) -> None:
    done = run_here("certify", *words, "--json")
    assert done.returncode == 2, done.stderr
    assert json.loads(done.stdout)["error"]["key"] == key


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import nowhere_at_all\n", "nowhere_at_all"),
        ("def (\n", "SyntaxError"),
        ("", "contains none of the requested cases"),
    ],
)
def test_a_suite_that_cannot_be_imported_is_bad_input(tmp_path: Path, text: str, says: str) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "test_one.py").write_text(text)
    done = run_here("certify", str(suite), "--json", "--out", str(tmp_path / "out"))
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert says in error["what"]
    assert error["where"] == str(suite)


def test_a_suite_is_not_qualified_on_a_bench_without_the_emulated_bms(tmp_path: Path) -> None:
    bench = copied_bench(tmp_path, "hil24.toml", 'interface = "emulated"', 'interface = "socketcan"')
    done = run_here("certify", "--qualify", "--bench", str(bench), "--json", "--out", str(tmp_path / "out"))
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert (error["key"], error["value"]) == ("dut.interface", "socketcan")
    assert not (tmp_path / "out").exists(), "nothing was started"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("seed:ov-limit-high:1", 'interface = "emulated"', 'interface = "socketcan"'),
        ("bms-threshold", 'interface = "emulated"', 'interface = "socketcan"'),
        ("mute-supply", 'address = "emulated:supply"', 'address = "10.0.0.2:5025"'),
        ("swap-cells", 'address = "emulated:cell_simulator"', 'address = "10.0.0.3:5025"'),
    ],
)
def test_a_defect_without_its_part_is_refused_and_not_dropped(
    name: str, before: str, after: str, tmp_path: Path
) -> None:
    bench = read_bench(copied_bench(tmp_path, "hil24.toml", before, after))
    with pytest.raises(Usage, match="cannot be injected"):
        refuse_without_part(bench, find_defects(name))
    refuse_without_part(read_bench(EMULATED_BENCH), find_defects(name))
    refuse_without_part(bench, find_defects("drop-tick"))
    refuse_without_part(bench, NO_DEFECTS)


def test_an_unknown_case_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    done = run_here("certify", "--only", "OV-01/7,OV-99", "--out", str(tmp_path / "out"), "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["key"], error["value"]) == (2, "only", "OV-99")
    assert "OV-01" in error["hint"]
    assert not (tmp_path / "out").exists()


def test_certify_lists_the_cases_of_a_suite_as_only_takes_them(tmp_path: Path) -> None:
    done = run_here("certify", "--list", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert {"OV-01/1", "OV-01/24", "HB-01"} <= set(names)
    assert not (tmp_path / "out").exists()


def test_the_help_of_measure_has_every_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli(monkeypatch, "measure", "--help") == 0
    words = set(capsys.readouterr().out.replace(",", " ").replace(".", " ").split())
    assert {*NAMES, ALL} <= words


def test_a_node_is_forgotten_by_its_verb_and_the_fleet_still_names_what_it_lacks(tmp_path: Path) -> None:
    db = tmp_path / "fleet.sqlite"
    done = run_here("fleet", "forget", "pack-1", "--db", str(db))
    assert (done.returncode, "does not exist" in done.stderr, db.exists()) == (2, True, False)
    with closing(SqliteStore(db)) as store:
        store.commit(Batch(notes={"pack-1": NodeRecord("pack-1", online=False, last_ms=None, status={})}))
    done = run_here("fleet", "--json", "--db", str(db), "forget", "pack-1")  # options before the verb below are its own
    assert (done.returncode, json.loads(done.stdout)["node"]) == (0, "pack-1")
    for words, lacks in (((), "--broker"), (("--broker", "local"), "--store")):
        done = run_here("fleet", *words)
        assert (done.returncode, f"Missing option '{lacks}'" in done.stderr) == (2, True)
    done = run_here("fleet", "--broker", "local", "--db", str(ROOT / "README.md"))
    assert (done.returncode, done.stderr.count("error: ")) == (2, 1)


@pytest.mark.parametrize(("option", "value"), [("group", "a/b"), ("host", ""), ("to", "a/b")])
def test_a_fleet_checks_its_names_before_it_starts_a_broker(option: str, value: str, tmp_path: Path) -> None:
    words = ("--broker", "local", "--db", str(tmp_path / "fleet.sqlite"), "--send", "README.md", "--to", "pack-1")
    done = run_here("fleet", *words, f"--{option}", value, "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]["key"]) == (2, option)
    assert "broker" not in done.stderr
    assert not list(tmp_path.iterdir())
