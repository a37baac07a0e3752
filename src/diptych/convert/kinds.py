"""What a node of a graph can be, with its arguments.

Letters: B batch, T time, I input width, H hidden, P projection, C channels, V vocabulary. A sequence is (B, T, ...).
Each docstring names the inputs and the weights; a name in brackets may be missing. Where it does not say otherwise, the
input is `x` and the output is `output`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """Any of the classes below."""


@dataclass(frozen=True)
class Function:
    """An activation: its name in `judge/activations.py`, and its parameter where it has one."""

    name: str
    parameter: float | None = None


TANH, SIGMOID = Function("tanh"), Function("sigmoid")


@dataclass(frozen=True)
class Recurrent(Kind):
    """One recurrent layer, of one direction or of two.

    Inputs: x (B, T, I); [mask] (B, T), False where a step leaves the state as it is; [h0], [c0], [h0_reverse],
    [c0_reverse] (B, H).
    Outputs: sequence (B, T, H), or (B, T, 2H) of two directions, aligned with x whichever way it runs; last (B, H), the
    output of the last step it ran; h, c, h_reverse, c_reverse (B, H), the states it ended in. A layer of one direction
    that runs backward calls its states h and c.
    Weights, those of the other direction of two with `_reverse`: weight_ih (GH, I), weight_hh (GH, H), [bias_ih],
    [bias_hh] (GH,), [weight_hr] (P, H), [peephole_i], [peephole_f], [peephole_o] (H,).

    Attributes:
        cell: LSTM, GRU or plain RNN.
        activation: of the candidate, and in an LSTM of the cell's output.
        gate: the activation of the gates.
        reset_after: GRU: whether the reset gate acts after the product with weight_hh.
        direction: which way it runs.
        zero_masked: whether a masked step's output is zero; otherwise it repeats the output before.
        cell_clip: LSTM: the cell state stays within +- this.
        projection_clip: LSTM with weight_hr: the output stays within +- this.
    """

    cell: Literal["lstm", "gru", "rnn"]
    activation: Function = TANH
    gate: Function = SIGMOID
    reset_after: bool = True
    direction: Literal["forward", "backward", "both"] = "forward"
    zero_masked: bool = False
    cell_clip: float | None = None
    projection_clip: float | None = None

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What the names of each direction's weights end with."""
        return ("", "_reverse") if self.direction == "both" else ("",)

    @property
    def gates(self) -> str:
        """The gates, in the order of the rows."""
        return {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}[self.cell]

    @property
    def state_names(self) -> tuple[str, ...]:
        """The names of one direction's states."""
        return ("h", "c") if self.cell == "lstm" else ("h",)


@dataclass(frozen=True)
class Embedding(Kind):
    """Rows of weight (V, E), chosen by x (B, T)."""


@dataclass(frozen=True)
class Dense(Kind):
    """weight (O, I) and [bias] (O,) on the last axis of x."""


@dataclass(frozen=True)
class Activation(Kind):
    """A function of each element, or `softmax` and `log_softmax` along an axis."""

    function: Function
    axis: int = -1


@dataclass(frozen=True)
class LayerNormalization(Kind):
    """Over the last axis, with [weight] and [bias] (C,)."""

    epsilon: float


@dataclass(frozen=True)
class BatchNormalization(Kind):
    """Over the last axis, with [weight], [bias], mean and variance (C,), as it is after training."""

    epsilon: float
    momentum: float = 0.9


@dataclass(frozen=True)
class Convolution(Kind):
    """Along time: x (B, T, C), weight (O, C / groups, width), [bias] (O,)."""

    stride: int = 1
    dilation: int = 1
    groups: int = 1
    padding: Literal["valid", "same", "causal"] | tuple[int, int] = "valid"


@dataclass(frozen=True)
class Pooling(Kind):
    """The mean or the largest of neighbouring steps of x (B, T, C)."""

    mode: Literal["mean", "max"]
    size: int
    stride: int


@dataclass(frozen=True)
class GlobalPooling(Kind):
    """The mean or the largest of all steps of x (B, T, C), the mean of those that [mask] allows."""

    mode: Literal["mean", "max"]
    keep_axis: bool = False


@dataclass(frozen=True)
class Attention(Kind):
    """What the query takes from the values.

    Inputs: query (B, T, E); value (B, S, E); [key] (B, S, E), otherwise the value; [query_mask] (B, T), where
    False the output is zero; [mask] (B, S), True where a value may be attended to.
    Outputs: output (B, T, E); weights (B, T, S).
    Weights: [scale], () for dot scores and (E,) for additive ones.
    """

    score: Literal["dot", "additive"]
    causal: bool = False


@dataclass(frozen=True)
class Merge(Kind):
    """Elementwise, of x0, x1 and so on."""

    mode: Literal["add", "multiply", "subtract", "average", "maximum", "minimum", "divide"]


@dataclass(frozen=True)
class Concatenate(Kind):
    """x0, x1 and so on, along an axis."""

    axis: int = -1


@dataclass(frozen=True)
class Product(Kind):
    """The batched matrix product x0 @ x1."""


@dataclass(frozen=True)
class Stack(Kind):
    """x0, x1 and so on, along a new axis."""

    axis: int


@dataclass(frozen=True)
class Scaled(Kind):
    """x * factor + offset."""

    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Select(Kind):
    """One place on an axis, which goes."""

    axis: int
    index: int


@dataclass(frozen=True)
class Slice(Kind):
    """Some places on an axis."""

    axis: int
    start: int | None = None
    stop: int | None = None
    step: int | None = None


@dataclass(frozen=True)
class Flip(Kind):
    """An axis turned round."""

    axis: int = 1


@dataclass(frozen=True)
class Transpose(Kind):
    """The axes in another order, the batch among them."""

    axes: tuple[int, ...]


@dataclass(frozen=True)
class Reshape(Kind):
    """Another shape of each row; one place may be -1."""

    shape: tuple[int, ...]


@dataclass(frozen=True)
class Repeat(Kind):
    """x (B, C) said `times` times: (B, times, C)."""

    times: int


@dataclass(frozen=True)
class Unsqueeze(Kind):
    """A new axis of one place."""

    axis: int


@dataclass(frozen=True)
class Squeeze(Kind):
    """An axis of one place, gone."""

    axis: int


@dataclass(frozen=True)
class Reduce(Kind):
    """The sum, mean or largest along an axis."""

    mode: Literal["sum", "mean", "max"]
    axis: int
    keep_axis: bool = False


@dataclass(frozen=True)
class Dropout(Kind):
    """Nothing, but in training."""

    rate: float = field(default=0.0)


@dataclass(frozen=True)
class NotEqual(Kind):
    """True where x is not the value."""

    value: float = 0.0


@dataclass(frozen=True)
class Quantified(Kind):
    """Whether any, or every one, of x is True along an axis."""

    mode: Literal["any", "all"]
    axis: int = -1
    keep_axis: bool = False


@dataclass(frozen=True)
class MaskOfLengths(Kind):
    """True at the first steps of each row of x (B, T, ...), as many as lengths (B,) say."""


@dataclass(frozen=True)
class Masks(Kind):
    """True where any, or every one, of x0, x1 and so on is."""

    mode: Literal["any", "all"]


@dataclass(frozen=True)
class Filled(Kind):
    """x, with a value wherever mask, of as many axes or broadcast to them, is True."""

    value: float


@dataclass(frozen=True)
class Masked(Kind):
    """x (B, T, C), with zeros where mask (B, T) is False."""
