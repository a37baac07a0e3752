# %% layer
model = new_model()
embedded = model.source_embedding(source)
memory, states = model.encoder(embedded, lengths, {})
last = states[0][0]
print("source   (B, S)   ", shape(source))
print("embedded (B, S, E)", shape(embedded))
print("memory   (B, S, H)", shape(memory))
print("state    (B, H)   ", shape(last))
print("'I' is read as", numbers(memory)[0, 0, :3].round(8), "...")

# %% padding
sentence = model.source_embedding(source[:1, :3])
alone, _ = model.encoder(sentence, lengths[:1], {})
print("alone, or padded in a batch: gap", gap(alone, memory[:1, :3]))
print("after the sentence has ended:", numbers(memory)[0, 3, :3])

# %% stock
import torch
import stock_pytorch as stock
from hinge_pytorch import give_encoder

from diptych.pytorch import export_parameters

torch.set_default_dtype(torch.float64)
encoder = stock.Encoder(SIZES[0], embedding=8, units=16)
encoder(source)  # PyTorch has had its weights all along
give_encoder(encoder, export_parameters(model))
outputs, state = encoder(source)
words = numbers(lengths)
real = np.arange(7) < words[:, None]
apart = np.abs(numbers(outputs) - numbers(memory)).max(axis=-1)
print("stock and Diptych, last state: gap", gap(state, last))
print("outputs at real words equal to 1e-15:", bool(apart[real].max() < 1e-15))
print(f"outputs at padding: gap {apart[~real].max():.2f}")

# %% slip
unmasked = encoder.gru(encoder.embedding(source))[1]
unmasked = numbers(unmasked).reshape(4, 16)
apart = np.abs(unmasked - numbers(last)).max(axis=-1)
for (sentence, _), distance in zip(PAIRS, apart):
    print(f"{distance:.3f}  {sentence}")
