"""The TensorFlow panel: the model, its training step and its stepper in idiomatic TensorFlow and Keras 3."""

from diptych.tensorflow.exchange import Exchange
from diptych.tensorflow.loss import copying_cross_entropy, cross_entropy, select_positions
from diptych.tensorflow.model import Model
from diptych.tensorflow.process import choices, choose, configure, settle, versions
from diptych.tensorflow.product_timer import ProductTimer
from diptych.tensorflow.recurrent import apply_dropout
from diptych.tensorflow.stepper import Stepper
from diptych.tensorflow.training import TrainingStep
from diptych.tensorflow.weights import assign, bindings, export_parameters, load_parameters, to_array, to_tensor

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
