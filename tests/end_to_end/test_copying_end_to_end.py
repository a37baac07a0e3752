"""A model that copies says names that nobody has seen; one that does not cannot. On the built-in names."""

import numpy as np
import pytest

from diptych.config import parse_config
from diptych.data.opening import load_corpus
from diptych.errors import ConfigError, RefusalError
from diptych.evaluation.evaluate import evaluate
from diptych.export.trained import Trained
from diptych.ladder.ladder import parity
from diptych.panel import BACKENDS
from diptych.parameters.checkpoint import Checkpoint
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training.loop import train
from diptych.translation.translator import load

SMALL = {"embedding_size": 8, "encoder_size": 6, "decoder_size": 10}


def names(pairs, model, **training):
    data = {"corpus": "names", "maximum_pairs": pairs, "validation_size": 50, "test_size": 100}
    data |= {"shared_vocabulary": True, "minimum_frequency": 3}
    return parse_config({"name": "names", "data": data, "model": model, "training": training})


def test_names_have_ids_of_their_own_and_come_back(tmp_path):
    run = Run.create(names(300, SMALL | {"copies": True}), tmp_path / "run")
    read = Run.open(run.folder)
    assert read.source == run.source and read.source.copies
    size, copied = len(run.source_vocabulary), 0
    for source, target in run.corpus().test:
        tokens, said = run.source_tokenizer.tokenize(source), run.target_tokenizer.tokenize(target)
        ids, target_ids = run.source.encode(tokens), run.target.encode(said, tokens)
        assert all(each < size or tokens[each - size] == token for each, token in zip(ids, tokens, strict=True))
        assert run.target.decode(target_ids, tokens) == said
        copied += sum(each >= size for each in target_ids)
    assert copied > 200
    assert max(int(run.encoded().train.sources.tokens.max()), int(run.encoded().train.targets.tokens.max())) >= size


def test_a_translation_may_hold_a_word_without_an_entry(tmp_path):
    run = Run.create(names(300, SMALL | {"copies": True}), tmp_path / "run")
    values = run.initial_parameters()
    values["copy_gate.bias"] = np.array([-30.0])  # always copies
    run.record("pytorch").write_checkpoint(Checkpoint(values, {}, {"step": 1}))
    line = "dasume gives korini a book today"
    for search in ({}, {"beam_size": 3}, {"temperature": 1.0}):
        [translation] = load(run, "reference").translate([line], maximum_length=4, **search)
        assert set(translation.text.split()) <= set(line.split()) and translation.text
    with pytest.raises(RefusalError, match="is not exported"):
        Trained.open(run)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"shared_vocabulary": False}}, "model.copies needs data.shared_vocabulary = true"),
        ({"training": {"teacher_forcing": 0.5}}, "set training.teacher_forcing = 1.0"),
        ({"model": {"attention": "none", "copies": True}}, "copies needs an attention"),
    ],
)
def test_what_does_not_go_together_is_refused(changes, message):
    values = names(300, SMALL | {"copies": True}).model_dump(mode="json")
    for section, given in changes.items():
        values[section] |= given
    with pytest.raises(ConfigError, match=message):
        parse_config(values)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_names_are_copied_and_a_plain_model_cannot_say_them(tmp_path, backend, both_frameworks):
    exact = {}
    for copies in (True, False):
        model = {"embedding_size": 32, "encoder_size": 32, "decoder_size": 64, "dropout": 0.0, "copies": copies}
        config = names(2000, model, epochs=8, batch_size=32, learning_rate=0.005)
        run = Run.create(config, tmp_path / f"copies {copies}")
        train(run, backend, reporter=QuietReporter())
        exact[copies] = evaluate(run, backend).scores["exact_match"]
    assert exact[True] >= 95.0 and exact[False] < 20.0


def test_the_corpus_has_names_that_training_has_not():
    corpus = load_corpus(names(3000, SMALL).data)
    known = {word for source, _ in corpus.train for word in source.split()}
    strangers = [[word for word in source.split() if word not in known] for source, _ in corpus.test]
    assert sum(map(bool, strangers)) >= 95
    assert all(word in target for (_, target), words in zip(corpus.test, strangers, strict=True) for word in words)


@pytest.mark.slow
def test_the_ladder_holds_for_a_model_that_copies(tmp_path, both_frameworks):
    run = Run.create(names(300, SMALL | {"copies": True}), tmp_path / "run")
    proof = parity(run, steps=20, threads=1)
    assert proof.holds, [level for level in proof.levels if not level.holds]
    assert "JavaScript: it has no model that copies" in proof.not_compared
