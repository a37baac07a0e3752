"""Parts of written PyTorch modules: masked running, and cells without a stock form."""

from __future__ import annotations

from diptych.convert.kinds import Function, Recurrent

RUN_MASKED = '''
def run_masked(rnn, x, mask, state=None, zero_masked=False):
    """Run a stock recurrent layer over the steps whose mask is True, wherever they are.

    A masked step leaves the state as it is. Its output is zero, or that of the step before it (in the backward
    direction: after it), and zero where there is none.

    Args:
        rnn: nn.LSTM, nn.GRU or nn.RNN, batch_first, of one layer.
        x: (B, T, I).
        mask: (B, T), boolean.
        state: h0, or (h0, c0), each (directions, B, H); None for zeros.
        zero_masked: whether masked outputs are zero.

    Returns:
        The outputs (B, T, directions * H) and the final state.
    """
    real = mask.sum(1)
    order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)  # the real steps first, in their order
    gathered = x.gather(1, order[:, :, None].expand_as(x))
    packed = pack_padded_sequence(gathered, real.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
    packed_outputs, final = rnn(packed, state)
    outputs, _ = pad_packed_sequence(packed_outputs, batch_first=True, total_length=x.size(1))
    # Where each step finds its output among the real ones: at itself or before it; backward, at itself or after it.
    places = [mask.cumsum(1) - 1, mask.cumsum(1) - mask.long()]
    spread = []
    for output, place in zip(outputs.chunk(2 if rnn.bidirectional else 1, dim=2), places):
        there = (place >= 0) & (place < real[:, None])
        there = there & mask if zero_masked else there
        found = output.gather(1, place.clamp(0, x.size(1) - 1)[:, :, None].expand(-1, -1, output.size(2)))
        spread.append(torch.where(there[:, :, None], found, 0.0))
    # A row without a real step ends in the state that it started from.
    single = torch.is_tensor(final)
    finals = (final,) if single else final
    starts = [None] * len(finals) if state is None else [state] if single else state
    finals = [
        torch.where((real > 0)[None, :, None], end, 0.0 if start is None else start)
        for end, start in zip(finals, starts)
    ]
    return torch.cat(spread, dim=2), finals[0] if single else tuple(finals)
'''

FUNCTIONS = {
    "linear": "{x}",
    "tanh": "torch.tanh({x})",
    "sigmoid": "torch.sigmoid({x})",
    "hard_sigmoid_keras_2": "(0.2 * {x} + 0.5).clamp(0, 1)",
    # Not F.hardsigmoid: its gradient is a float32's sixth, in float64 too.
    "hard_sigmoid": "({x} / 6 + 0.5).clamp(0, 1)",
    "relu": "F.relu({x})",
    "relu6": "F.relu6({x})",
    "leaky_relu": "F.leaky_relu({x}, {parameter})",
    "elu": "F.elu({x}, {parameter})",
    "selu": "F.selu({x})",
    "softsign": "F.softsign({x})",
    "softplus": "F.softplus({x}, threshold=1000)",
    "silu": "F.silu({x})",
    "exponential": "torch.exp({x})",
    "softmax": "F.softmax({x}, dim={axis})",
    "log_softmax": "F.log_softmax({x}, dim={axis})",
}
"""Each activation of the judge, as PyTorch writes it."""


def applied(function: Function, x: str, axis: int = -1) -> str:
    """An activation of a variable."""
    return FUNCTIONS[function.name].format(x=x, parameter=function.parameter, axis=axis)


def is_stock(kind: Recurrent, weights: set[str]) -> bool:
    """Whether nn.LSTM, nn.GRU or nn.RNN computes it."""
    if kind.cell == "rnn":
        return kind.activation.name in ("tanh", "relu")
    plain = kind.activation.name == "tanh" and kind.gate.name == "sigmoid"
    whole = kind.reset_after and kind.cell_clip is None and kind.projection_clip is None
    return plain and whole and not any(name.startswith("peephole") for name in weights)


def cell_class(kind: Recurrent, weights: set[str]) -> tuple[str, str]:
    """The name and the text of a class that runs one direction of a cell step by step."""
    gates = len(kind.gates)
    names = [name for name in ORDER if name in weights]
    parts = [*([] if kind.reset_after else ["ResetBefore"]), *(["Peephole"] if "peephole_i" in weights else [])]
    parts += ["Clipped"] if kind.cell_clip is not None or kind.projection_clip is not None else []
    parts += [function.name.title().replace("_", "") for function, stock in
              ((kind.activation, "tanh"), (kind.gate, "sigmoid")) if function.name != stock]  # fmt: skip
    name = "".join(parts) + {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}[kind.cell]
    sizes = {
        "weight_ih": f"{gates} * hidden_size, input_size",
        "weight_hh": f"{gates} * hidden_size, {'output_size' if 'weight_hr' in weights else 'hidden_size'}",
        "weight_hr": "output_size, hidden_size",
    } | dict.fromkeys(("bias_ih", "bias_hh"), f"{gates} * hidden_size")
    output = "output_size" if "weight_hr" in weights else "hidden_size"
    lines = [
        f"class {name}(nn.Module):",
        f'    """{_sentence(kind, weights)}"""',
        "",
        f"    def __init__(self, input_size, hidden_size{', output_size' if 'weight_hr' in weights else ''}):",
        "        super().__init__()",
        f"        self.state_sizes = ({output}{', hidden_size' if kind.cell == 'lstm' else ''},)",
        *(f"        self.{w} = nn.Parameter(torch.zeros({sizes.get(w, 'hidden_size')}))" for w in names),
        "",
        "    def step(self, x, state):",
        *(f"        {line}" for line in _step(kind, weights)),
        "",
        *FORWARD.splitlines(),
    ]
    return name, "\n".join(lines)


ORDER = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr", "peephole_i", "peephole_f", "peephole_o")
FORWARD = '''\
    def forward(self, x, mask=None, state=None, zero_masked=False):
        """The outputs of every step of x (B, T, I), and the final state; mask (B, T), states (B, H)."""
        state = state or tuple(x.new_zeros(x.size(0), size) for size in self.state_sizes)
        before = x.new_zeros(x.size(0), self.state_sizes[0])
        outputs = []
        for time in range(x.size(1)):
            output, new_state = self.step(x[:, time], state)
            if mask is not None:
                real = mask[:, time, None]
                new_state = tuple(torch.where(real, new, old) for new, old in zip(new_state, state))
                output = torch.where(real, output, 0.0 if zero_masked else before)
            outputs.append(output)
            before, state = output, new_state
        return torch.stack(outputs, dim=1), state'''


def _sentence(kind: Recurrent, weights: set[str]) -> str:
    if kind.cell == "gru" and not kind.reset_after:
        return "A GRU that resets the state before the product, n = f(W x + b + U (r * h)); nn.GRU resets after it."
    stock = {"lstm": "nn.LSTM", "gru": "nn.GRU", "rnn": "nn.RNN"}[kind.cell]
    return f"One direction of a layer that {stock} cannot compute: it has fixed activations, no clip and no peepholes."


def _step(kind: Recurrent, weights: set[str]) -> list[str]:
    def bias(name: str) -> str:
        return f"self.{name}" if name in weights else "None"

    given = f"F.linear(x, self.weight_ih, {bias('bias_ih')})"
    whole = f"{given} + F.linear(h, self.weight_hh, {bias('bias_hh')})"
    if kind.cell == "rnn":
        return ["(h,) = state", f"h = {applied(kind.activation, f'({whole})')}", "return h, (h,)"]
    if kind.cell == "gru":
        two_biases = "bias_hh" in weights
        lines = [
            "(h,) = state",
            f"x_r, x_z, x_n = {given}.chunk(3, dim=1)",
            "u_r, u_z, u_n = self.weight_hh.chunk(3)",
            *(["b_r, b_z, b_n = self.bias_hh.chunk(3)"] if two_biases else []),
            f"r = {applied(kind.gate, f'(x_r + F.linear(h, u_r{BIAS_R[two_biases]}))')}",
            f"z = {applied(kind.gate, f'(x_z + F.linear(h, u_z{BIAS_Z[two_biases]}))')}",
        ]
        inner = (
            f"r * F.linear(h, u_n{BIAS_N[two_biases]})"
            if kind.reset_after
            else f"F.linear(r * h, u_n{BIAS_N[two_biases]})"
        )
        return [
            *lines,
            f"n = {applied(kind.activation, f'(x_n + {inner})')}",
            "h = (1 - z) * n + z * h",
            "return h, (h,)",
        ]
    peep = {gate: f" + self.peephole_{gate} * c" if f"peephole_{gate}" in weights else "" for gate in "ifo"}
    lines = [
        "h, c = state",
        f"i, f, g, o = ({whole}).chunk(4, dim=1)",
        f"i = {applied(kind.gate, _wrapped('i', peep['i']))}",
        f"f = {applied(kind.gate, _wrapped('f', peep['f']))}",
        f"c = f * c + i * {applied(kind.activation, 'g')}",
    ]
    if kind.cell_clip is not None:
        lines.append(f"c = c.clamp(-{kind.cell_clip}, {kind.cell_clip})")
    lines.append(f"h = {applied(kind.gate, _wrapped('o', peep['o']))} * {applied(kind.activation, 'c')}")
    if "weight_hr" in weights:
        lines.append("h = F.linear(h, self.weight_hr)")
        if kind.projection_clip is not None:
            lines.append(f"h = h.clamp(-{kind.projection_clip}, {kind.projection_clip})")
    return [*lines, "return h, (h, c)"]


BIAS_R, BIAS_Z, BIAS_N = ({False: "", True: f", b_{gate}"} for gate in "rzn")


def _wrapped(gate: str, addition: str) -> str:
    return f"({gate}{addition})" if addition else gate
