"""The judge: runs a graph in NumPy from the formulas, in float64 or, for exact derivatives, in complex128."""

from diptych.convert.judge.derivatives import derivatives
from diptych.convert.judge.judge import run

__all__ = ["derivatives", "run"]
