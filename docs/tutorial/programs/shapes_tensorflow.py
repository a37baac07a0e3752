# %% device
devices = [each.name for each in tf.config.list_logical_devices()]
print(devices, source.device.split("/")[-1])

# %% shapes
def walk(**choices):
    """Each tensor on the way, from words to logits."""
    model = new_model(**choices)
    memory, states = model.read(source, lengths)
    seen, first = model.encode(source, lengths)
    embedded = model.embed_target(target_input)
    features, weights = model.decoder(embedded, first, seen, {})
    logits = model.project(features)
    named = [
        ("source", source, "B, S"),
        ("memory", memory, "B, S, M"),
        ("encoder's state", states[0][0], "B, M"),
        ("decoder's state", first.layers[0][0], "B, H"),
        ("target_input", target_input, "B, T"),
        ("embedded", embedded, "B, T, E"),
        ("attention", weights, "B, T, S"),
        ("features", features, "B, T, F"),
        ("logits", logits, "B, T, V"),
    ]
    for name, tensor, letters in named:
        print(f"{name:16s} ({letters:7s}) = {shape(tensor)}")


walk(attention="additive")

# %% both
walk(attention="general", bidirectional=True, decoder_size=24, bridge="dense")

# %% stock
import stock_tensorflow as stock

encoder, decoder = stock.Encoder(SIZES[0]), stock.Decoder(SIZES[1])
memory, state = encoder(source)
logits, state, weights = decoder(target_input[:, 0], state, memory, source != PAD)
print("memory", shape(memory), "state", shape(state))
print("logits", shape(logits), "attention", shape(weights))
counted = encoder.count_params() + decoder.count_params()
print(counted, "numbers to learn")
