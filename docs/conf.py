"""The documentation site: `make docs`. Everything is read from this checkout; nothing is fetched."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drivers.version import VERSION  # noqa: E402  # found by the line above

project = "PulseBMS Workbench"
author = "the PulseBMS Workbench authors"
copyright = f"2026, {author}"  # noqa: A001  # Sphinx's name
release = VERSION

extensions = ["myst_parser", "autoapi.extension"]
html_theme = "furo"
html_title = f"{project} {release}"
html_show_sphinx = False
exclude_patterns = ["_build"]

myst_heading_anchors = 3
suppress_warnings = [
    "myst.header",  # a page may begin a section below its own level
    "autoapi.python_import_resolution",  # the reference shows a part of the code
]

# What a lane or a driver of a user imports; inference over all modules would take half a minute.
PUBLIC = {
    *("control/__init__.py", "control/bumpless.py", "control/gate.py", "control/ports.py", "control/tick.py"),
    *("twin/__init__.py", "twin/ports.py"),
    *("drivers/__init__.py", "drivers/errors.py", "drivers/ports.py", "drivers/snapshot.py"),
}
if missing := sorted(name for name in PUBLIC if not (ROOT / name).is_file()):
    raise FileNotFoundError(f"docs/conf.py names {missing[0]}, which is not there")
FOLDERS = ("control", "twin", "drivers")
autoapi_dirs = [str(ROOT / folder) for folder in FOLDERS]
autoapi_ignore = [
    str(path)
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if path.relative_to(ROOT).as_posix() not in PUBLIC
]
autoapi_options = ["members"]
autoapi_python_class_content = "both"
autoapi_add_toctree_entry = False
