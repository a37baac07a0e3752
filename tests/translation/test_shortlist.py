"""Shortlists of a run: what is counted, their file, and translating with them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import diptych
from diptych.config import DataConfig, ModelConfig, RunConfig, SearchConfig, TrainingConfig
from diptych.data.tokens.batches import source_batch
from diptych.data.tokens.vocabulary import BOS
from diptych.errors import ConfigError, DataError, UsageError
from diptych.panel import load
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.run import Run
from diptych.search.shortlist import Shortlist
from diptych.translation.members import load_model
from diptych.translation.members.steppers import Steppers
from diptych.translation.shortlist import make_shortlist, read_shortlist, write_shortlist

CONFIG = RunConfig(
    name="tiny",
    data=DataConfig(maximum_pairs=30, validation_size=3, test_size=4),
    model=ModelConfig(embedding_size=4, encoder_size=3, decoder_size=5),
    training=TrainingConfig(precision="float64"),
    search=SearchConfig(maximum_length=6),
)


def make_run(folder, **changes):
    run = Run.create(CONFIG.model_copy(update=changes), folder)
    random = np.random.default_rng(3)
    weights = {name: random.uniform(-1.0, 1.0, value.shape) for name, value in run.initial_parameters().items()}
    run.record("pytorch").write_checkpoint(Checkpoint(weights, {}, {"step": 1}))
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def made(run):
    """A shortlist of at most two words a source word, and the three most frequent ones."""
    loaded = load_model(run, "reference")
    return make_shortlist(run, load("reference"), loaded.model, 2, 3, lambda *_: None)


def test_it_holds_the_words_that_looked_most_often(run, made):
    """Counted once more, pair by pair and token by token with a stepper."""
    stepper, pairs = load_model(run, "reference").stepper, run.encoded().train
    looked, often = Counter(), Counter()
    for row in range(len(pairs)):
        source, target = (
            each.tokens[each.offsets[row] : each.offsets[row + 1]].tolist() for each in (pairs.sources, pairs.targets)
        )
        padded, lengths = source_batch([source])
        state, fed = stepper.start(padded, lengths), BOS
        for token in target:
            _, weights, state = stepper.step(state, np.array([fed], np.int32))
            looked[source[int(weights[0].argmax())], token] += 1
            often[token] += 1
            fed = token
    assert sorted(made.always) == sorted(sorted(often, key=lambda token: (-often[token], token))[:3])
    for source in range(len(run.source_vocabulary)):
        several = sorted(
            (target for one, target in looked if one == source), key=lambda token: (-looked[source, token], token)
        )
        assert made.words[made.offsets[source] : made.offsets[source + 1]].tolist() == sorted(several[:2])


def test_a_file_is_the_shortlist_again_and_fits_its_run_alone(run, made, tmp_path):
    path = tmp_path / "words"
    write_shortlist(made, run, path, {"best": 2})
    again = read_shortlist(path, run)
    for name in ("always", "offsets", "words", "size"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name))
    other = make_run(tmp_path / "other", data=CONFIG.data.model_copy(update={"lowercase_source": True, "seed": 9}))
    with pytest.raises(DataError, match="was made for another source vocabulary than that of .*other"):
        read_shortlist(path, other)
    write_shortlist(Shortlist(made.size, made.always, made.offsets, made.words + made.size), run, path, {})
    with pytest.raises(DataError, match="is damaged: it names words that are not there"):
        read_shortlist(path, run)
    with pytest.raises(DataError, match="is a folder, and a shortlist is a file"):
        read_shortlist(tmp_path, run)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="cannot be read as a shortlist: .*; make one with `diptych shortlist"):
        read_shortlist(path, run)
    path.write_text("no such thing", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read as a shortlist"):
        read_shortlist(path, run)


def test_translating_says_its_words_alone_and_a_full_one_changes_nothing(run, made, tmp_path):
    lines = [source for source, _ in run.corpus().test]
    write_shortlist(made, run, tmp_path / "words", {})
    translator = diptych.load(run, "reference", shortlist=tmp_path / "words")
    encode, decode = run.source_vocabulary.encode, run.target_vocabulary.decode
    for beam_size in (1, 3):
        for line, each in zip(lines, translator.translate(lines, beam_size=beam_size), strict=True):
            allowed = decode(made.of_source(encode(run.source_tokenizer.tokenize(line))).tolist())
            assert set(each.tokens) <= set(allowed)
    size = len(run.target_vocabulary)
    write_shortlist(Shortlist.of(size, range(size), [[]] * len(run.source_vocabulary)), run, tmp_path / "all", {})
    full = diptych.load(run, "reference", shortlist=tmp_path / "all").translate(lines)
    assert [each.tokens for each in full] == [each.tokens for each in diptych.load(run, "reference").translate(lines)]
    with pytest.raises(ConfigError, match="prefix may hold words that are not on the shortlist"):
        translator.translate(lines, prefix="배가")
    with pytest.raises(UsageError, match="leave out the members"):
        diptych.load(run, "reference", shortlist=tmp_path / "words", members=[str(run.folder)])


def test_a_worker_has_the_shortlist_too(run, made, tmp_path):
    write_shortlist(made, run, tmp_path / "words", {})
    worker = Steppers("reference")
    number = worker.load(str(run.folder), "best", None, None, "cpu", str(tmp_path / "words"))
    source, lengths = source_batch([[4, 5, 6]])
    told = worker.step(worker.start(number, source, lengths)["state"], np.array([BOS], np.int32))
    finite = np.flatnonzero(np.isfinite(told["log_probabilities"][0]))
    assert finite.tolist() == made.of_source([4, 5, 6]).tolist()


def test_a_model_without_attention_is_refused(tmp_path):
    run = make_run(tmp_path / "none", model=CONFIG.model.model_copy(update={"attention": "none"}))
    with pytest.raises(UsageError, match="attention = 'none': it cannot say which words belong together"):
        make_shortlist(run, load("reference"), load_model(run, "reference").model, 2, 3, lambda *_: None)
