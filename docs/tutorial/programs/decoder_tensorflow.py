# %% step
model = new_model(attention="none")
seen, first = model.encode(source, lengths)
word = model.embed_target(target_input[:, 0])
features, _, after = model.decoder.step(word, first, seen, {})
logits = model.project(features)
print("word     (B, E)", shape(word))
print("state    (B, H)", shape(after.layers[0][0]))
print("logits   (B, V)", shape(logits))
print("'I feel hungry' after <bos>:", numbers(logits)[0, 4:7].round(8), "...")

# %% whole
embedded = model.embed_target(target_input)
whole, _ = model.decoder(embedded, first, seen, {})
state, steps = first, []
for t in range(target_input.shape[1]):
    features, _, state = model.decoder.step(embedded[:, t], state, seen, {})
    steps.append(features)
print("all words at once (B, T, F)", shape(whole))
print("whole, or step by step: gap", gap(tf.stack(steps, axis=1), whole))

# %% stock
import keras
import stock_tensorflow as stock
from hinge_tensorflow import give_decoder

from diptych.tensorflow import export_parameters

keras.config.set_floatx("float64")
decoder = stock.Decoder(SIZES[1], "none", embedding=8, units=16)
state, mask = first.layers[0][0], source != PAD
decoder(target_input[:, 0], state, seen.memory, mask)
give_decoder(decoder, export_parameters(model))
for t in range(3):
    logits, state, _ = decoder(target_input[:, t], state, seen.memory, mask)
    print(f"step {t + 1}: gap", gap(logits, model.project(whole[:, t])))

# %% slip
forgotten = first.layers[0][0] * 0.0
for t in range(3):
    logits, _, _ = decoder(target_input[:, t], forgotten, seen.memory, mask)
    right = numbers(model.project(whole[:, t]))
    print(f"step {t + 1}, state forgotten: {np.abs(numbers(logits) - right).max():.2f}")
