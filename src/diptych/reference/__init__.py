"""The reference panel: NumPy, float64, plain and readable; the judge between the other two."""

from diptych.reference.model import Model
from diptych.reference.process import choices, configure, versions
from diptych.reference.stepper import Stepper
from diptych.reference.weights import export_parameters, load_parameters, to_array, to_tensor

__all__ = [
    "Model",
    "Stepper",
    "choices",
    "configure",
    "export_parameters",
    "load_parameters",
    "to_array",
    "to_tensor",
    "versions",
]
