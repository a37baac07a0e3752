"""Pairs that are read from a file each time are those that are read from it once."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diptych.config import DataConfig
from diptych.data.corpus.division import divide
from diptych.data.corpus.files import FilePairs
from diptych.data.opening import load_corpus, open_corpus
from diptych.data.pairs import Selected, beginning
from diptych.data.tokens.tokenizers import make_tokenizer
from diptych.errors import DataError
from diptych.randomness import generator


def write(path: Path, pairs: list[tuple[str, str]]) -> str:
    path.write_text("".join(f"{source}\t{target}\n" for source, target in pairs), encoding="utf-8")
    return str(path)


SOME = [(f"word{number % 7} w{number % 23}", f"{number}") for number in range(60)]


def test_pairs_are_read_again_and_again(tmp_path: Path) -> None:
    pairs = FilePairs.open([write(tmp_path / "pairs", SOME)])
    assert len(pairs) == 60
    assert list(pairs) == list(pairs) == list(FilePairs.open(pairs.paths)) == SOME


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 70))
def test_what_is_selected_is_counted_and_in_order(mask: list[bool], count: int) -> None:
    selected = Selected(SOME, bytes(mask))
    assert list(selected) == [pair for pair, wanted in zip(SOME, mask, strict=False) if wanted]
    assert len(selected) == len(list(selected))
    assert list(beginning(selected, count)) == list(selected)[:count]
    assert len(beginning(selected, count)) == min(len(selected), count)


@given(
    words=st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=200),
    sizes=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    seed=st.integers(0, 99),
)
@example(words=list("a" * 50 + "bcdefgh"), sizes=(3, 3), seed=1)
def test_the_first_sentences_of_the_shuffled_order_are_held_out(
    words: list[str], sizes: tuple[int, int], seed: int
) -> None:
    pairs = [(word, str(number)) for number, word in enumerate(words)]
    if not 0 < sum(sizes) < len(set(words)):
        return
    chosen: dict[str, int] = {}
    for row in generator(seed, "held-out pairs").permutation(len(pairs)).tolist():
        if len(chosen) < sum(sizes):
            chosen.setdefault(words[row], row)
    rows = list(chosen.values())
    corpus = divide(pairs, *sizes, seed, make_tokenizer("word")).read()
    assert corpus.test == [pairs[row] for row in sorted(rows[: sizes[1]])]
    assert corpus.validation == [pairs[row] for row in sorted(rows[sizes[1] :])]
    assert corpus.train == [pair for pair in pairs if pair[0] not in chosen]


@pytest.mark.parametrize("sizes", [(0, 0), (3, 5), (1, 9), (9, 13)])
def test_a_file_is_divided_as_its_pairs_in_memory_are(tmp_path: Path, sizes: tuple[int, int]) -> None:
    tokenizer = make_tokenizer("word")
    pairs = [pair for number, pair in enumerate(SOME) for _ in range(1 + 40 * (number == 3))]  # one of them 41 times
    opened = divide(FilePairs.open([write(tmp_path / "pairs", pairs)]), *sizes, 1, tokenizer)
    corpus = divide(pairs, *sizes, 1, tokenizer).read()
    assert opened.read() == corpus
    assert [len(opened.train), len(opened.validation), len(opened.test)] == [
        len(corpus.train), len(corpus.validation), len(corpus.test),
    ]  # fmt: skip


@pytest.mark.parametrize("held_out", [{}, {"validation_size": 2, "test_size": 3}])
def test_an_open_corpus_is_the_loaded_one(tmp_path: Path, held_out: dict[str, int]) -> None:
    train = write(tmp_path / "train", SOME)
    parts = {} if held_out else {"validation": (train,), "test": (train,)}
    config = DataConfig(corpus="files", train=(train,), maximum_pairs=20, **parts, **held_out)
    opened = open_corpus(config)
    assert opened.read() == opened.read() == load_corpus(config)
    assert len(opened.train) == 20


def test_a_file_that_shrinks_while_it_is_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "pairs"
    pairs = FilePairs.open([write(path, SOME)])
    write(path, SOME[:50])
    with pytest.raises(DataError, match="pairs had 60 pairs and now lacks 10: it changed while it was read"):
        list(pairs)


def test_spacing_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    lines = [f"Line {number}" for number in range(40)] + ["", "LINE 1", "Line  2"]
    (tmp_path / "text").write_text("\n".join(lines), encoding="utf-8")
    config = DataConfig(corpus="spacing", train=(str(tmp_path / "text"),), validation_size=5, test_size=5)
    opened = open_corpus(config)
    assert opened.read() == opened.read() == load_corpus(config)
    (tmp_path / "text").write_text("Line 1\n", encoding="utf-8")
    with pytest.raises(DataError, match="had 42 pairs and now lacks 41"):
        list(opened.train)
