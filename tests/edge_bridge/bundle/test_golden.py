"""Golden vectors: an estimator or gate that answers otherwise is found, a last bit is forgiven."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_bridge.bundle import canonical_json, golden_estimator, vectors
from edge_bridge.bundle.golden import TOLERANCE, relative_differences, replay
from edge_bridge.bundle.manifest import GOLDEN, GOLDEN_ESTIMATOR, GOLDEN_GATE, LANES
from edge_bridge.bundle.runtime import configure

if TYPE_CHECKING:
    from edge_bridge.bundle.manifest import Bundle
    from workbench.bundling.build import BuiltBundle

ROOT = Path(__file__).resolve().parents[3]
WIDE = golden_estimator.inputs_width(24)


@pytest.fixture
def bundle(built: BuiltBundle) -> Bundle:
    """The built bundle, opened."""
    return built.verified.bundle


def columns(bundle: Bundle) -> int:
    return WIDE + bundle.json(GOLDEN)["estimator"]["answers"]


def with_file(bundle: Bundle, name: str, octets: bytes) -> Bundle:
    return replace(bundle, files=bundle.files | {name: octets})


def with_golden(bundle: Bundle, **changes: Any) -> Bundle:
    return with_file(bundle, GOLDEN, canonical_json.dump_json(bundle.json(GOLDEN) | changes))


def test_a_bundle_answers_here_as_where_it_was_built(bundle: Bundle) -> None:
    result = replay(bundle)
    assert result.ok, result.sentence
    assert result.worst <= TOLERANCE
    assert "EKF" in result.sentence


def test_every_kind_of_verdict_is_among_them(bundle: Bundle) -> None:
    rows = bundle.json(GOLDEN)["gate"]
    assert {row["verdict"] for row in rows} == {"allowed", "held", "tripped"}
    held = {row["what"]: row["words"] for row in rows if row["verdict"] == "held"}
    assert "nan A" in held["no number for a current"]
    assert "is late" in held["a late value"]
    assert "silent" in held["a silent device"]
    applied = [row["applied_a"] for row in rows if row["what"].startswith("no number, until")]
    assert applied[0] == 30.0
    assert 0.0 < applied[-1] < 30.0  # the ramp behind the hold


def test_parameters_that_differ_in_their_sixth_digit_are_found(bundle: Bundle) -> None:
    name = bundle.lanes["parameters"]
    text = bundle.files[name].decode()
    assert "capacity_ah = 5.1532" in text
    result = replay(with_file(bundle, name, text.replace("5.1532", "5.15321").encode()))
    assert not result.ok
    assert TOLERANCE < result.worst < 1e-3
    assert "differs" in result.sentence


def test_the_parameters_that_run_are_those_of_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    name = bundle.lanes["parameters"]
    other = bundle.files[name].decode().replace("capacity_ah = 5.1532", "capacity_ah = 5.2")
    made = configure(with_file(bundle, name, other.encode()), tmp_path)
    assert made.pack.cell.estimator.capacity_ah == 5.2


def test_settings_that_differ_are_found(bundle: Bundle) -> None:
    text = bundle.bench_text
    assert "soc0 = 0.60" in text
    assert not replay(with_file(bundle, "bench.toml", text.replace("soc0 = 0.60", "soc0 = 0.61").encode())).ok


def test_the_last_bit_of_the_inputs_is_forgiven(bundle: Bundle) -> None:
    table = vectors.decode_table(bundle.files[GOLDEN_ESTIMATOR], columns(bundle))
    table[:, 2:WIDE] = np.nextafter(table[:, 2:WIDE], np.inf)
    result = replay(with_file(bundle, GOLDEN_ESTIMATOR, vectors.encode_table(table)))
    assert result.ok, result.sentence
    assert 0.0 < result.worst < TOLERANCE / 10  # what another processor may do is well within


def test_an_answer_that_differs_is_told_with_its_tick(bundle: Bundle) -> None:
    table = vectors.decode_table(bundle.files[GOLDEN_ESTIMATOR], columns(bundle))
    table[17, WIDE] *= 1.001
    result = replay(with_file(bundle, GOLDEN_ESTIMATOR, vectors.encode_table(table)))
    assert not result.ok
    assert "tick 17" in result.sentence


@pytest.mark.parametrize(("field", "value"), [("verdict", "allowed"), ("words", "too much"), ("applied_a", 1e-3)])
def test_a_gate_that_answers_otherwise_is_told_by_its_command(bundle: Bundle, field: str, value: Any) -> None:
    rows = bundle.json(GOLDEN)["gate"]
    at = next(n for n, row in enumerate(rows) if row["verdict"] == "held")
    rows[at] = rows[at] | {field: value}
    result = replay(with_golden(bundle, gate=rows))
    assert not result.ok
    assert rows[at]["what"] in result.sentence


def test_limits_that_were_widened_do_not_run(bundle: Bundle) -> None:
    text = bundle.bench_text
    assert "bench = [-80.0, 80.0]" in text
    result = replay(with_file(bundle, "bench.toml", text.replace("[-80.0, 80.0]", "[-90.0, 90.0]").encode()))
    assert not result.ok
    assert "different limits" in result.sentence


def test_no_golden_vectors_prove_nothing(bundle: Bundle) -> None:
    assert not replay(with_golden(bundle, gate=[])).ok
    assert not replay(with_file(bundle, GOLDEN_ESTIMATOR, vectors.encode_table(np.empty((0, columns(bundle)))))).ok


@pytest.mark.parametrize(
    "octets", [b"", b"[]", b"{}", b"null", b"[" * 10_000, b'{"gate":[7],"estimator":{"answers":1}}', b"\xff"]
)
def test_golden_vectors_that_cannot_be_read_are_not_ok(bundle: Bundle, octets: bytes) -> None:
    result = replay(with_file(bundle, GOLDEN, octets))
    assert not result.ok
    assert "cannot be run here" in result.sentence


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x93NUMPY",
        vectors.encode_table(np.zeros((3, 4))),
        vectors.encode_table(np.zeros((2, 2))).replace(b"(2, 2)", b"(9**9, 9)"),
        vectors.encode_table(np.zeros((2, 2))).replace(b"'<f8'", b"'|O' "),
    ],
)
@pytest.mark.parametrize("name", [GOLDEN_ESTIMATOR, GOLDEN_GATE])
def test_tables_that_cannot_be_read_are_not_ok(bundle: Bundle, name: str, octets: bytes) -> None:
    assert not replay(with_file(bundle, name, octets)).ok


def test_a_table_that_claims_more_than_it_has_is_refused() -> None:
    honest = vectors.encode_table(np.zeros((2, 3)))
    claimed = honest.replace(b"(2, 3)", b"(9999999999, 3)").replace(b" " * 9 + b"\n", b"\n", 1)
    with pytest.raises(ValueError, match="reshape"):
        vectors.decode_table(claimed, 3)


def test_a_module_that_is_no_model_is_not_imported(bundle: Bundle) -> None:
    text = bundle.bench_text
    assert 'module = "twin.ekf"' in text
    result = replay(with_file(bundle, "bench.toml", text.replace('"twin.ekf"', '"antigravity.x"').encode()))
    assert not result.ok
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize("octets", [b"[]", b'{"parameters":"../x"}', b'{"parameters":["a"]}'])
def test_lanes_that_cannot_be_read_are_not_ok(bundle: Bundle, octets: bytes) -> None:
    assert not replay(with_file(bundle, LANES, octets)).ok


def test_differences_know_numbers_from_none() -> None:
    nan, inf = np.nan, np.inf
    found = relative_differences(np.array([1.0, nan, nan, 1.0, inf, 0.0]), np.array([1.1, nan, 1.0, nan, inf, 0.0]))
    assert found.tolist() == [pytest.approx(0.1 / 1.1), 0.0, inf, inf, 0.0, 0.0]


def test_replaying_needs_neither_qt_nor_pybamm_nor_pyarrow(built: BuiltBundle, tmp_path: Path) -> None:
    file = tmp_path / "x.bundle"
    file.write_bytes(built.data)
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "heavy = 'PySide6', 'pyqtgraph', 'pybamm', 'pyarrow', 'casadi', 'torch'\n"
        "sys.modules.update(dict.fromkeys(heavy))\n"  # whoever asks for one gets an ImportError
        "from edge_bridge.bundle import archive, envelope, golden, manifest\n"
        "members = archive.unpack(Path(sys.argv[1]).read_bytes())\n"
        "told = manifest.decode_manifest(envelope.decode_envelope(members.pop('envelope.json')).payload)\n"
        "result = golden.replay(manifest.Bundle(told, members))\n"
        "assert result.ok, result.sentence\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
