"""PulseBMS Workbench: `python main.py VERB`, `python -m pulsebms VERB` and the command `pulsebms` start here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def main() -> int:
    """Run a verb; return the exit status."""
    from workbench.cli import main as run_command_line

    return run_command_line()


if __name__ == "__main__":
    sys.exit(main())
