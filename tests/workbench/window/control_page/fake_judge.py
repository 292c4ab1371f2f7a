"""A `shadow` and a `promote` without simulation: they write what the verbs write, or fail, as days and episodes say.

One day or episode ends at once, 13 is refused, and more go on until a SIGTERM.
"""

from __future__ import annotations

import itertools
import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

REFUSED = 13
GATE = {"name": "golden vectors", "is_passed": True, "evidence": "32 vectors", "reason": "", "is_shortened": False}
OPEN = {**GATE, "name": "interventions", "is_passed": False, "evidence": "7 %", "reason": "it relies on the shield"}
STOP = threading.Event()


def end(number: int, frame: FrameType | None) -> None:
    del number, frame
    STOP.set()


def main() -> int:
    signal.signal(signal.SIGTERM, end)
    verb, words = sys.argv[1], sys.argv[2:]
    options = dict(itertools.pairwise(words))
    count = int(options["--days"])
    if count == REFUSED:
        sys.stderr.write("error: there is no controller 'nobody'; use mpc\n")
        return 2
    return shadow(count) if verb == "shadow" else promote(words[0], count, Path(options["--out"]))


def shadow(days: int) -> int:
    sys.stdout.write('{"schema": ')  # half of the report
    sys.stdout.flush()
    sys.stderr.write(f"day 1 of {max(2, days)}\n")
    sys.stderr.flush()
    if days > 1 and STOP.wait(60.0):
        return 130
    run = {"active": {"cost_eur": 1.0}, "closed_loop": {"cost_eur": 1.5}, "open_loop": {"more_eur": 0.25}}
    about = {"task": "arbitrage", "active": "mpc", "candidate": "p", "runs": [run]}
    sys.stdout.write('"pulsebms.shadow/1", ' + json.dumps(about)[1:])
    return 0


def promote(policy: str, episodes: int, out: Path) -> int:
    sys.stdout.write("fast environment with the shield: 1 of 2 episodes\n")
    sys.stdout.flush()
    out.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {"gates": [GATE, OPEN]}
    (out / "judged_so_far.json").write_text(json.dumps(content), encoding="utf-8")
    stopped = episodes > 1 and STOP.wait(60.0)
    (out / "judged_so_far.json").unlink()
    if stopped:
        return 130
    about = {
        "schema": "pulsebms.promotion/1",
        "verdict": "refused",
        "policy": {"sha256": "0", "algorithm": Path(policy).stem, "seed": 2},
        "task": {"name": "arbitrage"},
        "rules": {"version": 1},
    }
    (out / "promotion.json").write_text(json.dumps({**about, **content}), encoding="utf-8")
    return 1


sys.exit(main())
