# %% learn
model = new_model(attention="additive")
losses = learn(model, steps=80)
print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")

# %% greedy
from diptych.data.tokens.batches import source_batch
from diptych.data.tokens.vocabulary import BOS, EOS
from diptych.pytorch import Stepper

stepper = Stepper(model)


def predict(sentence, longest=12):
    """The most probable word, read again, until <eos>."""
    words = english.vocabulary.encode(sentence.split())
    state = stepper.start(*source_batch([words]))
    word, said = BOS, []
    while word != EOS and len(said) < longest:
        table, _, state = stepper.step(state, np.array([word], np.int32))
        word = int(table[0].argmax())
        said.append(word)
    return " ".join(korean.vocabulary.decode(said))


print(predict("I feel hungry"))

# %% four
for sentence, right in PAIRS:
    said = predict(sentence).removesuffix(" <eos>")
    print("right" if said == right else "wrong", sentence, "->", said)

# %% unknown
print(predict("I feel fast"))
print(predict("I feel sleepy"))
