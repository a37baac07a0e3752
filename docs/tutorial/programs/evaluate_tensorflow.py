# %% evaluate
from diptych.data.tokens.batches import source_batch
from diptych.data.tokens.vocabulary import BOS, EOS
from diptych.tensorflow import Stepper

model = new_model(attention="additive")
learn(model, steps=80)
stepper = Stepper(model)


def evaluate(sentence, longest=12):
    """What is said, and for each word of it (T) where it looked (S)."""
    words = english.vocabulary.encode(sentence.split())
    state = stepper.start(*source_batch([words]))
    word, said, matrix = BOS, [], []
    while word != EOS and len(said) < longest:
        table, looked, state = stepper.step(state, np.array([word], np.int32))
        word = int(table[0].argmax())
        said.append(word)
        matrix.append(looked[0])
    return korean.vocabulary.decode(said), np.array(matrix)


said, matrix = evaluate("tensorflow is very fast changing")
print("attention (T, S)", matrix.shape)
print(matrix.round(3))
print("each row sums to", matrix.sum(axis=1).round(12))

# %% map
import json
from pathlib import Path

shown = {"source": "tensorflow is very fast changing".split(), "said": said}
shown["weights"] = matrix.round(4).tolist()
Path("tensorflow.attention.json").write_text(json.dumps(shown))
print("looked at most:")
for word, row in zip(said, matrix):
    print(f"  {shown['source'][int(row.argmax())]:12s} {word}")
