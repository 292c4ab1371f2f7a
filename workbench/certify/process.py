"""The pytest process that runs a suite, with its own settings and none of its parent's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.certify.job import VARIABLE

if TYPE_CHECKING:
    from workbench.certify.job import CertificationJob

SETTINGS: Final = Path(__file__).with_name("pytest.ini")
LOG: Final = "pytest.log"


def start_process(suite: Path, job: CertificationJob, *more: str) -> subprocess.Popen[bytes]:
    """Start the process; pass `more` to pytest. It ends in order once its parent process is gone."""
    paths = os.pathsep.join(str(Path(path).resolve()) for path in sys.path)
    ours = {VARIABLE: job.as_text(), "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))} | ours
    own = ["-c", str(SETTINGS), "--rootdir", str(suite if suite.is_dir() else suite.parent), *more]
    command = [sys.executable, "-P", "-m", "pytest", *own, "-p", "workbench.certify.plugin", str(suite)]
    with (job.out / LOG).open("wb") as log:
        return subprocess.Popen(  # noqa: S603  # ourselves
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=os.name != "nt",  # only its parent handles a Ctrl-C
        )
