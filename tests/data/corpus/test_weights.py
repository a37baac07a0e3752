"""Texts beside the training text: how often their pairs come, and what keeps them out."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.config import AdditionalText, DataConfig
from diptych.data.opening import load_corpus, open_corpus
from diptych.data.pairs import Joined, Repeated


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


def text(folder: Path, name: str, count: int) -> str:
    path = folder / f"{name}{count}.tsv"
    path.write_text("".join(f"{name} {number}\t{number}\n" for number in range(count)), "utf-8")
    return str(path)


def config(folder: Path, *texts: AdditionalText, **options: object) -> DataConfig:
    held_out = (text(folder, "held", 3),)
    given = {"train": (text(folder, "own", 5),), "validation": held_out, "test": held_out, "additional": texts}
    return DataConfig(corpus="files", **(given | options))  # type: ignore[arg-type]


@given(weights=st.lists(st.floats(0.01, 5.0), min_size=1, max_size=3), count=st.integers(1, 40), seed=st.integers(0, 9))
def test_a_weight_is_how_often_a_pair_comes(folder: Path, weights: list[float], count: int, seed: int) -> None:
    paths = [text(folder, name, count) for name in "abc"[: len(weights)]]
    texts = [AdditionalText(paths=(path,), weight=weight) for path, weight in zip(paths, weights, strict=True)]
    given = config(folder, *texts, seed=seed)
    opened = open_corpus(given)
    corpus = opened.read()
    assert corpus == load_corpus(given)  # a pure function
    assert len(opened.train) == len(corpus.train) == 5 + sum(round(weight * count) for weight in weights)
    times = Counter(corpus.train)
    for name, weight in zip("abc", weights, strict=False):
        found = [times[f"{name} {number}", str(number)] for number in range(count)]
        assert set(found) <= {int(weight), int(weight) + 1}
        assert sum(found) == round(weight * count)
    not_drawn = sum(pair not in times for path in paths for pair in pairs_of(path))
    assert sum(corpus.dropped.values()) == not_drawn


def pairs_of(path: str) -> list[tuple[str, str]]:
    lines = Path(path).read_text("utf-8").splitlines()
    return [(source, target) for source, _, target in (line.partition("\t") for line in lines)]


def test_another_seed_draws_others_and_two_texts_are_drawn_apart(folder: Path) -> None:
    def drawn(name: str, place: int, seed: int) -> set[str]:
        texts = [AdditionalText(paths=(text(folder, each, 40),), weight=0.5) for each in ("x", "y")]
        corpus = load_corpus(config(folder, *texts, seed=seed))
        return {target for source, target in corpus.train if source.startswith(name)}

    assert len(drawn("x", 0, 1)) == 20
    assert drawn("x", 0, 1) != drawn("x", 0, 2)
    assert drawn("x", 0, 1) != drawn("y", 1, 1)


def test_what_is_held_out_of_the_training_text_is_in_no_other_one(folder: Path) -> None:
    own = text(folder, "own", 20)
    more = AdditionalText(paths=(own,), weight=2.0)
    given = config(folder, more, train=(own,), validation=(), test=(), validation_size=3, test_size=4)
    corpus = load_corpus(given)
    held_out = {source for source, _ in corpus.validation + corpus.test}
    assert len(held_out) == 7
    assert not held_out & {source for source, _ in corpus.train}
    assert set(Counter(corpus.train).values()) == {3}
    assert corpus.dropped == {"source sentence is in validation or test": 7}


@pytest.mark.parametrize("limit", [1, 5, 7, 15, 0])
def test_the_limit_counts_pairs_of_all_texts_before_weights(folder: Path, limit: int) -> None:
    texts = [AdditionalText(paths=(text(folder, name, 4),), weight=2.0) for name in ("a", "b")]
    corpus = load_corpus(config(folder, *texts, maximum_pairs=limit))
    everything = load_corpus(config(folder, *texts, maximum_pairs=0)).train
    different, chosen = list(dict.fromkeys(everything)), list(dict.fromkeys(corpus.train))
    assert chosen == [pair for pair in different if pair in chosen]
    assert len(chosen) == min(limit or len(different), len(different))
    assert sum(corpus.dropped.values()) == 13 - len(chosen)


@given(counts=st.lists(st.integers(1, 4), max_size=20))
def test_repeated_and_joined_pairs_are_counted(counts: list[int]) -> None:
    pairs = [(str(number), "x") for number in range(len(counts))]
    found = Repeated(pairs, bytes(counts))
    assert list(found) == [pair for pair, count in zip(pairs, counts, strict=True) for _ in range(count)]
    both = Joined((found, pairs))
    assert list(both) == list(found) + pairs
    assert (len(found), len(both)) == (len(list(found)), len(list(both)))
