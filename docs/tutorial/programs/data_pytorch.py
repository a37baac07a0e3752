# %% words
for token, number in [*zip(english.vocabulary.tokens, range(8))]:
    print(number, token, end="   ")
print("\n\nsource", shape(source), "lengths", numbers(lengths))
print(numbers(source))
print("\ntarget_input: <bos>, then the words")
print(numbers(target_input))
print("\ntarget_output: the words, then <eos>")
print(numbers(target_output))

# %% characters
from diptych.data.tokens.tokenizers import CharacterTokenizer

characters = CharacterTokenizer()
said = [characters.tokenize(korean_line) for _, korean_line in PAIRS]
letters = Vocabulary.build(said)
SOS, END = 1, 2  # <bos> and <eos> of characters
ids = [SOS, *letters.encode(said[0]), END]
print(len(letters), "characters, four special ones among them")
print(" ".join(letters.decode(ids)))
print(ids)

# %% stock
from torch.nn.utils.rnn import pad_sequence

rows = [english.vocabulary.encode(line.split()) for line, _ in PAIRS]
default = pad_sequence([torch.tensor(row) for row in rows])
right = pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
print("by default", shape(default))
print(numbers(default))
print("\nas Diptych has it:", np.array_equal(right, numbers(source)))

# %% split
raw = "나는 배가 고프다"
print(raw.split())
print("characters:", len(raw))
