"""PulseBMS Workbench: `python main.py VERB`, `python -m pulsebms VERB` and the command `pulsebms` start here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


OURS = ("workbench", "drivers", "control", "twin", "edge_bridge", "fixtures")
NEEDS = "PulseBMS needs Python 3.11 or newer with its packages"
ENTER = "make setup, then .venv/bin/python main.py (Windows: see Install in the README)"


def main() -> int:
    """Run a verb; return the exit status. Without Python's packages say how to get them: exit status 3."""
    try:
        from workbench.signals import hold_interrupts

        hold_interrupts()  # until a verb can report them
        from workbench.cli import main as run_command_line
    except (ImportError, SyntaxError) as error:  # a Python of the system, or one that is too old
        if isinstance(error, ImportError) and (error.name or "").partition(".")[0] in OURS:
            raise
        print(f"error: {NEEDS}: {error}; run: {ENTER}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("error: interrupted; nothing was started", file=sys.stderr)
        return 130
    return run_command_line()


if __name__ == "__main__":
    sys.exit(main())
