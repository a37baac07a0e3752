# %% digest
from diptych.parameters.digest import digest
from diptych.pytorch import export_parameters

model = new_model(attention="additive")
losses = learn(model, steps=300, precision="exact")
print(f"loss {losses[0]:.12f} -> {losses[-1]:.12f}")
print("SHA-256 of all weights", digest(export_parameters(model))[:32])

# %% float
import json
from pathlib import Path

found = {"exact": losses}
found["float64"] = learn(new_model(attention="additive"), 300)
single = Model(model.config, *SIZES, precision="float32")
load_parameters(single, initial_parameters(model.config, *SIZES, seed=1))
found["float32"] = learn(single, 300, "float32")
Path("pytorch.losses.json").write_text(json.dumps(found))
for precision, values in found.items():
    print(f"{precision:8s} loss after 300 steps {values[-1]:.12f}")

# %% speed
import time

import stock_pytorch as stock
from diptych.data.builtin.builtin import phrasebook

pairs = phrasebook(1, 64)
words = [Vocabulary.build(line.split() for line in side) for side in zip(*pairs)]
sides = [Language(WordTokenizer(), each) for each in words]
many = collate(encode_pairs(pairs, *sides), np.arange(64))
sizes = [len(each) for each in words]
wide = {"embedding_size": 96, "encoder_size": 192, "decoder_size": 192}
config = CONFIG.model_copy(update=wide)


def speed(step, tokens, times=10):
    """Target words a second, the first call not counted."""
    step()
    begun = time.perf_counter()
    for _ in range(times):
        step()
    return tokens * times / (time.perf_counter() - begun)


model = Model(config, *sizes)
load_parameters(model, initial_parameters(config, *sizes, seed=1))
training = TrainingStep(model, TrainingConfig())
one = collate(encode_pairs(pairs, *sides), np.arange(1))
sixty_four = speed(lambda: training.step(many, {}, 0.001), many.target_tokens)
single = speed(lambda: training.step(one, {}, 0.001), one.target_tokens)
print(f"64 sentences at once: {sixty_four:8,.0f} words a second")
print(f"one at a time:        {single:8,.0f} words a second")

# %% eager
encoder = stock.Encoder(sizes[0], 96, 192)
decoder = stock.Decoder(sizes[1], "additive", 96, 192)
sentences = np.c_[many.target_input[:, :1], many.target_output].astype(int)
inputs = torch.from_numpy(many.source), torch.from_numpy(sentences)
stock.loss_of(encoder, decoder, *inputs)
weights = [*encoder.parameters(), *decoder.parameters()]
optimizer = torch.optim.Adam(weights, 0.001)


def eager():
    """One step as Python says it, operation by operation."""
    optimizer.zero_grad()
    loss = stock.loss_of(encoder, decoder, *inputs)
    loss.backward()
    optimizer.step()


print(f"stock loop, eager:    {speed(eager, many.target_tokens, 5):8,.0f} words a second")
graph = None  # PyTorch needs none
print("in a graph: PyTorch takes each operation as it comes")
