"""The declaration of a bench, from one TOML file; an error names file, line, key, value and bound."""

from drivers.benchfile.limits import DeclaredLimits
from drivers.benchfile.model import Bench, LaneSection, Role
from drivers.benchfile.read import read_bench, read_recorded_bench

__all__ = ["Bench", "DeclaredLimits", "LaneSection", "Role", "read_bench", "read_recorded_bench"]
