"""A `train` without learning: it writes rows, ends in order on SIGTERM, or fails; the task says what it does."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

HEAD = "steps,return_eur,constraint,multiplier,interventions"
ROWS = 4


def main() -> int:
    words = sys.argv[1:]
    options = dict(zip(words[2::2], words[3::2], strict=False))
    task, out, seeds = words[1], Path(options["--out"]), int(options["--seeds"])
    if task == "broken":
        sys.stderr.write("error: there is no task 'broken'\n")
        return 2
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    signal.signal(signal.SIGTERM, end)
    for seed in range(seeds):
        (out / f"seed_{seed}").mkdir(parents=True, exist_ok=True)
        (out / f"seed_{seed}" / "checkpoint.pt").write_bytes(b"state")
    rows = [HEAD]
    while not stop.wait(0.05) and (task == "endless" or len(rows) <= ROWS):
        count = len(rows)
        rows.append(f"{1000 * count},{0.01 * count},{0.1 / count},1.0,{0.2 / count}")
        for seed in range(seeds):
            (out / f"seed_{seed}" / "curve.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        sys.stdout.write(f"seed 0   {1000 * count} steps\n")
        sys.stdout.flush()
    alarm = "the loss is NaN" if task == "alarm" else ""
    about = [
        {
            "seed": seed,
            "alarm": alarm,
            "best": {"cost_eur": -0.01 * seed},
            "policy": str(out / f"seed_{seed}/policy.onnx"),
        }
        for seed in range(seeds)
    ]
    summary = {"schema": "pulsebms.training/1", "task": task, "algorithm": options["--algorithm"], "seeds": about}
    (out / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    if stop.is_set():
        sys.stderr.write(f"error: the training is saved in {out}\n")
        return 130
    return 1 if alarm else 0


sys.exit(main())
