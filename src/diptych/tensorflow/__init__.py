"""The TensorFlow panel: the model, its training step and its stepper in idiomatic TensorFlow and Keras 3."""

from diptych.tensorflow.model import Model
from diptych.tensorflow.process import choices, configure, settle, versions
from diptych.tensorflow.product_timer import ProductTimer
from diptych.tensorflow.stepper import Stepper
from diptych.tensorflow.training import StepResult, TrainingStep
from diptych.tensorflow.weights import export_parameters, load_parameters, to_array, to_tensor

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
