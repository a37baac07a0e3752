"""Search, written once for every panel: NumPy over a stepper that gives log-probabilities token by token."""

from diptych.search.beam import beam
from diptych.search.greedy import greedy
from diptych.search.hypothesis import Hypothesis
from diptych.search.sampling import sample
from diptych.search.stepper import Stepper

__all__ = ["Hypothesis", "Stepper", "beam", "greedy", "sample"]
