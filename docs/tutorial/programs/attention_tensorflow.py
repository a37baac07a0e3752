# %% additive
model = new_model(attention="additive")
attention, mask = model.decoder.attention, source != PAD
memory, states = model.read(source, lengths)
keys = attention.keys(memory)  # once for each sentence
query = attention.queries(states[0][0])[:, None]  # one step
context, weights = attention(query, keys, memory, mask)
print("weights (B, 1, S)", shape(weights))
print("context (B, 1, H)", shape(context))
for word, weight in zip("I feel hungry".split(), numbers(weights)[0, 0]):
    print(f"  {weight:.6f}  {word}")
print("  beside them, at padding:", numbers(weights)[0, 0, 3:].sum())

# %% general
model = new_model(attention="general")
attention = model.decoder.attention
memory, states = model.read(source, lengths)
keys = attention.keys(memory)  # W m for each word of the memory
query = attention.queries(states[0][0])[:, None]  # the state itself
context, weights = attention(query, keys, memory, mask)
for word, weight in zip("I feel hungry".split(), numbers(weights)[0, 0]):
    print(f"  {weight:.6f}  {word}")

# %% whole
seen, first = model.encode(source, lengths)
embedded = model.embed_target(target_input)
whole, weights = model.decoder(embedded, first, seen, {})
state, steps = first, []
for t in range(target_input.shape[1]):
    _, looked, state = model.decoder.step(embedded[:, t], state, seen, {})
    steps.append(looked)
print("weights of all steps (B, T, S)", shape(weights))
print("whole, or step by step: gap", gap(tf.stack(steps, axis=1), weights))

# %% stock
import keras
import stock_tensorflow as stock
from hinge_tensorflow import give_decoder

from diptych.tensorflow import export_parameters

keras.config.set_floatx("float64")
for kind in ("additive", "general"):
    model = new_model(attention=kind)
    right, _ = model(source, lengths, target_input)
    seen, first = model.encode(source, lengths)
    decoder = stock.Decoder(SIZES[1], kind, embedding=8, units=16)
    state = first.layers[0][0]
    decoder(target_input[:, 0], state, seen.memory, mask)
    give_decoder(decoder, export_parameters(model))
    for t in range(target_input.shape[1]):
        logits, state, _ = decoder(target_input[:, t], state, seen.memory, mask)
    print(f"{kind:8s} after the last step: gap", gap(logits, right[:, -1]))

# %% slip
class Forgetful(stock.Decoder):
    """The decoder as it is often copied: its cell begins each step anew."""

    def call(self, word, state, memory, mask):
        return super().call(word, state * 0.0, memory, mask)


sentences = tf.concat([target_input[:, :1], target_output], axis=1)
for kind in (stock.Decoder, Forgetful):
    keras.utils.set_random_seed(1)
    encoder, decoder = stock.Encoder(SIZES[0]), kind(SIZES[1])
    memory, state = encoder(source)
    decoder(sentences[:, 0], state, memory, mask)
    print(kind.__name__)
    stock.train(encoder, decoder, source, sentences, steps=40)
