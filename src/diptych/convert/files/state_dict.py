"""What is in a PyTorch checkpoint: the model's weights, the optimizer's state, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.convert.files import limits
from diptych.convert.files.model_file import Layer, Note, Tensor, Training
from diptych.convert.files.pickle_reader import StoredTensor
from diptych.convert.files.printable import shown
from diptych.convert.files.recognition import recognise
from diptych.errors import RefusalError

LEVELS = 32  # of dicts and lists within one another
# Which optimizer keeps such arrays; the file does not name its class.
BY_SLOTS = (
    ({"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}, "Adam or AdamW, amsgrad"),
    ({"exp_avg", "exp_avg_sq"}, "Adam or AdamW"),
    ({"exp_avg", "exp_inf"}, "Adamax"),
    ({"square_avg"}, "RMSprop"),
    ({"square_avg", "acc_delta"}, "Adadelta"),
    ({"sum"}, "Adagrad"),
    ({"momentum_buffer"}, "SGD"),
)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's contents, as `ModelFile` has them."""

    tensors: dict[str, Tensor]
    layers: tuple[Layer, ...]
    training: Training | None
    notes: tuple[Note, ...]


def sort_out(path: Path, value: Any, make: Callable[[str, StoredTensor], Tensor]) -> Checkpoint:
    """A value as it was pickled, taken apart.

    The weights keep the names of their state dict if the file holds one; of several each name begins with its place.

    Args:
        path: the file, for messages.
        value: plain values, dicts, lists and `StoredTensor`s.
        make: a tensor of its name and what was stored.

    Raises:
        RefusalError: there are no tensors in it, too many, or two of one name.
    """
    weights: dict[tuple[str, ...], StoredTensor] = {}
    optimizers: dict[tuple[str, ...], dict[Any, Any]] = {}
    others: list[str] = []
    for place, each in _leaves(path, value):
        if isinstance(each, StoredTensor):
            weights[place] = each
            limits.check_count(path, len(weights))
        elif isinstance(each, dict):
            optimizers[place] = each
        elif isinstance(each, int | float | str) and len(place) <= 2:
            others.append(f"{'.'.join(place)} {shown(each, 40)}")
    if not weights and not optimizers:
        raise RefusalError(f"{path} holds no tensors: expected a state dict, as torch.save(model.state_dict()) writes")
    notes = []
    places = {place[0] for place in weights if len(place) > 1}
    strip = len(places) == 1 and all(len(place) > 1 for place in weights)
    if strip:
        notes.append(Note(f"the weights are under {shown(next(iter(places)))}"))
    elif len(places) > 1:
        notes.append(Note(f"several sets of weights: {', '.join(map(shown, sorted(places)[:10]))}"))
    tensors = {}
    for place, each in weights.items():
        name = ".".join(place[1:] if strip else place)
        if name in tensors:
            raise RefusalError(f"{path} has two tensors of the name {shown(name)}")
        tensors[name] = make(name, each)
    if others:
        notes.append(Note(f"beside the weights: {', '.join(others[:10])}{', ...' if len(others) > 10 else ''}"))
    layers, questions = recognise(tensors, "pytorch")
    training = None
    for place, state in optimizers.items():
        training = training or _training(path, place, state=state, make=make)
    if len(optimizers) > 1:
        notes.append(Note(f"{len(optimizers)} optimizers; the first is read"))
    return Checkpoint(tensors, layers, training=training, notes=(*notes, *questions))


def _leaves(path: Path, value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Everything in nested dicts and lists that is neither, in order, an optimizer's state as a whole.

    Raises:
        RefusalError: something nests too deep, as what holds itself does, or there is too much.
    """
    waiting: list[tuple[tuple[str, ...], Any]] = [((), value)]
    count = 0
    while waiting:
        place, each = waiting.pop()
        count += 1
        if len(place) > LEVELS or count > 3 * limits.TENSORS:
            raise RefusalError(f"{path}: {shown('.'.join(place))} holds itself, or nests too deep to be a model's")
        if isinstance(each, dict) and {"state", "param_groups"} <= each.keys():
            yield place, each
        elif isinstance(each, dict | list | tuple):
            items = each.items() if isinstance(each, dict) else enumerate(each)
            waiting.extend(reversed([((*place, str(key)), item) for key, item in items]))
        else:
            yield place, each


def _training(
    path: Path, place: tuple[str, ...], state: dict[Any, Any], make: Callable[[str, StoredTensor], Tensor]
) -> Training:
    """An optimizer's state dict: {"state": {0: {"step": .., "exp_avg": ..}, ..}, "param_groups": [{..}]}."""
    slots: dict[str, Tensor] = {}
    kinds: set[str] = set()
    step: int | None = None
    prefix = ".".join((*place, "state"))
    for inner, each in _leaves(path, {"": state["state"]}):
        if isinstance(each, StoredTensor):
            limits.check_count(path, len(slots))
            name = ".".join((prefix, *inner[1:]))
            slots[name] = make(name, each)
            kinds |= {inner[-1]} - {"step"}
        if inner[-1] == "step" and step is None:
            is_number = isinstance(each, StoredTensor) and slots[name].shape == ()
            step = each if isinstance(each, int) else int(slots[name].read()) if is_number else None
    groups = state["param_groups"]
    first = groups[0] if isinstance(groups, list) and groups and isinstance(groups[0], dict) else {}
    settings = {str(key): item for key, item in first.items() if key != "params" and _plain(item)}
    order = tuple(str(each) for each in first.get("params", ()) if isinstance(each, int | str))
    named = next((name for needed, name in BY_SLOTS if needed == kinds), "")
    return Training(
        named or ("SGD" if "momentum" in settings else ""), config=settings, slots=slots, step=step, order=order
    )


def _plain(value: Any) -> bool:
    simple = value is None or isinstance(value, int | float | str)
    return simple or (isinstance(value, tuple | list) and len(value) < 10 and all(map(_plain, value)))
