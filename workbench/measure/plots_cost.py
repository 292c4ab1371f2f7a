"""Process: the cost of twelve moving plots, ours or pyqtgraph's.

`python -m workbench.measure.plots_cost FOLDER own|all|reduced`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from workbench.window.plots import cost

SECONDS: Final = 3.0


def main(folder: Path, whose: str) -> None:
    """Measure the plots of `whose` (`own`, `all` or `reduced`); write the figures into `result.json`."""
    found = (
        cost.measure_own_cost(SECONDS)
        if whose == "own"
        else cost.measure_pyqtgraph_cost(SECONDS, reduced=whose == "reduced")
    )
    (folder / "result.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
