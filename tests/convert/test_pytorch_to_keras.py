"""PyTorch modules become Keras models that give the same numbers, or are refused with the reason.

`to_keras` certifies what it makes, so a model that comes back has passed.
"""

from __future__ import annotations

import numpy as np
import pytest

from diptych.errors import RefusalError

pytestmark = pytest.mark.usefixtures("both_frameworks")
torch = pytest.importorskip("torch", reason="not installed: pytorch")
nn, rnn = torch.nn, torch.nn.utils.rnn


class Packed(nn.Module):
    """A stack of bidirectional layers over a packed sequence; its last hidden states, its outputs, its cells."""

    def __init__(self, layer=nn.LSTM):
        super().__init__()
        self.embedding = nn.Embedding(9, 4)
        self.encoder = layer(4, 5, num_layers=2, bidirectional=True, batch_first=True, dropout=0.3)
        self.dense = nn.Linear(10, 3)

    def forward(self, ids, lengths):
        packed = rnn.pack_padded_sequence(self.embedding(ids), lengths, batch_first=True)
        outputs, state = self.encoder(packed)
        hidden = state[0] if isinstance(self.encoder, nn.LSTM) else state
        outputs, _ = rnn.pad_packed_sequence(outputs, batch_first=True)
        return self.dense(torch.cat((hidden[-2], hidden[-1]), dim=1)), self.dense(outputs)


class TimeFirst(nn.Module):
    """Time before batch, an initial state, a plain layer with relu and no bias."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 5, num_layers=2)
        self.plain = nn.RNN(5, 4, nonlinearity="relu", bias=False)
        self.dense = nn.Linear(4, 2)

    def forward(self, x, h0):
        outputs, hidden = self.gru(x, h0)
        outputs, _ = self.plain(torch.tanh(outputs))
        return torch.log_softmax(self.dense(outputs[-1]), dim=-1), hidden[-1]


class DecoderStep(nn.Module):
    """One step of a decoder with Luong's attention, states in and out."""

    def __init__(self):
        super().__init__()
        self.embedding, self.cell = nn.Embedding(9, 4), nn.LSTMCell(4, 5)
        self.score, self.dense = nn.Linear(5, 5, bias=False), nn.Linear(10, 9)

    def forward(self, token, h, c, memory):
        h, c = self.cell(self.embedding(token), (h, c))
        weights = torch.softmax(torch.bmm(memory, self.score(h).unsqueeze(2)).squeeze(2), dim=1)
        context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        return self.dense(torch.cat([h, context], dim=1)), h, c, weights


class Projected(nn.Module):
    """proj_size, normalisations and a convolution."""

    def __init__(self):
        super().__init__()
        self.lstm, self.norm = nn.LSTM(3, 5, proj_size=2, batch_first=True, bidirectional=True), nn.LayerNorm(4)
        self.convolution, self.batch = nn.Conv1d(4, 4, 3, padding=1), nn.BatchNorm1d(4)

    def forward(self, x):
        outputs, _ = self.lstm(x)
        outputs = self.convolution(self.norm(outputs).transpose(1, 2))
        outputs = torch.relu(self.batch(outputs)).transpose(1, 2)
        return outputs.mean(dim=1), outputs.max(1)[0] * 2 + 1, outputs.reshape(outputs.size(0), -1)


class Heads(nn.Module):
    """Attention of several heads, of a query to another sequence and to itself, time first."""

    def __init__(self):
        super().__init__()
        self.first = nn.MultiheadAttention(4, 2, batch_first=True, kdim=3, vdim=3)
        self.second = nn.MultiheadAttention(4, 2, bias=False)

    def forward(self, x, memory):
        x, weights = self.first(x, memory, memory)
        turned = x.transpose(0, 1)
        return self.second(turned, turned, turned, need_weights=False)[0], weights


class FromZeros(nn.Module):
    """First states as tutorials make them, an embedding with a row that is not trained, outputs within outputs."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 4, padding_idx=0, sparse=True)
        self.lstm = nn.LSTM(4, 5, num_layers=2, batch_first=True)

    def forward(self, ids):
        h = torch.zeros(self.lstm.num_layers, ids.size(0), self.lstm.hidden_size).to(ids.device)
        outputs, states = self.lstm(self.embedding(ids), (h, h))
        return outputs[:, -1], states


STEP = (torch.zeros(2, dtype=torch.long), torch.zeros(2, 5), torch.zeros(2, 5), torch.zeros(2, 6, 5))
MODULES = {
    "packed LSTM": (Packed, None),
    "packed GRU": (lambda: Packed(nn.GRU), None),
    "time first": (TimeFirst, None),
    "a step of a decoder": (DecoderStep, STEP),
    "a projection, normalisations, a convolution": (Projected, None),
    "channels first": (
        lambda: nn.Sequential(nn.BatchNorm1d(3), nn.Conv1d(3, 4, 3), nn.ReLU(), nn.BatchNorm1d(4)),
        (torch.zeros(2, 3, 9),),
    ),
    "states from zeros": (FromZeros, None),
    "heads": (Heads, (torch.zeros(2, 5, 4), torch.zeros(2, 6, 3))),
}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_certified(name):
    from diptych.convert.live import to_keras

    make, inputs = MODULES[name]
    torch.manual_seed(0)
    module = make()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    model = to_keras(module, inputs)
    assert all(check["holds"] for check in model.certificate["checks"])
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert "import diptych" not in model.code


def test_a_written_program_reads_back_as_the_same_weights():
    """PyTorch to Keras to PyTorch: a GRU keeps both biases, so every weight comes back as it was."""
    from diptych import panel
    from diptych.convert.live import keras_weights, state_dict

    panel.load("tensorflow")
    import keras

    module = nn.GRU(3, 4, bidirectional=True)
    layer = keras.layers.Bidirectional(keras.layers.GRU(4, return_sequences=True))
    layer.build((None, 5, 3))
    layer.set_weights(keras_weights(module))
    back = state_dict(layer)
    assert set(back) == set(module.state_dict())
    assert all(torch.equal(value, module.state_dict()[name]) for name, value in back.items())


def test_two_biases_become_their_sum():
    from diptych.convert.live import keras_weights

    module = nn.LSTM(3, 4)
    kernel, recurrent, bias = keras_weights(module)
    assert (kernel.shape, recurrent.shape, bias.dtype) == ((3, 16), (4, 16), np.float32)
    assert np.allclose(bias, (module.bias_ih_l0 + module.bias_hh_l0).detach().numpy(), atol=1e-7)


class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class Typed(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 4, batch_first=True)

    def forward(self, x):
        return self.gru(x, torch.zeros(1, x.size(0), 4, dtype=torch.float32))[0]


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2)

    def forward(self, x):
        return self.layer(x)


class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(4, 2)

    def forward(self, x, mask):
        return self.attention(x, x, x, attn_mask=mask)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Branching(), "torch.fx cannot trace"),
        (Transformer(), "layer: a layer of class 'TransformerEncoderLayer' cannot be converted"),
        (nn.Sequential(nn.Embedding(4, 3, max_norm=1.0)), "max_norm = 1.0"),
        (nn.Sequential(nn.Embedding(4, 3, scale_grad_by_freq=True)), "scale_grad_by_freq = True"),
        (nn.Sequential(nn.Linear(4, 3)).half(), "0.weight is float16: the class computes in half precision"),
        (Typed(), "Typed cannot be run beside what is written, in float64"),
        (Masked(), "attn_mask is not converted"),
        (DecoderStep(), "shape of the input 'memory' is not known"),
    ],
)
def test_what_cannot_be_exact_is_refused_by_name(module, message):
    from diptych.convert.live import to_keras

    with pytest.raises(RefusalError, match=message):
        to_keras(module)


def test_a_projection_and_a_stack_have_no_single_layer():
    from diptych.convert.live import keras_weights

    with pytest.raises(RefusalError, match="proj_size"):
        keras_weights(nn.LSTM(3, 4, proj_size=2))
    with pytest.raises(RefusalError, match="got 2"):
        keras_weights(nn.GRU(3, 4, num_layers=2))
