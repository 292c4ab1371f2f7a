"""A `health` that reads nothing: it reports by the name of the log; `endless` goes on until a SIGTERM."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

WORDS = sys.argv[1:]
SECTIONS = [
    {"title": "Capacity", "sentences": ["a <b>sentence</b>"], "heads": ["log", "of"], "rows": [["a.csv", "2.1 Ah"]]},
    {
        "title": "Not judged",
        "sentences": ["a.csv: no balance: the log has no voltage of each cell"],
        "heads": [],
        "rows": [],
    },
]


def main() -> int:
    name = Path(WORDS[-1]).name
    if name == "endless.csv":
        time.sleep(60.0)  # fixed wait: until it is killed
    if name == "bad.csv":
        sys.stderr.write("error: bad.csv is empty; export the log again\n")
        return 2
    report = Path(WORDS[WORDS.index("--report") + 1])
    report.write_text(" ".join(WORDS), encoding="utf-8")
    found = name != "nothing.csv"
    body = {"ok": found, "report": {"result": "capacity 2.1 Ah", "sections": SECTIONS}}
    sys.stdout.write(json.dumps(body))
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
