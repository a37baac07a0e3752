"""What a file of weights can leave open, what each answer would mean, and the key that `--assume KEY=VALUE` takes."""

from __future__ import annotations

from diptych.convert.files.model_file import Note

READINGS: dict[str, dict[str, str]] = {
    "reset": {
        "after": "n = tanh(W x + b_i + r (U h + b_h)): nn.GRU, cuDNN, Keras's reset_after=True",
        "before": "n = tanh(W x + U (r h) + b): Keras's reset_after=False, TF1's GRUCell; nn.GRU cannot compute it",
    },
    "hard_sigmoid": {
        "keras2": "clip(0.2 x + 0.5, 0, 1), as Keras 1 and 2 and tf.keras have it; 1 at x = 2.5",
        "keras3": "clip(x / 6 + 0.5, 0, 1), as Keras 3 and PyTorch have it; 0.917 at x = 2.5",
    },
    "recurrent_activation": {
        "sigmoid": "the default of Keras from 2.3, of tf.keras 2, of cuDNN, of PyTorch",
        "hard_sigmoid": "the default of Keras up to 2.2 and of tf.keras 1",
    },
    "activation": {
        "tanh": "the default of every recurrent layer",
        "relu": "possible in a plain recurrent layer",
    },
    "nonlinearity": {
        "tanh": "nn.RNN's default",
        "relu": "the other one that nn.RNN can have",
    },
    "forget_bias": {
        "1": "added to the forget gate at every step: the default of TF1's cells; it is not in the weights",
        "0": "nothing is added: Keras, PyTorch and cuDNN have it in the bias already",
    },
    "bias": {
        "two": "b_i for the input and b_h for the state, as PyTorch and cuDNN have it",
        "one": "their sum; in a GRU that resets after, that is another function unless b_hn is zero",
    },
    "gru_gates": {
        "rzn": "reset, update, new: PyTorch, cuDNN",
        "zrn": "update, reset, new: Keras, ONNX",
    },
    "lstm_gates": {
        "ifgo": "input, forget, cell, output: PyTorch, Keras, cuDNN",
        "iofg": "input, output, forget, cell: ONNX",
        "igfo": "input, cell, forget, output: TF1's cells",
    },
    "mask_zero": {
        "false": "id 0 is a word as any other: the default",
        "true": "id 0 is padding: every recurrent layer after it skips those steps",
    },
    "class": {
        "Embedding": "rows are looked up by id",
        "Linear": "a product without a bias",
    },
}  # fmt: skip


def question(key: str, where: str, text: str, likely: str | None = None) -> Note:
    """A question with all of its readings."""
    return Note(text, where, key=key, readings=READINGS[key], likely=likely)
