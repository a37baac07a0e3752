"""The structures of the best-known tutorials for translation, one step and whole, certified to the other framework.

Whole means with the target given (teacher forcing), over as many steps as the example has. A loop that goes on with the
word that it has just chosen, as the tutorials have one too, is no graph and refused.
"""

from __future__ import annotations

import numpy as np
import pytest

from diptych.errors import RefusalError

pytestmark = pytest.mark.usefixtures("both_frameworks")
torch = pytest.importorskip("torch", reason="not installed: pytorch")
nn, F = torch.nn, torch.nn.functional
HIDDEN, WORDS, STEPS = 4, 7, 3


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.dropout = nn.Embedding(WORDS, HIDDEN), nn.Dropout(0.1)
        self.gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True)

    def forward(self, words):
        return self.gru(self.dropout(self.embedding(words)))


class Bahdanau(nn.Module):
    """The PyTorch tutorial's decoder: additive attention before the step."""

    def __init__(self):
        super().__init__()
        self.embedding, self.out = nn.Embedding(WORDS, HIDDEN), nn.Linear(HIDDEN, WORDS)
        self.query, self.key, self.score = (nn.Linear(HIDDEN, size) for size in (HIDDEN, HIDDEN, 1))
        self.gru = nn.GRU(2 * HIDDEN, HIDDEN, batch_first=True)

    def forward(self, word, hidden, memory):
        scores = self.score(torch.tanh(self.query(hidden.permute(1, 0, 2)) + self.key(memory)))
        weights = F.softmax(scores.squeeze(2).unsqueeze(1), dim=-1)
        given = torch.cat((self.embedding(word), torch.bmm(weights, memory)), dim=2)
        output, hidden = self.gru(given, hidden)
        return self.out(output), hidden, weights


class Translator(nn.Module):
    def __init__(self, chooses=False, gives_states=True):
        super().__init__()
        self.encoder, self.decoder, self.chooses = Encoder(), Bahdanau(), chooses
        self.gives_states = gives_states

    def forward(self, source, target):
        memory, hidden = self.encoder(source)
        word, outputs = target[:, 0].unsqueeze(1), []
        for step in range(STEPS):
            output, hidden, _ = self.decoder(word, hidden, memory)
            outputs.append(output)
            word = output.topk(1)[1].squeeze(-1) if self.chooses else target[:, step].unsqueeze(1)
        scores = F.log_softmax(torch.cat(outputs, dim=1), dim=-1)
        return (scores, hidden) if self.gives_states else scores


class Luong(nn.Module):
    """The chatbot tutorial's decoder: time first, two layers, attention after the step."""

    def __init__(self):
        super().__init__()
        self.embedding, self.gru = nn.Embedding(WORDS, HIDDEN), nn.GRU(HIDDEN, HIDDEN, 2, dropout=0.1)
        self.attention, self.concat = nn.Linear(HIDDEN, HIDDEN), nn.Linear(2 * HIDDEN, HIDDEN)
        self.out = nn.Linear(HIDDEN, WORDS)

    def forward(self, word, hidden, memory):
        output, hidden = self.gru(self.embedding(word), hidden)
        weights = F.softmax(torch.sum(output * self.attention(memory), dim=2).t(), dim=1).unsqueeze(1)
        context = weights.bmm(memory.transpose(0, 1)).squeeze(1)
        joined = torch.tanh(self.concat(torch.cat((output.squeeze(0), context), 1)))
        return F.softmax(self.out(joined), dim=1), hidden


def words(*shape):
    return torch.zeros(shape, dtype=torch.long)


MODULES = {
    "Bahdanau, one step": (Bahdanau, (words(2, 1), torch.zeros(1, 2, HIDDEN), torch.zeros(2, 5, HIDDEN))),
    "Bahdanau, whole": (Translator, (words(2, 5), words(2, STEPS))),
    "Bahdanau, its scores alone": (lambda: Translator(gives_states=False), (words(2, 5), words(2, STEPS))),
    "Luong, one step": (Luong, (words(1, 2), torch.zeros(2, 2, HIDDEN), torch.zeros(5, 2, HIDDEN))),
}


@pytest.mark.parametrize("name", MODULES)
def test_of_pytorch(name):
    from diptych.convert.live import to_keras

    make, inputs = MODULES[name]
    torch.manual_seed(0)
    assert all(check["holds"] for check in to_keras(make(), inputs).certificate["checks"])


def test_a_loop_that_goes_on_with_its_own_words_is_refused():
    from diptych.convert.live import to_keras

    with pytest.raises(RefusalError, match="topk is not converted"):
        to_keras(Translator(chooses=True), MODULES["Bahdanau, whole"][1])


@pytest.mark.parametrize("steps", [1, STEPS])
def test_of_tensorflow(steps):
    """Its decoder asks with the state of the step before; the one that is copied most forgets it (see differences)."""
    from diptych import panel
    from diptych.convert.live import to_pytorch

    panel.load("tensorflow")
    import keras
    from keras import layers, ops

    source, target = keras.Input((5,), dtype="int32"), keras.Input((steps,), dtype="int32")
    first, second, score = (layers.Dense(size) for size in (HIDDEN, HIDDEN, 1))
    embedding, gru = layers.Embedding(WORDS, HIDDEN), layers.GRU(HIDDEN, return_sequences=True, return_state=True)
    out = layers.Dense(WORDS)
    if steps == 1:
        memory, state = keras.Input((5, HIDDEN)), keras.Input((HIDDEN,))
        inputs = [target, state, memory]
    else:
        encoder = layers.GRU(HIDDEN, return_sequences=True, return_state=True)
        memory, state = encoder(layers.Embedding(WORDS, HIDDEN)(source))
        inputs = [source, target]
    outputs = []
    for step in range(steps):
        scores = score(ops.tanh(first(ops.expand_dims(state, 1)) + second(memory)))
        context = ops.sum(ops.softmax(scores, axis=1) * memory, axis=1)
        given = ops.concatenate([ops.expand_dims(context, 1), embedding(target[:, step : step + 1])], axis=-1)
        output, state = gru(given, initial_state=state)
        outputs.append(out(output))
    whole = outputs[0] if steps == 1 else ops.concatenate(outputs, axis=1)
    model = keras.Model(inputs, [whole, state])
    draw = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(draw.normal(0, 0.6, weight.shape))
    assert all(check["holds"] for check in to_pytorch(model).certificate["checks"])
