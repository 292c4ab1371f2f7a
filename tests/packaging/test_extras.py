"""What a verb imports is in its extras, and every version is pinned."""

from __future__ import annotations

import ast
import functools
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.packaging.distributions import PROJECT, ROOT, closure, owners, pinned, requirements
from workbench.extras import EXTRAS, NEEDS

if TYPE_CHECKING:
    from pathlib import Path

OURS = frozenset({"control", "drivers", "edge_bridge", "fixtures", "twin", "workbench"})
DEBIAN_12_PYTHON = "3.11.2"
NOT_INSTALLED = frozenset({"rl-dev", "distributed", "pdf"})  # a peer, a cluster, Typst: few need them

# What a verb uses where it is there and does without where it is not, with the reason.
OPTIONAL: dict[str, set[str]] = {
    "bundle verify": {"cantools"},  # --replay alone reads a device map; without it the extra is named
    "bench copy": {"psutil"},  # only the evidence class of a connected bench asks for this machine's addresses
    "doctor": {
        "can",
        "cantools",
        "casadi",
        "numba",
        "onnxruntime",
        "piqp",
        "psutil",
        "pyarrow",
        "pybamm",
        "pyvisa",
        "scipy",
    },  # not asked for without the extra bench
    "edge": {
        "psutil",  # drivers.processes does without it
        "onnxruntime",  # only a bundle with a policy needs it; without it the extra edge-rl is named
        "pyarrow",  # a price table as Parquet, which no shipped task has; without it the extra bench is named
        *(
            "casadi",
            "piqp",
            "scipy",
        ),  # the lane of a policy, which only a bench builds
    },
    # only jobs about a twin need models, in a process of their own; without them the job names the extra bench
    "fleet": {"cantools", "casadi", "numba", "pybamm"},
    "fleet forget": {"cantools", "casadi", "numba", "pybamm"},  # as the functions of fleet, which it does not call
    "health": {"typst"},  # only a report in PDF; without it the extra pdf is named
    "window": {
        "alembic",
        "argon2",
        "duckdb",
        "fastapi",
        "google",
        "iotcore",
        "orjson",
        "paho",
        "prometheus_client",
        "sqlalchemy",
        "starlette",
        "structlog",
        "uvicorn",
        "websockets",
    },  # the Fleet page names the extra fleet
    "measure": {
        "pyqtgraph",
        "do_mpc",
        "torch",
        "onnx",
    },  # peers; without the first the extra dev is named
}
OPTIONAL["replay"] = OPTIONAL["window"]

# The module that each verb starts at; `bundle verify` and the words are all that the base must serve.
STARTS = {
    "bundle verify": ("workbench.cli", "edge_bridge.bundle.verify", "edge_bridge.bundle.keys", "drivers.snapshot"),
    "bench copy": ("workbench.verbs.bench",),
    "doctor": ("workbench.verbs.doctor", "workbench.verbs.doctor_report"),
    "bundle build": ("workbench.verbs.bundle",),
    "cell export": ("workbench.verbs.cell",),
    "cell import": ("workbench.verbs.cell",),
    "window": ("workbench.verbs.window",),
    "replay": ("workbench.verbs.replay",),
    "run": ("workbench.verbs.run",),
    "export": ("workbench.verbs.export",),
    "certify": ("workbench.verbs.certify", "workbench.verbs.qualify", "workbench.certify.plugin"),
    "edge": ("workbench.verbs.edge",),
    "fleet": ("workbench.verbs.fleet",),
    "fleet backup": ("workbench.verbs.fleet_backup",),
    "fleet demo": ("workbench.verbs.fleet_demo",),
    "fleet light-nodes": ("workbench.verbs.fleet_demo",),
    "fleet forget": ("workbench.verbs.fleet",),
    "fleet account": ("workbench.verbs.fleet_people",),
    "fleet audit": ("workbench.verbs.fleet_people",),
    "fleet restore": ("workbench.verbs.fleet_backup",),
    "fleet upkeep": ("workbench.verbs.fleet_upkeep",),
    "fleet init": ("workbench.verbs.fleet_identity",),
    "fleet enroll": ("workbench.verbs.fleet_identity",),
    "fleet certify": ("workbench.verbs.fleet_identity",),
    "fleet revoke": ("workbench.verbs.fleet_identity",),
    "fleet identities": ("workbench.verbs.fleet_identity",),
    "forecast": ("workbench.verbs.forecast",),
    "measure": ("workbench.verbs.measure",),
    "shadow": ("workbench.verbs.shadow",),
    "promote": ("workbench.verbs.promote",),
    "train": ("workbench.verbs.train",),
    "curves": ("workbench.verbs.curves",),
    "grade": ("workbench.verbs.grade",),
    "health": ("workbench.verbs.health",),
    "fit": ("workbench.verbs.fit",),
    "estimate": ("workbench.verbs.estimate",),
    "twin": ("workbench.verbs.twin",),
}
LANES = ("twin.spme", "twin.ecm", "twin.dfn", "twin.ekf", "twin.coulomb_counter", "control.profile", "control.mpc")
TASK_CONTROLLERS = ("control.task_mpc",)
BY_NAME = {  # modules that are imported by a name that stands in a file or is put together
    "run": (*LANES, "fixtures.bms.process"),
    "certify": (*LANES, "workbench.certify.suites.bms.test_cells"),
    "edge": ("twin.ekf", "twin.coulomb_counter"),
    "shadow": TASK_CONTROLLERS,
    "promote": TASK_CONTROLLERS,
    "curves": TASK_CONTROLLERS,
    "measure": tuple(f"workbench.measure.{path.stem}" for path in (ROOT / "workbench" / "measure").glob("*.py")),
}


def path_of(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file()), None)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def named_by(node: ast.AST) -> list[str]:
    """The modules that one statement imports."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{name.name}" for name in node.names)]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
        first = node.args[0]
        return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []
    return []


@functools.cache
def imports(module: str) -> frozenset[tuple[str, bool]]:
    """Modules that `module` imports when it runs, each with whether a function does it."""
    path = path_of(module)
    found = set[tuple[str, bool]]()

    def walk(node: ast.AST, *, within: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if not is_for_types(child):
                inside = within or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                found.update((name, within) for name in named_by(child))
                walk(child, within=inside)

    if path is not None:
        walk(ast.parse(path.read_text(encoding="utf-8")), within=False)
    return frozenset(found)


def reached(starts: tuple[str, ...], *, functions: bool = True) -> set[str]:
    """Top-level names of others' packages that are imported on the way from `starts`."""
    seen, others, todo = set[str](), set[str](), list(starts)
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        for name, within in imports(module):
            top = name.partition(".")[0]
            if within and not functions:
                continue
            if top in OURS:
                steps = name.split(".")
                todo += [".".join(steps[:count]) for count in range(1, len(steps) + 1)]
            elif top and top not in sys.stdlib_module_names and top != "pulsebms":
                others.add(top)
    return others


@pytest.mark.parametrize("verb", STARTS)
def test_what_a_verb_imports_is_in_the_base_or_in_its_extras(verb: str) -> None:
    used = reached((*STARTS[verb], *BY_NAME.get(verb, ())), functions=verb not in {"bundle verify", "bundle build"})
    brought = set[str]().union(*(closure(extra) for extra in ("", *NEEDS.get(verb, ()))))
    all_of = owners()
    needed = used - OPTIONAL.get(verb, set())
    strange = {module for module in needed if not all_of.get(module, set()) & brought}
    assert not strange, f"{verb} imports {strange}, which its extras do not bring"


def test_every_verb_is_started_here() -> None:
    import typer  # noqa: PLC0415  # the other tests run without them

    from workbench.cli import app  # noqa: PLC0415

    root: Any = typer.main.get_command(app)
    verbs = set[str]()
    for name, command in root.commands.items():
        inner = {f"{name} {verb}" for verb in getattr(command, "commands", ())}
        verbs |= inner if inner and not command.invoke_without_command else {name, *inner}
    assert verbs >= set(STARTS)
    assert verbs - set(STARTS) <= {"bundle key", "bundle show", "tour", "selftest"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_modules_of_an_extra_are_those_that_its_distributions_bring(extra: str) -> None:
    if extra in NOT_INSTALLED:
        pytest.skip(f"the extra {extra} is not part of the tests' environment")
    named = {module.partition(".")[0] for module in EXTRAS[extra]}
    all_of = owners()
    declared = {canonicalize_name(one.name) for one in requirements(extra)}
    assert all(all_of[module] & closure(extra) for module in named)
    if extra != "dev":  # most of it are programs
        others = {"bench", "rl", "edge", "fleet"} & {
            inner for line in PROJECT["optional-dependencies"][extra] for inner in Requirement(line).extras
        }
        mine = declared - {canonicalize_name(one.name) for inner in others for one in requirements(inner)}
        unnamed = {name for name in mine if not any(name in all_of[module] for module in named)}
        assert not unnamed, f"workbench/extras.py names no module of {unnamed}"


def test_all_that_any_extra_brings_is_pinned_and_installed_as_pinned() -> None:
    pins = pinned()
    for extra in ("", *(extra for extra in EXTRAS if extra not in NOT_INSTALLED)):
        for name in closure(extra):
            installed = metadata.version(name).partition("+")[0]  # torch+cpu: the build, not the version
            assert pins.get(name) == installed, f"{extra}: {name} {installed}, {pins.get(name)}"


def test_every_pinned_version_takes_the_python_of_debian_12() -> None:
    """A pin that needs a later patch level stops `make dev` there, though not here."""
    names = set[str]().union(*(closure(extra) for extra in ("", *EXTRAS) if extra not in NOT_INSTALLED))
    fields: dict[str, Any] = {name: metadata.metadata(name) for name in names}
    wanted = {name: str(given.get("Requires-Python") or "") for name, given in fields.items()}
    assert {name: text for name, text in wanted.items() if DEBIAN_12_PYTHON not in SpecifierSet(text)} == {}


def test_constraints_pin_nothing_else() -> None:
    wanted = set[str]().union(*(closure(extra) for extra in ("", *EXTRAS) if extra not in NOT_INSTALLED))
    elsewhere = {
        "ray",
        "stable-baselines3",
        "typst",
        "colorama",
        "tzdata",
    }  # extras that are not installed here; Windows
    assert not pinned().keys() - wanted - elsewhere
