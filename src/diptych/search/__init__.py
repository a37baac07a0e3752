"""Search, written once for every panel: NumPy over a stepper that gives log-probabilities token by token."""

from diptych.search.beam import beam
from diptych.search.constraints import Constraints
from diptych.search.ensemble import Ensemble
from diptych.search.finding import find
from diptych.search.greedy import greedy
from diptych.search.hypothesis import Hypothesis
from diptych.search.sampling import sample
from diptych.search.stepper import Stepper

__all__ = ["Constraints", "Ensemble", "Hypothesis", "Stepper", "beam", "find", "greedy", "sample"]
