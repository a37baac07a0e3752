"""What the framework is told once, when its process starts."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf

from diptych.config import Precision
from diptych.errors import BackendError
from diptych.parameters.specification import Parameter


def configure(threads: int | None = None, device: str = "auto") -> None:
    """Set the number of threads (None: the framework's own choice) and the device: auto, cpu or cuda.

    Raises:
        BackendError: cuda was asked for and there is none.
    """
    # float32 means float32: on a GPU, products would otherwise be rounded to TensorFloat-32.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    gpus = tf.config.list_physical_devices("GPU")
    if device == "cuda" and not gpus:
        raise BackendError("device 'cuda' was asked for, but TensorFlow finds no GPU; use --device cpu or auto")
    try:
        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        for gpu in tf.config.get_visible_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
    except RuntimeError as error:
        raise BackendError(
            f"TensorFlow is already running in this process and cannot change to {threads} threads on {device!r}; "
            f"set them when it is first loaded, or start a new process"
        ) from error


def versions() -> dict[str, str]:
    """The versions of the framework and what it stands on."""
    return {"tensorflow": tf.__version__, "keras": keras.__version__}


def choices() -> dict[str, str]:
    """What this process chose by measuring, by name."""
    return {}  # its one kernel for products is oneDNN's


def choose(weights: Mapping[str, Parameter], precision: Precision) -> dict[str, str]:
    """Choose by measuring, unless this process has, what is fastest for a model of these weights; gives `choices`."""
    return choices()


def settle(choices: Mapping[str, str]) -> None:
    """Do not measure, but keep to what another process chose."""
