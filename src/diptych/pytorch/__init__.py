"""The PyTorch panel: the model, its training step and its stepper in idiomatic PyTorch."""

from diptych.pytorch.model import Model
from diptych.pytorch.process import choices, configure, settle, versions
from diptych.pytorch.product_timer import ProductTimer
from diptych.pytorch.stepper import Stepper
from diptych.pytorch.training import StepResult, TrainingStep
from diptych.pytorch.weights import export_parameters, load_parameters, to_array, to_tensor

__all__ = [
    "Model",
    "ProductTimer",
    "StepResult",
    "Stepper",
    "TrainingStep",
    "choices",
    "configure",
    "export_parameters",
    "load_parameters",
    "settle",
    "to_array",
    "to_tensor",
    "versions",
]
