"""The built-in corpora: nothing held out is in training, and what was dropped is counted."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from diptych.config import DataConfig
from diptych.data.builtin.builtin import phrasebook, spacing_pairs
from diptych.data.opening import load_corpus
from diptych.data.opening import load_corpus as builtin_corpus
from diptych.errors import DataError

SMALL = {"validation_size": 20, "test_size": 30}


def write(path: Path, lines: list[str]) -> tuple[str]:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return (str(path),)


@pytest.mark.parametrize("name", ["phrasebook", "spacing", "numbers", "names"])
def test_what_is_made_is_divided_without_leaks(name: str) -> None:
    corpus = builtin_corpus(DataConfig(corpus=name, maximum_pairs=3000, **SMALL))  # type: ignore[arg-type]
    assert [len(corpus.train), len(corpus.validation), len(corpus.test)] == [3000, 20, 30]
    sources = [source for part in (corpus.train, corpus.validation, corpus.test) for source, _ in part]
    assert len(set(sources)) == len(sources)
    assert corpus.dropped == {}


@pytest.mark.parametrize(
    ("name", "pair"),
    [("phrasebook", ("I feel hungry", "배가 고파요")), ("spacing", ("ifeelhungry", "I feel hungry"))],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hunger_is_always_trained_on(name: str, pair: tuple[str, str], seed: int) -> None:
    config = DataConfig(corpus=name, maximum_pairs=5, seed=seed, **SMALL)  # type: ignore[arg-type]
    assert pair in builtin_corpus(config).train


def test_zero_pairs_means_all() -> None:
    corpus = builtin_corpus(DataConfig(maximum_pairs=0))
    assert len(corpus.train) == len(phrasebook(1)) - 1000
    assert len(corpus.train) + 1000 >= 60_000


def test_the_held_out_pairs_do_not_depend_on_how_many_are_trained_on() -> None:
    one, two = (builtin_corpus(DataConfig(maximum_pairs=count, **SMALL)) for count in (100, 2000))  # type: ignore[arg-type]
    assert (one.validation, one.test) == (two.validation, two.test)
    assert one.train == two.train[:100]
    assert builtin_corpus(DataConfig(maximum_pairs=100, seed=2, **SMALL)).test != one.test  # type: ignore[arg-type]


def test_too_much_held_out_of_what_is_made_is_an_error() -> None:
    with pytest.raises(
        DataError, match=r"'phrasebook' has 60000 different sources.*lower validation_size and test_size"
    ):
        builtin_corpus(DataConfig(test_size=70_000, maximum_pairs=1))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_spacing_keeps_the_letters_and_the_words(lines: list[str]) -> None:
    pairs = spacing_pairs(lines)
    assert len(pairs) == sum(bool(line.strip()) for line in lines)
    for (source, target), line in zip(pairs, [line for line in lines if line.strip()], strict=True):
        assert target.split(" ") == line.split()
        assert source == "".join(line.split()).lower()


def test_spacing_of_english_and_korean() -> None:
    assert spacing_pairs(["  To be,\tor  not ", "", " \u3000", "저는 사과를 먹어요"]) == [
        ("tobe,ornot", "To be, or not"),
        ("저는사과를먹어요", "저는 사과를 먹어요"),
    ]


def test_spacing_of_the_korean_phrasebook() -> None:
    config = DataConfig(corpus="spacing", language="korean", maximum_pairs=5, **SMALL)  # type: ignore[arg-type]
    corpus, more = builtin_corpus(config), builtin_corpus(config.model_copy(update={"maximum_pairs": 0}))
    assert corpus.train[0] == ("배가고파요", "배가 고파요")
    assert [len(corpus.train), len(corpus.validation), len(corpus.test)] == [5, 20, 30]
    assert (corpus.validation, corpus.test, corpus.train) == (more.validation, more.test, more.train[:5])
    everything = more.train + more.validation + more.test
    assert len({source for source, _ in everything}) == len(everything)
    sentences = {korean.replace(" ?", "?") for _, korean in phrasebook(1)}
    assert {target for _, target in everything} <= sentences
    # What is left out is read in two ways, and counted.
    assert len(everything) + sum(more.dropped.values()) == len(sentences)
    assert all(source == target.replace(" ", "") for source, target in everything)


@pytest.mark.parametrize(
    "values", [{}, {"corpus": "spacing", "train": ("text",)}, {"corpus": "files", "train": ("t",)}]
)
def test_a_language_where_it_has_no_meaning_is_an_error(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=r"language 'korean' has no meaning with .*; leave it out"):
        DataConfig(language="korean", **values)  # type: ignore[arg-type]


def test_spacing_from_a_file_drops_and_counts_duplicates(tmp_path: Path) -> None:
    lines = [f"Line {number}" for number in range(100)] + ["", "LINE 1", "Line  2", "line 3"]
    path = write(tmp_path / "text", lines)
    corpus = load_corpus(DataConfig(corpus="spacing", train=path, **SMALL))  # type: ignore[arg-type]
    assert [len(corpus.train), len(corpus.validation), len(corpus.test)] == [50, 20, 30]
    assert corpus.dropped == {"source sentence comes more than once": 3}
    everything = corpus.train + corpus.validation + corpus.test
    assert sorted(everything) == sorted((f"line{number}", f"Line {number}") for number in range(100))


def test_spacing_leaves_held_out_lines_out_of_training(tmp_path: Path) -> None:
    train = write(tmp_path / "train", [f"Line {number}" for number in range(100)])
    validation = write(tmp_path / "validation", ["line 5", "other"])
    test = write(tmp_path / "test", ["L ine 6", "other", "other"])
    config = DataConfig(corpus="spacing", train=train, validation=validation, test=test, maximum_pairs=10)
    corpus = builtin_corpus(config)
    assert [source for source, _ in corpus.train] == [f"line{n}" for n in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]
    assert corpus.test == [("line6", "L ine 6"), ("other", "other"), ("other", "other")]
    assert corpus.dropped == {
        "source sentence is in validation or test": 2,
        "beyond maximum_pairs = 10": 88,
    }


def test_spacing_reads_gzip(tmp_path: Path) -> None:
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress("\n".join(f"Line {number}" for number in range(60)).encode()))
    assert len(builtin_corpus(DataConfig(corpus="spacing", train=(str(path),), **SMALL)).train) == 10  # type: ignore[arg-type]


def test_short_and_empty_texts_are_errors(tmp_path: Path) -> None:
    short = write(tmp_path / "short", ["One", "Two", "one"])
    blank = write(tmp_path / "blank", ["", "  "])
    with pytest.raises(DataError, match="2 different source sentences, too few"):
        builtin_corpus(DataConfig(corpus="spacing", train=short))
    with pytest.raises(DataError, match="blank holds only blank lines, expected one sentence per line"):
        builtin_corpus(DataConfig(corpus="spacing", train=blank))
    with pytest.raises(DataError, match="every line of .*short is also in the validation or test text"):
        builtin_corpus(DataConfig(corpus="spacing", train=short, validation=short, test=short))
