# %% sample
from diptych.data.tokens.batches import source_batch
from diptych.data.tokens.vocabulary import BOS, EOS
from diptych.randomness import generator
from diptych.pytorch import Stepper

model = new_model(attention="additive")
learn(model, steps=15)
stepper = Stepper(model)


def sample(sentence, temperature, seed, longest=8):
    """Draw each word; a low temperature takes the most probable one."""
    words = english.vocabulary.encode(sentence.split())
    state = stepper.start(*source_batch([words]))
    word, said = BOS, []
    while word != EOS and len(said) < longest:
        table, _, state = stepper.step(state, np.array([word], np.int32))
        scores = torch.from_numpy(table[0, EOS:]) / temperature
        probabilities = torch.softmax(scores, dim=0)
        dice = generator(seed, "dice", len(said)).random()
        passed = torch.cumsum(probabilities, dim=0)[:-1] < dice
        word = EOS + int(passed.numpy().sum())
        said.append(word)
    return " ".join(korean.vocabulary.decode(said))


for temperature in (0.01, 1.0, 3.0):
    print(f"temperature {temperature}")
    for seed in (1, 2, 3):
        print("  ", sample("I feel hungry", temperature, seed))

# %% length
for longest in (1, 2, 8):
    print(longest, sample("I feel hungry", 0.1, seed=1, longest=longest))

# %% stock
table = np.log(np.array([0.1, 0.2, 0.7]))
torch.manual_seed(1)
drawn = torch.multinomial(torch.from_numpy(table).exp(), 10_000, replacement=True)
print("takes probabilities:", np.bincount(drawn.numpy(), minlength=3) / 10_000)
