"""Adam's state in a Keras file, by the names of the model's graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from diptych.convert.adam import Adam
from diptych.convert.files.model_file import ModelFile, Tensor, Training
from diptych.convert.graph import Array, Graph
from diptych.convert.keras.architecture import NamedArrays
from diptych.errors import RefusalError

# Adam/lstm/kernel/m:0 (up to 2.10), Adam/m/lstm/kernel:0 (2.11 on), adam/lstm_kernel_momentum (Keras 3's .h5).
NAMED = (
    re.compile(r"(?P<weight>.+)/(?P<slot>[mv])(?::0)?$"),
    re.compile(r".*/(?P<slot>[mv])/(?P<weight>.+?)(?::0)?$"),
    re.compile(r"(?P<weight>.+)_(?P<slot>momentum|velocity)$"),
)
FIRST = ("m", "momentum")
Place = tuple[str, int]


def adam_of_keras(
    file: ModelFile, weights: Mapping[str, NamedArrays], read: Callable[[dict[str, NamedArrays]], Graph]
) -> Adam:
    """Adam's state as a file has it.

    Args:
        file: with a training state.
        weights: the model's, by layer.
        read: makes a graph of arrays in their places. Reading only moves numbers: so the averages go where weights do.

    Raises:
        RefusalError: it is another optimizer's, or not whole; the message says why.
    """
    training = file.training
    assert training is not None
    settings = dict(training.config)
    name = training.optimizer.rpartition(">")[2]
    if not name:
        raise RefusalError("the file does not say which optimizer's it is, which Keras omits once it has saved an .h5")
    if name not in ("Adam", "AdamW"):
        raise RefusalError(f"{name}'s state is not converted, only Adam's is")
    rate = _rate(training)
    for key in ("amsgrad", "decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "loss_scale_factor"):
        if settings.get(key):
            raise RefusalError(f"{key} = {settings[key]!r} changes what its state means")
    trained = _trained(file, weights)
    first, second = _matched(training, trained)
    moments = []
    for found in (first, second):
        arrays = {
            path: [(weight, found.get((path, number), array * 0)) for number, (weight, array) in enumerate(named)]
            for path, named in weights.items()
        }
        moved = read(arrays).weights()
        moments.append({key: value for key, value in moved.items() if not key.endswith((".mean", ".variance"))})
    step = training.step
    if step is None:
        raise RefusalError("it does not say after how many steps")
    betas = float(settings.get("beta_1", 0.9)), float(settings.get("beta_2", 0.999))
    decay = float(settings.get("weight_decay") or 0.0)
    return Adam(step, rate, betas, float(settings.get("epsilon") or 1e-7), decay, *moments)


def _rate(training: Training) -> float:
    """The learning rate; Keras 3 keeps it among the optimizer's arrays, where a schedule may have changed it."""
    rate = training.config.get("learning_rate", training.config.get("lr"))
    stored = training.slots.get("optimizer/vars/1")
    if isinstance(rate, int | float) and stored is not None and stored.shape == ():
        return float(stored.read())
    if not isinstance(rate, int | float):
        raise RefusalError("its learning rate is a schedule")
    return float(rate)


def _trained(file: ModelFile, weights: Mapping[str, NamedArrays]) -> dict[Place, tuple[str, Array]]:
    """The weights that an optimizer moves, in Keras's order, by layer and number."""
    known = {layer.name: (place, layer) for place, layer in enumerate(file.layers)}
    found = {}
    for path in sorted(weights, key=lambda one: known.get(one, known.get(one.partition("/")[0], (0, None)))[0]):
        layer = known[path][1] if path in known else None
        if layer is not None and layer.config.get("trainable") is False:
            continue
        named = weights[path]
        moving = 2 if layer is not None and layer.kind == "BatchNormalization" else 0
        for number, (name, array) in enumerate(named[: len(named) - moving]):
            found[path, number] = name.removeprefix(f"{path}/").removesuffix(":0"), array
    return found


def _matched(
    training: Training, trained: Mapping[Place, tuple[str, Array]]
) -> tuple[dict[Place, Array], dict[Place, Array]]:
    """The two averages of each weight: by the names of the slots, or where those are numbers by their order."""
    slots = {name: slot for name, slot in training.slots.items() if slot.dtype.startswith("float")}
    found: list[dict[Place, Array]] = []
    for wanted in (True, False):
        named = {
            _weight(name): slot for name, slot in slots.items() if (_slot(name) in FIRST) == wanted and _slot(name)
        }
        found.append({
            place: slot.read() for place, (name, array) in trained.items()
            if (slot := _of(name, named)) is not None and slot.shape == array.shape
        })  # fmt: skip
    if not any(found):
        found = [*_in_order(list(slots.values()), trained)]
    if not len(found[0]) == len(found[1]) == len(trained):
        raise RefusalError(f"it has averages for {len(found[0])} of {len(trained)} weights")
    return found[0], found[1]


def _in_order(slots: list[Tensor], trained: Mapping[Place, tuple[str, Any]]) -> tuple[dict[Place, Array], ...]:
    """Keras 3: first and second average of one weight after those of the other; the learning rate before all."""
    shapes = [array.shape for _, array in trained.values() for _ in range(2)]
    own = slots[len(slots) - len(shapes) :] if len(slots) >= len(shapes) else []
    if [slot.shape for slot in own] != shapes:
        raise RefusalError("its arrays have not the shapes of the weights")
    return tuple({place: own[2 * n + which].read() for n, place in enumerate(trained)} for which in (0, 1))


def _slot(name: str) -> str:
    return next((found["slot"] for pattern in NAMED if (found := pattern.match(name))), "")


def _weight(name: str) -> str:
    return next((found["weight"] for pattern in NAMED if (found := pattern.match(name))), "")


def _of(name: str, named: Mapping[str, Tensor]) -> Tensor | None:
    """The slot whose weight has this name, whatever stands before it."""
    ends = (f"/{name}", f"/{name.replace('/', '_')}")
    fitting = [slot for weight, slot in named.items() if f"/{weight}".endswith(ends)]
    return fitting[0] if len(fitting) == 1 else None
