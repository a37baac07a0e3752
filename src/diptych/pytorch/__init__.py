"""The PyTorch panel: the model, its training step and its stepper in idiomatic PyTorch."""

from diptych.pytorch.exchange import Exchange
from diptych.pytorch.loss import copying_cross_entropy, cross_entropy, select_positions
from diptych.pytorch.model import Model
from diptych.pytorch.process import choices, choose, configure, settle, versions
from diptych.pytorch.product_timer import ProductTimer
from diptych.pytorch.recurrent import apply_dropout
from diptych.pytorch.stepper import Stepper
from diptych.pytorch.training import TrainingStep
from diptych.pytorch.weights import assign, bindings, export_parameters, load_parameters, to_array, to_tensor

__all__ = [
    "Exchange",
    "Model",
    "ProductTimer",
    "Stepper",
    "TrainingStep",
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
    "settle",
    "to_array",
    "to_tensor",
    "versions",
]
