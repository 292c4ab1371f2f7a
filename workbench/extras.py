"""The extras of the distribution that each verb needs, and the error for a missing one."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import typer

from drivers.errors import PackageMissing
from workbench.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable

# The modules that each extra adds to the base; pyproject.toml names their distributions (a test compares both).
EXTRAS: Final[dict[str, tuple[str, ...]]] = {
    "bench": (
        "asammdf",
        "can",
        "cantools",
        "casadi",
        "jinja2",
        "numba",
        "onnxruntime",
        "piqp",
        "psutil",
        "pyarrow",
        "pybamm",
        "pytest",
        "python_calamine",
        "pyvisa",
        "pyvisa_py",
        "rich",
        "scipy",
        "sqlite_utils",
    ),
    "window": ("PySide6", "shiboken6"),
    "edge": ("can", "cantools", "google.protobuf", "numba", "paho", "prometheus_client"),
    "fleet": (
        "alembic",
        "argon2",
        "duckdb",
        "fastapi",
        "google.protobuf",
        "httptools",
        "iotcore",
        "orjson",
        "paho",
        "prometheus_client",
        "psutil",
        "psycopg",
        "pyarrow",
        "sqlalchemy",
        "structlog",
        "uvicorn",
        *(("uvloop",) if sys.platform != "win32" else ()),
        "websockets",
    ),
    "mongo": ("pymongo",),
    "rl": ("gymnasium", "onnx", "onnxscript", "torch"),
    "rl-dev": ("stable_baselines3",),
    "distributed": ("ray",),
    "edge-rl": ("onnxruntime",),
    "logs": ("NewareNDA", "galvani"),
    "pdf": ("typst",),
    "docs": ("autoapi", "furo", "myst_parser", "sphinx"),
    "dev": ("do_mpc", "pyqtgraph"),
}

OURS: Final = frozenset({"control", "drivers", "edge_bridge", "fixtures", "twin", "workbench"})

# The verbs listed here need more than the base. `bundle key`, `verify` and `show`, `doctor` and `bench copy` do not.
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "window": ("bench", "window"),
    "replay": ("bench", "window"),
    "run": ("bench",),
    "export": ("bench",),
    "certify": ("bench",),
    "bundle build": ("bench",),
    "cell export": ("bench",),
    "cell import": ("bench",),
    "edge": ("edge",),
    "fleet": ("fleet",),
    "forecast": ("bench",),
    "fleet backup": ("fleet",),
    "fleet demo": ("bench", "edge", "fleet"),
    "fleet forget": ("fleet",),
    "fleet account": ("fleet",),
    "fleet audit": ("fleet",),
    "fleet light-nodes": ("fleet",),
    "fleet restore": ("fleet",),
    "fleet upkeep": ("fleet",),
    "fleet init": ("fleet",),
    "fleet enroll": ("fleet",),
    "fleet certify": ("fleet",),
    "fleet revoke": ("fleet",),
    "fleet identities": ("fleet",),
    "shadow": ("bench",),
    "promote": ("bench",),
    "train": ("bench", "rl"),
    "curves": ("bench",),
    "fit": ("bench",),
    "estimate": ("bench",),
    "twin": ("bench",),
    "grade": ("bench",),
    "health": ("bench",),
    "measure": ("bench", "window", "edge", "fleet"),
    "selftest": ("bench", "window", "edge", "fleet"),
}


def list_missing(extra: str) -> list[str]:
    """Return the modules of an extra that are not installed here."""
    return [module for module in EXTRAS[extra] if not _is_installed(module)]


def require(extra: str, who: str) -> None:
    """Raise `PackageMissing`, with a sentence about `who`, if a module of the extra is missing."""
    if modules := list_missing(extra):
        raise _make_error(who, modules[0], extra)


def require_for(verb: str) -> None:
    """Raise `PackageMissing` if an extra that the verb needs is not complete."""
    for extra in NEEDS.get(verb, ()):
        require(extra, verb)


def refuse_without_extras(verb: str) -> None:
    """End the command with exit status 3 if an extra that the verb needs is missing; its help needs none."""
    if {"--help", "-h"} & set(sys.argv):
        return
    try:
        require_for(verb)
    except PackageMissing as error:
        raise typer.Exit(Report(verb, "--json" in sys.argv).finish(ok=False, error=error)) from None


def missing_package(error: ImportError, who: str) -> PackageMissing | None:
    """Return the error for a package that a verb could not import; None where the mistake is in a module of ours."""
    name = error.name or ""
    top = name.partition(".")[0]
    if top in OURS:
        return None
    if not isinstance(error, ModuleNotFoundError):
        what = f"{who} cannot load the Python package {name or 'that it needs'}: {error}"
        return PackageMissing(what, value=name, hint="install what it needs: run make setup as root")
    for extra, modules in EXTRAS.items():
        if any(name == module or name.startswith(f"{module}.") for module in _roots(modules)):
            return _make_error(who, name, extra)
    what = f"{who} needs the Python package {name}, which is not installed"
    return PackageMissing(what, value=name, hint="install the base: pip install pulsebms, in a checkout make setup")


def _roots(modules: Iterable[str]) -> list[str]:
    """Return the modules and their top packages: `google` of `google.protobuf`."""
    return [root for module in modules for root in (module, module.partition(".")[0])]


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # the package around it is missing
        return False


def _make_error(who: str, module: str, extra: str) -> PackageMissing:
    return PackageMissing(
        f"{who} needs the Python package {module}, which is not installed",
        key=extra,
        value=module,
        hint=f"install the extra {extra}: pip install 'pulsebms[{extra}]', "
        f"in a checkout pip install -c constraints.txt -e '.[{extra}]'",
    )
