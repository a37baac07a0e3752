"""Adam's state in a PyTorch checkpoint, and the text of a program that goes on from one."""

from __future__ import annotations

from typing import Any

import numpy as np

from diptych.convert.adam import Adam
from diptych.convert.files.model_file import Training
from diptych.convert.graph import Array
from diptych.convert.torch.writing import WrittenModule
from diptych.errors import RefusalError


def averages_of(training: Training) -> dict[str, dict[str, Array]]:
    """Adam's two averages, "first" and "second", by the numbers of the parameters.

    Raises:
        RefusalError: it is another optimizer's state, or not whole; the message says why.
    """
    if not training.optimizer.startswith("Adam or AdamW") or "amsgrad" in training.optimizer:
        raise RefusalError(f"{training.optimizer or 'the optimizer'}'s state is not converted, only Adam's is")
    for key in ("maximize", "amsgrad"):
        if training.config.get(key):
            raise RefusalError(f"{key} = True changes what its state means")
    if training.config.get("weight_decay") and "decoupled_weight_decay" not in training.config:
        raise RefusalError("its weight_decay is not 0, and the file does not say whether it is Adam or AdamW")
    if training.config.get("weight_decay") and not training.config["decoupled_weight_decay"]:
        raise RefusalError("its weight_decay is added to the gradient, which Keras's Adam does not do")
    if training.step is None or not isinstance(training.config.get("lr"), int | float):
        raise RefusalError("it does not say after how many steps, or at which learning rate")
    found: dict[str, dict[str, Array]] = {"first": {}, "second": {}}
    for which, name in (("first", "exp_avg"), ("second", "exp_avg_sq")):
        for number in training.order:
            slot = next((one for key, one in training.slots.items() if key.endswith(f"state.{number}.{name}")), None)
            if slot is not None:
                found[which][number] = slot.read()
    if set(found["first"]) != set(training.order) or set(found["second"]) != set(training.order):
        raise RefusalError("its averages are not those of one group of parameters, each with both")
    return found


def adam_of(training: Training, averages: dict[str, dict[str, Array]]) -> Adam:
    """Adam's state, its averages by the names of the model's graph."""
    settings: Any = training.config
    betas = settings.get("betas", (0.9, 0.999))
    numbers = float(settings.get("eps", 1e-8)), float(settings.get("weight_decay") or 0.0)
    return Adam(
        training.step or 0, float(settings["lr"]), (float(betas[0]), float(betas[1])), *numbers, averages["first"],
        averages["second"],
    )  # fmt: skip


def state_of(adam: Adam, written: WrittenModule) -> dict[str, Array]:
    """What `optimizer.safetensors` holds: by the names of the module's parameters, in float32."""
    found: dict[str, Array] = {"step": np.asarray(adam.step, np.float32)}
    for key, moments in (("exp_avg", adam.first), ("exp_avg_sq", adam.second)):
        found |= {
            f"{key}.{place}": np.ascontiguousarray(moments[name]) for name, place in written.names.items()
            if name in moments
        }  # fmt: skip
    return found


def text_of(adam: Adam) -> str:
    """A function that makes the optimizer as it was."""
    name = "AdamW" if adam.decay else "Adam"
    options = f"lr={adam.rate!r}, betas={adam.betas!r}, eps={adam.epsilon!r}"
    options += f", weight_decay={adam.decay!r}" if adam.decay else ""
    return f'''

def load_optimizer(model, path=Path(__file__).with_name("optimizer.safetensors")):
    """{name} after {adam.step:,} steps, for training to go on."""
    state = load_file(path)
    parameters = {{name: one for name, one in model.named_parameters() if one.requires_grad}}
    optimizer = torch.optim.{name}(parameters.values(), {options})
    for name, parameter in parameters.items():
        averages = {{key: state[f"{{key}}.{{name}}"].to(parameter) for key in ("exp_avg", "exp_avg_sq")}}
        optimizer.state[parameter] = {{"step": state["step"].clone(), **averages}}
    return optimizer
'''
