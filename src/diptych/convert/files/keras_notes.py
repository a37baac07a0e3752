"""What Keras files leave open, and what converters get wrong about them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diptych.convert.files.keras_config import MODELS, walk
from diptych.convert.files.model_file import Layer, Note, Tensor
from diptych.convert.files.printable import shown
from diptych.convert.files.questions import question

# Gates of the recurrent layers: the recurrent kernel is (units, GATES * units).
GATES = {1: "SimpleRNN", 3: "GRU", 4: "LSTM"}
RECURRENT = ("LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "CuDNNLSTM", "CuDNNGRU")
STOCK = {
    *RECURRENT, *MODELS, "RNN", "StackedRNNCells", "Bidirectional", "TimeDistributed", "InputLayer", "Dense",
    "Embedding", "Masking", "Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "Activation", "ReLU",
    "LeakyReLU", "PReLU", "ELU", "Softmax", "Flatten", "Reshape", "Permute", "RepeatVector", "Concatenate", "Add",
    "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dot", "Attention", "AdditiveAttention",
    "MultiHeadAttention", "LayerNormalization", "BatchNormalization", "Conv1D", "Conv2D", "Conv3D", "MaxPooling1D",
    "MaxPooling2D", "AveragePooling1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D", "ZeroPadding1D", "ConvLSTM2D",
    "TimeDistributedDense", "Highway", "MaxoutDense", "Merge", "Lambda", "TFOpLambda", "TensorFlowOpLayer",
}  # fmt: skip


ONE_BY_ONE = "one array for each gate, as Keras 1 stores them, in the order i, c, f, o"
USUAL_WITHIN = ("go_backwards", "zero_output_for_mask")  # what Bidirectional sets in the layers within it


def notes_of_layers(
    path: Path, layers: tuple[Layer, ...], tensors: Mapping[str, Tensor], version: str | None, whole: bool
) -> tuple[tuple[Layer, ...], tuple[Note, ...]]:
    """The layers, their kinds seen in their weights where there is no configuration, and what is to be known of them.

    Args:
        path: the file, for messages.
        layers: of a whole model with classes and configurations, of weights only with names and weights.
        tensors: the weights.
        version: Keras's; None where the file does not say.
        whole: whether the file has the configuration.

    Raises:
        RefusalError: the layers nest too deep.
    """
    if not whole:
        layers = tuple(Layer(each.name, each.kind or kind_of(each, tensors), each.tensors) for each in layers)
        return layers, tuple(note for layer in layers for note in _of_weights(layer, tensors, version))
    found: list[Note] = []
    by_name = {layer.name: layer for layer in layers}
    # A layer in a model may be listed beside that model, too.
    for name, kind, config in {each[0]: each for each in walk(path, layers)}.values():
        weights = [tensors[each] for each in by_name[name].tensors] if name in by_name else []
        found += _of_config(name, kind, config=config, weights=weights, version=version)
    return layers, tuple(found)


def kind_of(layer: Layer, tensors: Mapping[str, Tensor]) -> str:
    """A layer's class, as its weights' names and shapes show it; "" where they do not."""
    shapes = {_last(name): tensors[name].shape for name in layer.tensors}
    kind = ""
    if recurrent := [shape for name, shape in shapes.items() if name == "recurrent_kernel" and len(shape) == 2]:
        rows, columns = recurrent[0]
        kind = GATES.get(columns // rows if rows and columns % rows == 0 else 0, "")
        biases = [shape for name, shape in shapes.items() if name == "bias"]
        kind = "CuDNNLSTM" if kind == "LSTM" and biases and biases[0] == (8 * rows,) else kind
        kind = "CuDNNGRU" if kind == "GRU" and biases and biases[0] == (6 * rows,) else kind
    elif {"W_i", "U_i", "W_c", "U_c"} <= shapes.keys():
        kind = "LSTM"
    elif {"W_z", "U_z"} <= shapes.keys():
        kind = "GRU"
    elif {"W", "U"} <= shapes.keys():
        kind = "SimpleRNN"
    elif "embeddings" in shapes:
        kind = "Embedding"
    elif {"moving_mean", "moving_variance"} <= shapes.keys():
        kind = "BatchNormalization"
    elif "gamma" in shapes:
        kind = "LayerNormalization"
    elif "kernel" in shapes:
        kind = {2: "Dense", 3: "Conv1D"}.get(len(shapes["kernel"]), "")
    elif "W" in shapes and len(shapes["W"]) == 2:
        kind = "Dense" if "b" in shapes else "Embedding"
    both = all(any(way in name for name in layer.tensors) for way in ("forward", "backward"))
    return f"Bidirectional({kind})" if kind and both else kind


def _last(name: str) -> str:
    """The weight's own name: kernel of lstm/lstm_cell/kernel:0 and of Keras 3's cell/vars/0, W_i of lstm_1_W_i:0."""
    if numbered := re.search(r"cell/vars/([012])$", name):
        return ("kernel", "recurrent_kernel", "bias")[int(numbered.group(1))]
    own = name.rpartition("/")[2].partition(":")[0]
    old = re.search(r"(?:^|_)([WUb](?:_[iofczrh])?)$", own)
    return old.group(1) if old else own


def _of_weights(layer: Layer, tensors: Mapping[str, Tensor], version: str | None) -> list[Note]:
    """What weights without a configuration leave open."""
    kind = layer.kind.removeprefix("Bidirectional(").rstrip(")")
    found = []
    if kind in ("LSTM", "GRU"):
        likely = None if version is None else "hard_sigmoid" if older(version, 2, 3) else "sigmoid"
        text = "the gates' activation is not in a file of weights only"
        found.append(question("recurrent_activation", layer.name, text=text, likely=likely))
    if kind == "SimpleRNN":
        found.append(
            question("activation", layer.name, text="the activation is not in a file of weights only", likely="tanh")
        )
    if kind == "GRU":
        biases = [tensors[name].shape for name in layer.tensors if _last(name) == "bias"]
        if not biases:
            found.append(question("reset", layer.name, "a GRU without a bias does not show where it resets"))
        else:
            place = "after the product (two biases)" if len(biases[0]) == 2 else "before the product (one bias)"
            found.append(Note(f"resets {place}, as its bias's shape {biases[0]} shows", layer.name))
    if kind == "Embedding":
        found.append(question("mask_zero", layer.name, "whether id 0 is masked is not in a file of weights only"))
    if any(_last(name) == "W_i" for name in layer.tensors):
        found.append(Note(ONE_BY_ONE, layer.name))
    return found


def _of_config(
    name: str, kind: str, config: Mapping[str, Any], weights: list[Tensor], version: str | None
) -> list[Note]:
    """What is to be known of one configured layer."""
    found = []

    def remark(text: str) -> None:
        found.append(Note(text, name))

    for key in ("activation", "recurrent_activation", "inner_activation"):
        value = config.get(key)
        if value == "hard_sigmoid" and version is None:
            found.append(question("hard_sigmoid", name, f"{key} is hard_sigmoid, and who wrote the file is not known"))
        elif value == "hard_sigmoid" and older(version or "3", 3, 0):
            remark(
                f"{key} is clip(0.2 x + 0.5), as before Keras 3, which loads it as clip(x/6 + 0.5): off by up to 0.083"
            )
        elif isinstance(value, dict) and str(value.get("class_name", "")) in ("function", "Lambda", "__lambda__"):
            remark(f"{key} is a function of the user's own, {shown(value.get('config'))}: named, not run")
    if kind == "Lambda" or kind == "TFOpLambda":
        code = config.get("function")
        inside = shown(config.get("function") if isinstance(code, str) else "program text, marshalled", 60)
        remark(f"{kind} holds a function of the user's own ({inside}): named, never run")
    elif kind not in STOCK:
        origin = config.get("_class") or {}
        remark(f"{shown(kind)} is no stock layer{': ' + shown(origin) if origin else ''}: named, never run")
    if kind in ("GRU", "GRUCell") and not config.get("reset_after", False):
        if "reset_after" in config or (version and older(version, 2, 2)):
            remark("resets before the product: nn.GRU cannot compute it, a cell of its own can")
        elif not any(tensor.shape[:1] == (2,) for tensor in weights if len(tensor.shape) == 2):
            found.append(
                question("reset", name, text="the configuration does not say where it resets", likely="before")
            )
    if kind in ("CuDNNLSTM", "CuDNNGRU"):
        remark("two biases, gates by sigmoid; Keras 3 has no such layer and loads such weights only in part")
    if any(_last(tensor.name) == "W_i" for tensor in weights):
        remark(ONE_BY_ONE)
    if kind in RECURRENT:
        for key, text in (
            ("go_backwards", "reads from the end; its outputs stay reversed, unlike a backward layer of PyTorch"),
            ("stateful", "keeps its state from batch to batch; that state is not in the file"),
            ("time_major", "time is the first axis; Keras 3 refuses the argument"),
            ("zero_output_for_mask", "gives zeros at masked steps"),
        ):
            if config.get(key) is True and not (key in USUAL_WITHIN and re.search("/(forward|backward)_", name)):
                remark(f"{key}: {text}")
        dropped = [key for key in ("dropout", "recurrent_dropout", "dropout_W", "dropout_U") if config.get(key)]
        if dropped:
            settings = ", ".join(f"{key} {shown(config[key])}" for key in dropped)
            remark(f"{settings}: nothing in inference; in training the frameworks draw other masks")
    if kind == "Bidirectional":
        remark(f"merge_mode {shown(config.get('merge_mode'))}: its last output joins both directions' final states")
    if kind == "Embedding" and config.get("mask_zero"):
        remark("mask_zero: id 0 is padding, and the recurrent layers after it skip those steps")
    if kind == "Masking":
        remark(f"steps whose numbers are all {shown(config.get('mask_value', 0.0))} are skipped from here on")
    return found


def older(version: str, major: int, minor: int) -> bool:
    """Whether a version, for instance 2.2.4-tf, is before MAJOR.MINOR; one that is no version is not.

    tf.keras counts as Keras of its number, though 2.2.4-tf has the defaults of 2.3.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None:
        return False
    tensorflow = version.endswith("-tf")
    return (int(numbers.group(1)), int(numbers.group(2)) + tensorflow) < (major, minor)
