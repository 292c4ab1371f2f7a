"""The declared wiring of a bench, from one TOML file; a mistake names file, line, key, value and bound."""

from drivers.benchfile.limits import BenchLimits
from drivers.benchfile.model import Bench, Lane, Role
from drivers.benchfile.read import read_bench, read_recorded_bench

__all__ = ["Bench", "BenchLimits", "Lane", "Role", "read_bench", "read_recorded_bench"]
