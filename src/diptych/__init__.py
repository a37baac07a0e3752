"""Diptych: one recurrent sequence-to-sequence model, painted twice, hinged by one set of weights.

    run = diptych.Run.create(config, "runs/mine", pairs=[("I feel hungry", "배가 고파요"), ...])
    diptych.train(run, backend="pytorch")
    diptych.load(run, backend="tensorflow").translate(["I feel hungry"])

docs/python.md shows the whole way. Each name is loaded when it is asked for, a framework only when it is needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diptych.comparison.comparison import compare
    from diptych.config.reading import read_config
    from diptych.config.run import RunConfig
    from diptych.convert.live import keras_weights, state_dict, to_keras, to_onnx, to_pytorch
    from diptych.errors import (
        BackendError,
        CertificateError,
        CheckpointError,
        ConfigError,
        DataError,
        DiptychError,
        RefusalError,
        RunError,
        UsageError,
        WorkerError,
    )
    from diptych.evaluation.evaluate import evaluate
    from diptych.ladder.ladder import parity
    from diptych.runs.run import Run
    from diptych.training.loop import train
    from diptych.translation.translation import Translation
    from diptych.translation.translator import load

__version__ = "0.2.0"
__all__ = [
    "BackendError",
    "CertificateError",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DiptychError",
    "RefusalError",
    "Run",
    "RunConfig",
    "RunError",
    "Translation",
    "UsageError",
    "WorkerError",
    "compare",
    "evaluate",
    "keras_weights",
    "load",
    "parity",
    "read_config",
    "state_dict",
    "to_keras",
    "to_onnx",
    "to_pytorch",
    "train",
]

_HOMES = {
    "Run": "diptych.runs.run",
    "RunConfig": "diptych.config.run",
    "Translation": "diptych.translation.translation",
    "compare": "diptych.comparison.comparison",
    "evaluate": "diptych.evaluation.evaluate",
    "keras_weights": "diptych.convert.live",
    "load": "diptych.translation.translator",
    "parity": "diptych.ladder.ladder",
    "read_config": "diptych.config.reading",
    "state_dict": "diptych.convert.live",
    "to_keras": "diptych.convert.live",
    "to_onnx": "diptych.convert.live",
    "to_pytorch": "diptych.convert.live",
    "train": "diptych.training.loop",
}


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: `import diptych` stays quick, and works with no framework.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(import_module(_HOMES.get(name, "diptych.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
