"""The reference panel: NumPy, float64, plain and readable; the judge between the other two."""

from diptych.reference.loss import copying_cross_entropy, cross_entropy, select_positions
from diptych.reference.model import Model
from diptych.reference.process import choices, choose, configure, versions
from diptych.reference.recurrent import apply_dropout
from diptych.reference.stepper import Stepper
from diptych.reference.weights import assign, bindings, export_parameters, load_parameters, to_array, to_tensor

__all__ = [
    "Model",
    "Stepper",
    "apply_dropout",
    "assign",
    "bindings",
    "choices",
    "choose",
    "configure",
    "copying_cross_entropy",
    "cross_entropy",
    "export_parameters",
    "load_parameters",
    "select_positions",
    "to_array",
    "to_tensor",
    "versions",
]
