"""Vocabularies: every token has one id, and no text can speak a special one."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.data.tokens.vocabulary import BOS, EOS, PAD, SPECIALS, UNK, Vocabulary
from diptych.errors import DataError

TOKENS = st.one_of(st.text(min_size=1, max_size=3), st.sampled_from([*SPECIALS, "a", "b"]))
TEXTS = st.lists(st.lists(TOKENS, min_size=1), min_size=1)


@given(TEXTS)
def test_decoding_undoes_encoding(text: list[list[str]]) -> None:
    vocabulary = Vocabulary.build(text)
    for tokens in text:
        assert vocabulary.decode(vocabulary.encode(tokens)) == tokens


@given(TEXTS, st.lists(TOKENS))
def test_a_text_never_speaks_a_special_id(text: list[list[str]], other: list[str]) -> None:
    ids = Vocabulary.build(text).encode(other)
    assert len(ids) == len(other)
    assert not {PAD, BOS, EOS} & set(ids)


@given(TEXTS, st.integers(1, 3), st.integers(5, 12), st.randoms())
def test_frequent_tokens_first_and_no_more_than_asked_for(
    text: list[list[str]], minimum: int, size: int, random: object
) -> None:
    counts = Counter(token for tokens in text for token in tokens)
    expected = sorted((t for t in counts if counts[t] >= minimum), key=lambda t: (-counts[t], [ord(c) for c in t]))
    if not expected:
        with pytest.raises(DataError, match="none of the text's"):
            Vocabulary.build(text, minimum, size)
        return
    shuffled = list(text)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    vocabulary = Vocabulary.build(text, minimum, size)
    assert vocabulary.tokens == (*SPECIALS, *expected[: size - 4])
    assert len(vocabulary) == len(vocabulary.tokens) <= size
    assert vocabulary == Vocabulary.build(shuffled, minimum, size)


def test_special_spellings_get_entries_of_their_own() -> None:
    vocabulary = Vocabulary.build([["<unk>", "<eos>", "<unk>", "a"]])
    assert vocabulary.tokens == ("<pad>", "<bos>", "<eos>", "<unk>", "<unk>", "<eos>", "a")
    assert vocabulary.encode(["<unk>", "<eos>", "<pad>", "nowhere"]) == [4, 5, UNK, UNK]
    assert vocabulary.decode([PAD, BOS, EOS, UNK, 4, 5]) == ["<pad>", "<bos>", "<eos>", "<unk>", "<unk>", "<eos>"]


def test_zero_means_no_limit() -> None:
    assert len(Vocabulary.build([map(chr, range(0x4E00, 0x4E00 + 500))], maximum_size=0)) == 504


@given(TEXTS)
def test_json_keeps_everything(text: list[list[str]]) -> None:
    vocabulary = Vocabulary.build(text)
    copy = Vocabulary.from_json(vocabulary.to_json())
    assert copy == vocabulary and copy.tokens == vocabulary.tokens
    assert copy.encode(["a", "<eos>"]) == vocabulary.encode(["a", "<eos>"])
    vocabulary.to_json().encode("utf-8")


def test_json_can_be_read_by_people() -> None:
    assert "\n" + '"배가",' + "\n" in Vocabulary(("배가", "고파요")).to_json()


def _json(**changes: object) -> str:
    return json.dumps({"special": list(SPECIALS), "tokens": ["a", "b"]} | changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not valid JSON"),
        ('{"special": ["<pad>"', "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("[]", "holds list, expected an object"),
        ("null", "holds NoneType"),
        ('{"tokens": []}', r"holds the keys \['tokens'\]"),
        (_json(more=1), r"holds the keys \['more', 'special', 'tokens'\]"),
        (_json(special=["<pad>"]), r"the special tokens are \['<pad>'\], expected"),
        (_json(tokens="ab"), "'tokens' must be a list of strings"),
        (_json(tokens=["a", 5]), "'tokens' must be a list of strings"),
        (_json(tokens=["a", ""]), "not empty, but that of id 5 is"),
        (_json(tokens=["a", "b", "a"]), "'a' has ids 4 and 6"),
        (_json(tokens=["\ud800"]), "surrogate"),
    ],
)
def test_garbage_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=f"^source.json.*{message}"):
        Vocabulary.from_json(text, origin="source.json")


@given(st.text() | st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(json.dumps))
def test_any_other_text_is_a_data_error(text: str) -> None:
    with pytest.raises(DataError):
        Vocabulary.from_json(text)


@pytest.mark.parametrize("token_id", [-1, 6])
def test_an_id_outside_is_refused(token_id: int) -> None:
    with pytest.raises(DataError, match=f"has ids 0 to 5, got {token_id}"):
        Vocabulary(("a", "b")).decode([4, token_id])


def test_a_vocabulary_of_nothing_is_refused() -> None:
    with pytest.raises(DataError, match="none of the text's 2 different tokens .* minimum_frequency = 3"):
        Vocabulary.build([["a", "b"]], minimum_frequency=3)
